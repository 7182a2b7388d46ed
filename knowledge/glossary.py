"""The glossary: a question is widened by the words that stand for its terms, in both languages."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

from knowledge.topics import Language

_FILE = Path(__file__).with_name("glossary.toml")


def expand(text: str) -> str:
    """The text followed by the other forms of the glossary terms that it contains."""
    plain = _plain(text)
    added = [form for forms in _matching(plain) for form in forms if form not in plain]
    return " ".join([text, *added])


def translate(text: str, language: Language) -> str:
    """The glossary terms of a text in one language, first form each; empty when it contains none."""
    forms = [[form for form in row if form.isascii() == (language == "en")] for row in _matching(_plain(text))]
    return ", ".join(row[0] for row in forms if row)


def terms() -> list[tuple[str, ...]]:
    """The rows of the glossary; the forms of a row stand for each other."""
    return [forms for forms, _ in _rows()]


def _matching(plain: str) -> list[tuple[str, ...]]:
    return [forms for forms, pattern in _rows() if pattern.search(plain)]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


@cache
def _rows() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))["terms"]
    return tuple((tuple(forms), re.compile("|".join(_form(form) for form in forms))) for forms in rows)


def _form(form: str) -> str:
    # A Latin word is a word of its own (with plural); Japanese has no gaps to ask for.
    return rf"(?<![a-z]){re.escape(form)}(?:s|es|d|ing)?(?![a-z])" if form.isascii() else re.escape(form)
