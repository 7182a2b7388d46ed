"""Snapshots, file safety, versions and documentation as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, bytes_size, code, next_step, not_checked, plain
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

MOST_FINDINGS = 8
MOST_QUOTES = 3


def render_snapshot(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `fetch_model`."""
    record: Any = result.record
    headline = say(
        "fetch.headline",
        language,
        model=code(record.model),
        count=len(record.files),
        size=bytes_size(record.total_bytes),
        commit=record.commit[:19],
        id=result.evidence_id,
    )
    details = say(f"fetch.source_{record.source}", language)
    choices = tuple(say(f"reading.{t}", language, model=record.model) for t in ("check_version", "profile_model"))
    return Rendered(headline, details, next_step(say("fetch.next_step", language), language), choices=choices)


def render_safety(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `inspect_files`."""
    record: Any = result.record
    headline = say(f"safety.{record.verdict}", language, count=record.files_checked, id=result.evidence_id)
    # The worst finding comes first; what to do about it is what to do next, and is not said twice.
    step = record.findings[0].next_step if record.verdict == "refuse" else ""
    lines = [
        say(
            "safety.finding",
            language,
            file=code(f.file),
            found=_without_rule(plain(translate(f.found, language)), f.rule),
            rule=f.rule,
            next_step="" if f.next_step == step else translate(f.next_step, language),
        ).rstrip()
        for f in record.findings[:MOST_FINDINGS]
    ]
    advice = [next_step(translate(step, language), language)] if step else []
    advice.append(not_checked(record.not_checked, language))
    return Rendered(headline, "\n".join(lines), "\n\n".join(part for part in advice if part))


def _without_rule(found: str, rule: str) -> str:
    """A sentence that the rule's id can follow: no full stop, and not the id already."""
    return found.rstrip(".。").removesuffix(f" (rule {rule})").removesuffix(f"(規則 {rule})")


def render_version(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `check_version`."""
    record: Any = result.record
    headline = say(
        "version.headline", language, model=code(record.model), commit=code(record.commit), id=result.evidence_id
    )
    lines = [say("version.pinned" if record.pinned else "version.not_pinned", language)]
    if record.newest_commit == record.commit:
        lines.append(say("version.newest", language))
    elif record.newest_commit and record.behind:
        lines.append(say("version.behind", language, newest=record.newest_commit[:12], count=record.behind))
    elif record.newest_commit:
        lines.append(say("version.behind_unknown", language, newest=record.newest_commit[:12]))
    changes = "\n".join(
        say(
            "version.change",
            language,
            kind=translate(c.kind.replace("_", " "), language),
            file=code(c.file),
            description=plain(translate(c.description, language)),
            retest=translate(c.retest, language),
        )
        for c in record.changes[:MOST_FINDINGS]
    )
    unknown = say("common.unknown", language)
    library = say(
        "version.library",
        language,
        written=code(record.library.written_with or unknown),
        installed=record.library.installed or unknown,
        note=translate(record.library.note, language),
    )
    lineage = (
        say("version.lineage", language, models=", ".join(code(m) for m in record.lineage)) if record.lineage else ""
    )
    advisories = [translate(each, language) for each in record.advisories]
    details = "\n\n".join(p for p in (" ".join(lines), changes, library, lineage, *advisories) if p)
    advice = "\n\n".join(
        p for p in (next_step(say("version.next_step", language), language), not_checked(record.unknown, language)) if p
    )
    return Rendered(headline, details, advice)


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
