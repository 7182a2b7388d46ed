"""Further wordings of questions: what the search is fitted on and looks through besides the entries themselves.

`wordings/g*.toml` and `second.*.toml` name wordings by entry; `graded*.toml` names every entry that helps, for some of those
and for questions by people who had seen no entry; `outside*.toml` holds questions that the guidance is not to answer.
`unseen.*.toml` has both kinds, and nothing is learnt of it: what is chosen about the search is chosen on these.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.topics import LANGUAGES, Language

FOLDER = Path(__file__).parent / "wordings"
ANSWERS = 2
"""Grade of an entry that answers; 1 helps with a side."""
SIDE = 0.25
"""Weight of an entry that helps with a side, beside one that answers."""


@cache
def read_wordings() -> Mapping[str, Mapping[Language, tuple[str, ...]]]:
    """Wordings by entry id and language; a graded question is one of each entry that answers it."""
    found: dict[str, dict[Language, tuple[str, ...]]] = {}
    for path in [*sorted(FOLDER.glob("g[0-9]*.toml")), *sorted(FOLDER.glob("second.*.toml"))]:
        for entry, wordings in _read(path).items():
            own = found.setdefault(entry, dict.fromkeys(LANGUAGES, ()))
            for language, texts in wordings.items():
                own[language] += tuple(texts)
    for language in LANGUAGES:
        for text, grades in read_graded(language).items():
            for entry in (entry for entry, grade in grades.items() if grade == ANSWERS):
                own = found.setdefault(entry, dict.fromkeys(LANGUAGES, ()))
                own[language] += () if text in own[language] else (text,)
    return found


def read_graded(language: Language) -> dict[str, dict[str, int]]:
    """Grade by entry id of every entry that helps, by question."""
    paths = sorted(FOLDER.glob(f"graded*.{language}.toml"))
    return {each["ask"]: each["entries"] for path in paths for each in _read(path)["graded"]}


def shares_of(graded: Mapping[str, int], entries: Sequence[str]) -> npt.NDArray[np.float64]:
    """Each entry's share in the answer to a wording, shape (entries,), that sum to 1.

    Args:
        graded: Grade by entry id.
        entries: Ids of the entries, in the order of the shares.
    """
    weights = np.array([{ANSWERS: 1.0, 1: SIDE}.get(graded.get(entry, 0), 0.0) for entry in entries])
    return weights / weights.sum()


def read_outside(language: Language) -> tuple[str, ...]:
    """Questions that the guidance is not to answer."""
    return tuple(text for path in sorted(FOLDER.glob("outside*.toml")) for text in _read(path)[language])


class Unseen(NamedTuple):
    """Questions of which nothing is learnt."""

    graded: dict[str, dict[str, int]]
    """Grade by entry id, by question."""
    outside: tuple[str, ...]
    """What the guidance is not to answer."""


def read_unseen(language: Language) -> Unseen:
    """The questions that settings of the search are chosen on."""
    found = _read(FOLDER / f"unseen.{language}.toml")
    return Unseen({each["ask"]: each["entries"] for each in found["graded"]}, tuple(found["outside"]))


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
