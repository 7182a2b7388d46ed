"""The glossary: a question is widened by the words that stand for its terms in the other language."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("glossary.toml")


def expand(text: str) -> str:
    """The text followed by the other forms of the glossary terms that it contains."""
    lower = text.lower()
    added = [form for forms, pattern in _rows() if pattern.search(lower) for form in forms if form not in lower]
    return " ".join([text, *added])


@cache
def _rows() -> list[tuple[tuple[str, ...], re.Pattern[str]]]:
    terms = tomllib.loads(_FILE.read_text(encoding="utf-8"))["terms"]
    return [(tuple(forms), re.compile("|".join(_form(f) for f in forms))) for forms in terms]


def _form(form: str) -> str:
    # A Latin word is a word of its own (with plural); Japanese has no gaps to ask for.
    return rf"(?<![a-z]){re.escape(form)}(?:s|es|d|ing)?(?![a-z])" if form.isascii() else re.escape(form)
