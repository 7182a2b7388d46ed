"""Snapshots and file safety as Markdown."""

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
    advice = next_step(say("fetch.next_step", language), language)
    return Rendered(headline, details, advice, choices=_next_requests(record.model, language))


def render_safety(result: TurnResult, language: Language, turn: Sequence[TurnResult]) -> Rendered:
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
    lines += _reason_lines(record.findings[:MOST_FINDINGS], language)
    lines += _advisory_lines(record.advisories, language)
    goes_on = record.verdict != "refuse" and turn[-1].tool == result.tool
    advised = say("safety.next_step", language, model=code(record.model)) if goes_on else translate(step, language)
    choices = _next_requests(record.model, language) if goes_on else ()
    advice = (not_checked(record.not_checked, language), next_step(advised, language) if advised else "")
    return Rendered(headline, "\n".join(lines), "\n\n".join(part for part in advice if part), choices=choices)


def _next_requests(model: str, language: Language) -> tuple[str, ...]:
    """What to ask for once the files are there and sound."""
    return tuple(say(f"reading.{tool}", language, model=model) for tool in ("check_version", "profile_model"))


def _reason_lines(findings: Sequence[Any], language: Language) -> list[str]:
    """Why the rules matter that found something, once for each."""
    reasons = {each.rule: each.reason for each in findings if each.reason and each.severity != "note"}
    lines = [
        say("safety.reason", language, rule=rule, reason=translate(reason, language))
        for rule, reason in sorted(reasons.items())
    ]
    return ["", say("safety.why", language), *lines] if lines else []


def _advisory_lines(advisories: Sequence[Any], language: Language) -> list[str]:
    """A line for each vulnerability that matters here or elsewhere, and one for all that are mended here."""
    lines = [
        say(
            "safety.advisory_affected" if each.affected else "safety.advisory_not_known",
            language,
            id=each.id,
            package=each.package,
            installed=each.installed,
            file=code(each.file),
            reason=translate(each.reason, language),
            next_step=translate(each.next_step, language),
        )
        for each in advisories
        if each.affected is not False
    ]
    fixed = ", ".join(each.id for each in advisories if each.affected is False)
    if fixed:
        lines.append(say("safety.advisories_fixed", language, ids=fixed))
    return ["", say("safety.advisories", language), *lines] if lines else []


def _without_rule(found: str, rule: str) -> str:
    """A sentence that the rule's id can follow: no full stop, and not the id already."""
    return found.rstrip(".。").removesuffix(f" (rule {rule})").removesuffix(f"(規則 {rule})")
