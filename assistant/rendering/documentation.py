"""Documentation and licence as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering import licences
from assistant.rendering.style import Rendered, code, inline, next_step, not_checked, plain
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

MOST_QUOTES = 3
_MOST_CONFIRMED = 6


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
    licence = record.licence
    details = [
        _states(record, "missing", language),
        _states(record, "unfilled", language),
        _gap(record, language),
        _contradictions(record, language),
        _confirmations(record, language),
        licences.licence_name(licence, language),
        licences.changes(licence, language),
        licences.use_answers(licence, language),
        licences.strictest(licence, language),
        licences.allow_list(licence, language),
        _quotes(record, language),
    ]
    deeper = [
        _score(record, language),
        _needs(record, language),
        _claims(record, language),
        licences.lineage(licence, language),
        licences.duties(licence, language),
    ]
    advice = [
        next_step(say("documentation.next_step", language), language),
        not_checked(record.not_checked, language),
    ]
    return Rendered(
        headline,
        _paragraphs(details),
        _paragraphs(advice),
        points=_points(record, language),
        deeper=_paragraphs(deeper),
    )


def _paragraphs(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _points(record: Any, language: Language) -> str:
    """For a manager: whether it may be used, whether the card can be trusted, and what to find out first."""
    wrong = sum(c.verdict == "contradicted" for c in record.claims)
    right = sum(c.verdict == "confirmed" for c in record.claims)
    trust = (
        say("documentation.contradictions", language, count=wrong)
        if wrong
        else say("documentation.no_contradictions", language, count=right)
    )
    licence = record.licence
    return _paragraphs(
        [
            licences.licence_name(licence, language),
            licences.use_answers(licence, language),
            trust,
            _contradictions(record, language),
            _gap(record, language),
        ]
    )


def _score(record: Any, language: Language) -> str:
    percent = round(100 * record.score)
    if record.use_score is None:
        return say("documentation.score", language, percent=percent)
    return say("documentation.use_score", language, percent=percent, use_percent=round(100 * record.use_score))


def _gap(record: Any, language: Language) -> str:
    if not record.most_important_gap:
        return ""
    reason = translate(record.gap_reason or "", language)
    name = inline(translate(record.most_important_gap, language))
    return say("documentation.gap", language, name=name, reason=reason).strip()


def _needs(record: Any, language: Language) -> str:
    lines = [
        say(
            "documentation.need_missing",
            language,
            wants=inline(translate(n.wants, language)),
            reason=translate(n.reason, language),
        )
        if n.quote is None
        else say(
            "documentation.need_found",
            language,
            wants=inline(translate(n.wants, language)),
            line=n.line,
            quote=plain(n.quote, 100),
        )
        for n in record.needs
    ]
    return "\n".join([say("documentation.needs", language), *lines]) if lines else ""


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
            fact=inline(translate(c.fact or "", language), 120),
        )
        for c in record.claims
        if c.verdict == "contradicted"
    )


def _confirmations(record: Any, language: Language) -> str:
    confirmed = [
        f"{_topic(c, language)} {inline(translate(c.fact or '', language), 60)}"
        for c in record.claims
        if c.verdict == "confirmed"
    ]
    joined = say("common.list_joint", language).join(confirmed[:_MOST_CONFIRMED])
    return say("documentation.confirmed", language, topics=joined) if confirmed else ""


def _claims(record: Any, language: Language) -> str:
    """Every claim beside its fact, both quoted."""
    if not record.claims:
        return ""
    head = say("documentation.claims_head", language)
    rows = [
        say(
            "documentation.claim_row",
            language,
            topic=_topic(c, language),
            claim=_quoted_claim(c, language),
            fact=f"{plain(translate(c.fact, language), 120)} (`{code(c.fact_source or '')}`)" if c.fact else "–",
            verdict=say(f"documentation.verdict.{c.verdict}", language),
        )
        for c in record.claims
    ]
    return "\n".join([say("documentation.claims", language), "", head, "|---|---|---|---|", *rows])


def _quoted_claim(claim: Any, language: Language) -> str:
    text = plain(claim.claim, 120)
    if claim.claim_line is None:
        return say("documentation.claim_no_line", language, claim=text)
    return say("documentation.claim_line", language, line=claim.claim_line, claim=text)


def _topic(claim: Any, language: Language) -> str:
    return translate(claim.topic.replace("_", " "), language)
