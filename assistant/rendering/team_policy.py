"""What the team's own documents say, as an answer shows it: first, as quotes with their places, and where guidance differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, next_step, plain
from assistant.turn_events import Citation
from knowledge.documents.cutting import sentences

if TYPE_CHECKING:
    from knowledge.documents.search import PolicyPassage

LONGEST_FIRST, LONGEST_OTHER = 600, 240
"""Characters that are shown of the closest passage, and of each of the others."""


def with_policy(general: Rendered, record: Any, language: Language) -> Rendered:
    """An answer from the guidance with the team's policy above it.

    Args:
        general: The answer from the guidance.
        record: The record of `search_guidance`.
        language: Language of the answer.
    """
    passages: tuple[PolicyPassage, ...] = record.team_passages
    if not passages:
        return general
    parts = [say("policy.heading", language)]
    parts += [_quoted(passage, LONGEST_OTHER if i else LONGEST_FIRST, language) for i, passage in enumerate(passages)]
    parts += [
        say(
            "policy.conflict", language,
            policy=plain(c.policy), document=c.document, guidance=plain(c.guidance), entry=c.entry,
        )
        for c in record.conflicts
    ]  # fmt: skip
    advice = general.advice
    if record.passages:
        parts += [say("policy.general", language), general.headline]
    else:
        parts.append(say("policy.no_guidance", language))
        advice = next_step(say("policy.next_step", language), language)
    return Rendered(
        headline="\n\n".join(parts),
        details=general.details,
        advice=advice,
        citations=(*_citations(passages), *general.citations),
        choices=general.choices,
    )


def _quoted(passage: PolicyPassage, longest: int, language: Language) -> str:
    lines = [f"> {_harmless(line)}" for line in _window(passage, longest).split("\n") if line.strip()]
    title, place = plain(passage.title), plain(passage.place)
    source = say("policy.from", language, title=title, place=place) if place else title
    return "\n>\n".join(["\n".join(f"{line}  " for line in lines).rstrip(), f"> — {source} [{passage.document}]"])


def _window(passage: PolicyPassage, longest: int) -> str:
    """The passage, or as much around its closest sentence as there is room for; what is left out is marked."""
    if len(passage.quote) <= longest:
        return passage.quote
    parts = sentences(passage.quote)
    centre = next((i for i, part in enumerate(parts) if part.strip() == passage.sentence), 0)
    first, last = centre, centre + 1
    while True:
        # What follows explains more often than what came before.
        room = longest - sum(len(part) for part in parts[first:last])
        if last < len(parts) and len(parts[last]) <= room:
            last += 1
        elif first > 0 and len(parts[first - 1]) <= room:
            first -= 1
        else:
            break
    text = "".join(parts[first:last]).strip()
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return f"{'… ' if first else ''}{text}{' …' if last < len(parts) else ''}"


def _harmless(line: str) -> str:
    """A line of a quote in which nothing acts as Markdown, at its beginning neither."""
    text = plain(line, LONGEST_FIRST + 20)
    return re.sub(r"^(\d+)(?=[.)])", r"\1\\", text) if text[:1].isdigit() else re.sub(r"^(?=[-+=])", r"\\", text)


def _citations(passages: tuple[PolicyPassage, ...]) -> tuple[Citation, ...]:
    places: dict[str, list[str]] = {}
    for passage in passages:
        places.setdefault(passage.document, []).append(passage.place)
    titles = {passage.document: passage.title for passage in passages}
    return tuple(
        Citation(id=id, title=titles[id], source="; ".join(dict.fromkeys(place for place in found if place)))
        for id, found in places.items()
    )
