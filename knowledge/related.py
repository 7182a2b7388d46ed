"""Which entries answer together: an entry that fits a question brings forward those that helped beside it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.topics import LANGUAGES
from knowledge.wordings import ANSWERS, read_graded

SHARE = 0.4
"""How much of an entry's chance its companions get."""
FLATTENING = 1.5
"""Divisor of the fused scores before they become chances, so that what comes second counts too."""
Chances = npt.NDArray[np.float64]


class Companions:
    """Entries that help beside others, by the graded wordings.

    Args:
        entries: Ids of the entries, in the order of the scores.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        position = {entry: i for i, entry in enumerate(entries)}
        beside = np.zeros((len(entries), len(entries)))
        for language in LANGUAGES:
            for helping in read_graded(language).values():
                known = {position[entry]: grade for entry, grade in helping.items() if entry in position}
                for answer in (i for i, grade in known.items() if grade == ANSWERS):
                    for other, grade in known.items():
                        if other != answer:
                            beside[answer, other] += grade / ANSWERS
        self._beside = beside / np.maximum(1.0, beside.sum(axis=1, keepdims=True))

    def chances(self, fused: Chances) -> Chances:
        """The entries' chances to help, shape (entries,), that sum to 1.

        Args:
            fused: The entries' fused scores.
        """
        alone = np.exp((fused - fused.max()) / FLATTENING)
        alone /= alone.sum()
        together = alone + SHARE * alone @ self._beside
        return together / together.sum()
