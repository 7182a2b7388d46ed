"""Guidance passages as an answer: the closest one in full, points from others, a next step, a sentence to say, sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.grounding import split_sentences
from assistant.languages import Language
from assistant.llm.turn_schema import MODEL_TOOLS
from assistant.phrases import say
from assistant.rendering.style import Rendered, code, next_step
from assistant.rendering.team_policy import with_policy
from assistant.turn_events import Citation

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

MEETING_ENTRY = "G03"
"""The entry whose answer is the three sentences themselves."""
_LEAST_OPENING: dict[Language, int] = {"en": 60, "ja": 30}
"""Characters with which a point says something."""


def render_guidance(result: TurnResult, language: Language, turn: Sequence[TurnResult]) -> Rendered:
    """Passages of `search_guidance`: the team's own documents first, then the guidance."""
    beside = [each.tool for each in turn if each is not result]
    return with_policy(_general(result, language, beside), result.record, language)


def _general(result: TurnResult, language: Language, beside: Sequence[str]) -> Rendered:
    """The answer from the guidance; `beside` are the tools that spoke in the same turn."""
    record: Any = result.record
    if not record.passages:
        advice = next_step(say("policy.add_documents", language), language)
        return Rendered(headline=say("guidance.nothing", language), advice=advice)
    if record.passages[0].section == "say":
        return _in_short(record)
    if record.passages[0].section == "sources":
        return Rendered(headline=_sources(record, language, in_full=True), citations=_citations(record))
    if record.passages[0].entry == MEETING_ENTRY and record.passages[0].section == "what":
        return _sentences_for_a_meeting(record, language)
    first, *others = record.passages
    points = "\n".join(
        f"{i}. **{p.title}** — {_opening(p.quote, language)} [{p.entry}]" for i, p in enumerate(others, start=1)
    )
    checks = _checks([tool for tool in first.tools if tool not in beside], result.spoken_of, language)
    phrase = "guidance.next_check" if checks else "guidance.next_step"
    # What spoke beside it has told a next step already.
    closing = [] if beside else [next_step(say(phrase, language, model=code(result.spoken_of)), language)]
    if first.sentence_to_say:
        closing.append(say("common.say_it", language, text=first.sentence_to_say))
    closing.append(_sources(record, language))
    return Rendered(
        headline="\n\n".join(part for part in (f"{first.quote} [{first.entry}]", points) if part),
        advice="\n\n".join(closing),
        citations=_citations(record),
        choices=checks,
    )


def _checks(tools: Sequence[str], model: str, language: Language) -> tuple[str, ...]:
    """Requests that check, for the model spoken of, what the closest entry says to check."""
    named = [tool for tool in tools if tool in MODEL_TOOLS] if model else []
    # A plan is more than a check: it is offered where nothing smaller answers.
    named = [tool for tool in named if tool != "plan_adoption"] or named
    return tuple(say(f"reading.{tool}", language, model=model) for tool in named)


def _opening(quote: str, language: Language) -> str:
    """The first sentence, with the next where it says too little by itself."""
    told = ""
    for sentence in split_sentences(quote.partition("\n")[0]):
        told += sentence
        if len(told.strip()) >= _LEAST_OPENING[language]:
            break
    return told.strip()


def meeting_principles(language: Language) -> list[str]:
    """The three sentences for a meeting, without figures."""
    return [say(f"meeting.{name}", language) for name in ("small", "measure", "rules")]


def _in_short(record: Any) -> Rendered:
    """A sentence of each entry that was shown."""
    lines = "\n".join(f"- {passage.quote} [{passage.entry}]" for passage in record.passages)
    return Rendered(headline=lines, citations=_citations(record))


def _sentences_for_a_meeting(record: Any, language: Language) -> Rendered:
    first = record.passages[0]
    only = record.model_copy(update={"passages": (first,)})
    lines = "\n".join(f"{i}. {each}" for i, each in enumerate(meeting_principles(language), 1))
    return Rendered(
        headline=f"{lines}\n\n{first.quote} [{first.entry}]",
        advice=_sources(only, language),
        citations=_citations(only),
    )


def _sources(record: Any, language: Language, *, in_full: bool = False) -> str:
    practice = say("common.practice", language)
    named = [(p.source if in_full and p.references else "; ".join(p.references)) or practice for p in record.passages]
    lines = [f"\n- {p.entry} {p.title} — {source}" for p, source in zip(record.passages, named, strict=True)]
    return say("common.sources", language, text="").rstrip() + "".join(lines)


def _citations(record: Any) -> tuple[Citation, ...]:
    return tuple(Citation(id=p.entry, title=p.title, source=p.source) for p in record.passages)
