"""Passages: the pieces of an entry that are indexed, per language and section, each a word-by-word quote."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from knowledge.entry import Entry
from knowledge.topics import LANGUAGES, Language

QUOTED = ("what", "why", "check")
"""Sections that can be quoted as an answer; steps and the sentence to say travel with the passage."""


class IndexedText(BaseModel):
    """One searchable text of an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Entry id, language and piece, such as `G07.ja.ask2`."""
    entry: str
    """Entry id."""
    language: Language
    """Language of the text."""
    piece: str
    """`title`, `ask0`, `ask1` and so on, or a section."""
    text: str
    """The text, as it stands in the entry."""


def indexed_texts(entries: Iterable[Entry]) -> list[IndexedText]:
    """What the index holds of these entries: the title, each wording and each quotable section, alone."""
    return [
        IndexedText(id=f"{entry.id}.{language}.{piece}", entry=entry.id, language=language, piece=piece, text=text)
        for entry in entries
        for language in LANGUAGES
        for piece, text in _pieces(entry, language).items()
    ]


def whole_text(entry: Entry, language: Language) -> str:
    """All that an entry says in one language, for lexical search; the title counts twice."""
    sections = entry.text(language).model_dump().values()
    title = entry.title_in(language)
    return "\n".join([title, title, *entry.asks_in(language), *sections])


def quote_of(entry: Entry, language: Language, section: str) -> str:
    """The passage of one section, or the sources: of the answer its first paragraph, which stands alone."""
    if section == "sources":
        return entry.citation()
    text = str(getattr(entry.text(language), section))
    return text.split("\n\n")[0] if section == "what" else text


def _pieces(entry: Entry, language: Language) -> dict[str, str]:
    asks = {f"ask{i}": ask for i, ask in enumerate(entry.asks_in(language))}
    sections = {name: getattr(entry.text(language), name) for name in QUOTED}
    return {"title": entry.title_in(language), **asks, **sections}
