"""Passages: the pieces of entries that are indexed and quoted."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from knowledge.entry import Entry, Language


class IndexedText(BaseModel):
    """One searchable text of an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Entry id, language and piece."""
    entry: str
    language: Language
    text: str


def indexed_texts(entries: Iterable[Entry]) -> list[IndexedText]:
    """What the index holds of these entries: title and each wording alone, and the sections."""
    found: list[IndexedText] = []
    for entry in entries:
        for language in ("en", "ja"):
            title = getattr(entry.title, language)
            pieces = {"title": title}
            pieces |= {f"ask{i}": ask for i, ask in enumerate(getattr(entry.asks, language))}
            pieces |= {name: f"{title}\n{entry.sections[language][name]}" for name in ("what", "why", "check")}
            found += [
                IndexedText(id=f"{entry.id}.{language}.{name}", entry=entry.id, language=language, text=text)
                for name, text in pieces.items()
            ]
    return found


def source_text(entry: Entry) -> str:
    """The sources of an entry as a citation; `practice` when there are none."""
    return (
        "; ".join(
            f"{s.title}{f', {s.where}' if s.where else ''}{f': {s.scope}' if s.scope else ''}" for s in entry.sources
        )
        or "practice"
    )
