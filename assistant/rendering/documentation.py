"""Documentation and licence as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, code, next_step, not_checked, plain
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

MOST_QUOTES = 3


def render_documentation(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `check_documentation`."""
    record: Any = result.record
    if record.card_file is None:
        headline = say("documentation.no_card", language, id=result.evidence_id)
    else:
        filled = sum(s.state == "filled" for s in record.sections)
        headline = say(
            "documentation.headline", language, filled=filled, count=len(record.sections), id=result.evidence_id
        )
    parts = [_states(record, "missing", language), _states(record, "unfilled", language)]
    if record.most_important_gap:
        parts.append(say("documentation.gap", language, name=translate(record.most_important_gap, language)))
    parts += [_contradictions(record, language), _confirmations(record, language), _licence(record, language)]
    parts.append(_quotes(record, language))
    advice = [
        next_step(say("documentation.next_step", language), language),
        not_checked(record.not_checked, language),
    ]
    return Rendered(headline, "\n\n".join(p for p in parts if p), "\n\n".join(p for p in advice if p))


def _states(record: Any, state: str, language: Language) -> str:
    names = [translate(s.name, language) for s in record.sections if s.state == state]
    joined = say("common.list_joint", language).join(names)
    return say(f"documentation.{state}", language, names=joined) if names else ""


def _quotes(record: Any, language: Language) -> str:
    quoted = []
    for section in record.sections:
        # The first line is the heading, which the section's name says already.
        pairs = [
            (n, t)
            for n, t in zip(section.line_numbers, section.lines, strict=False)
            if t.strip() and not t.startswith("#")
        ]
        if section.state == "filled" and pairs:
            line, text = pairs[0]
            name = translate(section.name, language)
            quoted.append(say("documentation.quote", language, name=name, line=line, text=plain(text, 160)))
    return "\n".join(quoted[:MOST_QUOTES])


def _contradictions(record: Any, language: Language) -> str:
    return "\n".join(
        say(
            "documentation.contradicted",
            language,
            topic=_topic(c, language),
            claim=plain(c.claim, 160),
            source=code(translate(c.fact_source or "", language)),
            fact=plain(translate(c.fact or "", language), 120),
        )
        for c in record.claims
        if c.verdict == "contradicted"
    )


def _confirmations(record: Any, language: Language) -> str:
    confirmed = [
        f"{_topic(c, language)} {plain(translate(c.fact or '', language), 60)}"
        for c in record.claims
        if c.verdict == "confirmed"
    ]
    joined = say("common.list_joint", language).join(confirmed)
    return say("documentation.confirmed", language, topics=joined) if confirmed else ""


def _topic(claim: Any, language: Language) -> str:
    return translate(claim.topic.replace("_", " "), language)


def _licence(record: Any, language: Language) -> str:
    licence = record.licence
    return say(
        "documentation.licence",
        language,
        name=plain(licence.spdx or licence.tag or say("common.unknown", language)),
        agreement=say(f"documentation.agreement.{licence.agreement}", language),
        note=translate(licence.note, language),
    )
