"""Further wordings of questions: what the search is fitted on and looks through besides the entries themselves.

`wordings/g*.toml` and `second.*.toml` name wordings by entry; `graded.*.toml` names for some of them every entry that helps;
`outside*.toml` holds questions that the guidance is not to answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.topics import LANGUAGES, Language

FOLDER = Path(__file__).parent / "wordings"
ANSWERS = 2
"""Grade of an entry that answers; 1 helps with a side."""


@cache
def read_wordings() -> Mapping[str, Mapping[Language, tuple[str, ...]]]:
    """Wordings by entry id and language."""
    found: dict[str, dict[Language, tuple[str, ...]]] = {}
    for path in [*sorted(FOLDER.glob("g[0-9]*.toml")), *sorted(FOLDER.glob("second.*.toml"))]:
        for entry, wordings in _read(path).items():
            own = found.setdefault(entry, dict.fromkeys(LANGUAGES, ()))
            for language, texts in wordings.items():
                own[language] += tuple(texts)
    return found


def read_graded(language: Language) -> dict[str, dict[str, int]]:
    """Grade by entry id of every entry that helps, for some of the wordings."""
    return {each["ask"]: each["entries"] for each in _read(FOLDER / f"graded.{language}.toml")["graded"]}


def read_outside(language: Language) -> tuple[str, ...]:
    """Questions that the guidance is not to answer."""
    return tuple(text for path in sorted(FOLDER.glob("outside*.toml")) for text in _read(path)[language])


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
