"""Terms that need explaining, and which of them a text uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from assistant.languages import Language
from tools.file_facts import fact_of

_FILE = Path(__file__).with_name("glossary.toml")


class Term(BaseModel):
    """A term, how it is written, and what it means, in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    """The term in English."""
    ja: str
    """The term in Japanese."""
    en_forms: tuple[str, ...] = ()
    """Other English forms, such as the plural."""
    ja_forms: tuple[str, ...] = ()
    """Other Japanese forms."""
    en_meaning: str
    """What it means, in one plain English sentence."""
    ja_meaning: str
    """The same in Japanese."""

    def label(self, language: Language) -> str:
        """The term in that language, with its original beside the Japanese."""
        return self.en if language == "en" or self.ja == self.en else f"{self.ja}({self.en})"

    def meaning(self, language: Language) -> str:
        """What it means, in that language."""
        return self.en_meaning if language == "en" else self.ja_meaning

    def forms(self, language: Language) -> tuple[str, ...]:
        """How it is written in that language."""
        return (self.en, *self.en_forms) if language == "en" else (self.ja, *self.ja_forms)


def terms_in(texts: Iterable[str], language: Language) -> tuple[Term, ...]:
    """The terms that texts use, in the order of the alphabet (English) or of the glossary (Japanese).

    Args:
        texts: The texts.
        language: Their language.
    """
    whole = "\n".join(texts)
    used = [term for term in glossary() if any(_stands_in(form, whole) for form in term.forms(language))]
    return tuple(sorted(used, key=lambda term: term.en.lower()) if language == "en" else used)


def _stands_in(form: str, text: str) -> bool:
    """Whether a text has that form as a word of its own; Japanese has no word ends to look at."""
    if not form.isascii():
        return form in text
    return re.search(rf"(?<![0-9A-Za-z_-]){re.escape(form)}(?![0-9A-Za-z_])", text, re.IGNORECASE) is not None


@cache
def glossary() -> tuple[Term, ...]:
    """Every term that the product explains."""
    return tuple(Term.model_validate(each) for each in fact_of("report_glossary", _FILE, partial(_read, _FILE)))


def _read(file: Path) -> list[dict[str, Any]]:
    import tomllib  # noqa: PLC0415 (only when the file was changed)

    return tomllib.loads(file.read_text(encoding="utf-8"))["term"]
