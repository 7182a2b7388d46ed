"""Guidance passages as an answer: points with citations, a next step, a sentence to say, sources that open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, next_step
from assistant.turn_events import Citation

if TYPE_CHECKING:
    from assistant.briefing import TurnResult

MEETING_ENTRY = "G03"
"""The entry whose answer is the three sentences themselves."""


def render_guidance(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """Passages of `search_guidance`."""
    record: Any = result.record
    if not record.passages:
        return Rendered(headline=say("guidance.nothing", language))
    if record.passages[0].entry == MEETING_ENTRY:
        return _sentences_for_a_meeting(record, language)
    points = "\n".join(f"{i}. **{p.title}** — {p.quote} [{p.entry}]" for i, p in enumerate(record.passages, start=1))
    spoken = record.passages[0].sentence_to_say
    closing = [next_step(say("guidance.next_step", language), language)]
    if spoken:
        closing.append(say("common.say_it", language, text=spoken))
    closing.append(_sources(record, language))
    return Rendered(headline=points, advice="\n\n".join(closing), citations=_citations(record))


def _sentences_for_a_meeting(record: Any, language: Language) -> Rendered:
    first = record.passages[0]
    lines = "\n".join(
        f"{i}. {say(f'meeting.{name}', language)}" for i, name in enumerate(("small", "measure", "rules"), 1)
    )
    return Rendered(
        headline=f"{lines}\n\n{first.quote} [{first.entry}]",
        advice=_sources(record, language),
        citations=_citations(record)[:1],
    )


def _sources(record: Any, language: Language) -> str:
    listed = [f"{p.entry} {p.title} ({p.source})" for p in record.passages]
    return say("common.sources", language, text=say("common.list_joint", language).join(listed))


def _citations(record: Any) -> tuple[Citation, ...]:
    return tuple(Citation(id=p.entry, title=p.title, source=p.source) for p in record.passages)
