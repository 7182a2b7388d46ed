"""Guidance entries: one Markdown file each, English and Japanese under one id, in a fixed form that is checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import InvalidEntry
from knowledge.topics import AUDIENCES, STAGES, TOPICS

Language = Literal["en", "ja"]
HEADINGS: dict[Language, tuple[str, ...]] = {
    "en": ("What", "Why it matters", "What to check", "Steps", "A sentence to say"),
    "ja": ("何をするか", "なぜ大切か", "確かめること", "手順", "会議での一言"),
}
"""The sections of an entry, in order."""
SECTIONS = ("what", "why", "check", "steps", "say")
"""Language-neutral names of the sections, in the same order."""
FOLDER = Path(__file__).parent / "guidance"
MAX_BYTES = 60_000
_PARTS = re.compile(r"\A---\n(?P<head>.*?)\n---\n# English\n(?P<en>.*)\n# 日本語\n(?P<ja>.*)\Z", re.DOTALL)


def _known(allowed: tuple[str, ...]) -> AfterValidator:
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [v for v in values if v not in allowed]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
        return values

    return AfterValidator(check)


class Bilingual(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = Field(min_length=1)
    ja: str = Field(min_length=1)


class BilingualLines(BaseModel):
    """Lines in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: tuple[str, ...] = Field(min_length=2)
    ja: tuple[str, ...] = Field(min_length=2)


class Source(BaseModel):
    """Where a statement comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    """Title or name."""
    where: str = ""
    """arXiv number, standard or venue."""
    scope: str = ""
    """What the statement was found on."""


class Entry(BaseModel):
    """One guidance entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^G\d{2,3}$")
    """`G` and a number; cited in answers."""
    title: Bilingual
    topics: Annotated[tuple[str, ...], _known(TOPICS), Field(min_length=1)]
    stage: Annotated[tuple[str, ...], _known(STAGES), Field(min_length=1)]
    audience: Annotated[tuple[str, ...], _known(AUDIENCES), Field(min_length=1)]
    tools: tuple[str, ...]
    """Tools that answer its checks."""
    asks: BilingualLines
    """Wordings with which people look for it."""
    sources: tuple[Source, ...]
    """Empty for practice."""
    sections: dict[Language, dict[str, str]]
    """Text of each section by language and name."""


def read_entries(folder: Path = FOLDER) -> tuple[Entry, ...]:
    """All entries of a folder, by id.

    Raises:
        InvalidEntry: A file is not of the form, or two have one id.
    """
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.md")):
        entry = read_entry(path)
        if entry.id in entries:
            raise InvalidEntry(f"`{path.name}` uses the id `{entry.id}` again.", "Give it the next free id.")
        entries[entry.id] = entry
    return tuple(sorted(entries.values(), key=lambda e: int(e.id[1:])))


def read_entry(path: Path) -> Entry:
    """One entry.

    Raises:
        InvalidEntry: The file is not of the form; what is wrong is named.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InvalidEntry(f"`{path.name}` is larger than {MAX_BYTES:,} bytes.", "Split the entry.")
    match = _PARTS.match(path.read_text(encoding="utf-8"))
    if match is None:
        raise InvalidEntry(
            f"`{path.name}` lacks the front matter or one language.", "See CONTRIBUTING.md for the form."
        )
    try:
        head = yaml.safe_load(match["head"])
        sections = {language: _sections(match[language], language) for language in ("en", "ja")}
        return Entry.model_validate({**head, "sections": sections})
    except (yaml.YAMLError, ValidationError, TypeError, ValueError) as error:
        raise InvalidEntry(f"`{path.name}`: {error}", "See CONTRIBUTING.md for the form.") from error


def _sections(text: str, language: Language) -> dict[str, str]:
    pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    found = dict(zip((h.strip() for h in pieces[1::2]), (t.strip() for t in pieces[2::2]), strict=True))
    if tuple(found) != HEADINGS[language] or not all(found.values()):
        raise ValueError(f"the {language} headings must be {', '.join(HEADINGS[language])}, each with text")
    return dict(zip(SECTIONS, found.values(), strict=True))
