"""Which entries answer together: an entry that fits a question brings forward those that helped beside it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.topics import LANGUAGES
from knowledge.wordings import ANSWERS, read_graded

SHARE = 0.5
"""How much of an entry's chance its companions get."""
ALIKE = 0.5
"""Weight of what helped with questions like it."""
FLATTENING = 1.5
"""Divisor of the fused scores before they become chances, so that what comes second counts too."""
Chances = npt.NDArray[np.float64]


def companions_of(entries: Sequence[str]) -> Chances:
    """How much each entry helps beside others, by the graded wordings: rows of shape (entries, entries) that sum to 1 or less.

    Args:
        entries: Ids of the entries, in the order of the scores.
    """
    position = {entry: i for i, entry in enumerate(entries)}
    beside = np.zeros((len(entries), len(entries)))
    for language in LANGUAGES:
        for helping in read_graded(language).values():
            known = {position[entry]: grade for entry, grade in helping.items() if entry in position}
            for answer in (i for i, grade in known.items() if grade == ANSWERS):
                for other, grade in known.items():
                    if other != answer:
                        beside[answer, other] += grade / ANSWERS
    return beside / np.maximum(1.0, beside.sum(axis=1, keepdims=True))


def chances_to_help(fused: Chances, companions: Chances, alike: Chances) -> Chances:
    """The entries' chances to help, shape (entries,), that sum to 1.

    Args:
        fused: The entries' fused scores.
        companions: What `companions_of` says.
        alike: What helped with questions like it (`knowledge/neighbours.py`).
    """
    alone = np.exp((fused - fused.max()) / FLATTENING)
    alone /= alone.sum()
    together = alone + SHARE * np.einsum("a,ab->b", alone, companions)
    helping = together / together.sum() + ALIKE * alike
    return helping / helping.sum()
