"""The stages of a plan in a report: gates, time, budget, people, rules, stopping, going back, watching."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.advice.plan_records import Gate, Stage, Status
from assistant.advice.reporting.content import (
    Block,
    Column,
    Fact,
    Facts,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    capital,
    cite,
    cited,
    name,
    quoted,
)
from assistant.advice.reporting.material import Material
from assistant.advice.reporting.wording import (
    acts_from,
    amount_of,
    found_words,
    gate_name,
    joined,
    must_be,
    set_by,
    stop_sentence,
    words,
)
from assistant.languages import Language
from assistant.phrases import say

_STATUS_TONES: dict[Status, Tone] = {
    "done": "good",
    "ready": "good",
    "next": "warn",
    "open": "warn",
    "later": "",
    "stopped": "bad",
}
_GATE_TONES: dict[str, Tone] = {"passed": "good", "failed": "bad", "missing": "open", "no_limit": "open"}


def stages_section(material: Material) -> Section:
    """All stages, after an overview of them."""
    plan, language = material.plan, material.language
    rows = tuple(
        Row(
            cells=(
                capital(say(f"stage.{stage.name}", language)),
                say(f"stage.status.{stage.status}", language),
                _time(stage, material),
                amount_of(stage.budget, language),
                _count(stage, material),
            ),
            tone=_STATUS_TONES[stage.status],
        )
        for stage in plan.stages
    )
    overview = Table(
        caption=say("report.stages.overview", language),
        columns=tuple(
            Column(title=say(f"report.column.{key}", language)) for key in ("stage", "state", "time", "budget", "gates")
        ),
        rows=rows,
    )
    return Section(
        id="stages",
        title=say("report.section.stages", language),
        blocks=(overview, *_timing(material)),
        parts=tuple(_stage(stage, material) for stage in plan.stages),
    )


def _timing(material: Material) -> Iterator[Block]:
    timing, language = material.plan.timing, material.language
    if timing.deadline is None:
        yield Paragraph(text=say("report.timing.no_deadline", language, weeks=timing.weeks))
        return
    reached = say(f"stage.{timing.reached}", language) if timing.reached else say("report.timing.none", language)
    key = "fits" if timing.fits else "too_short"
    yield Paragraph(
        text=say(
            f"report.timing.{key}", language, deadline=timing.deadline.isoformat(), weeks=timing.weeks, reached=reached
        )
    )
    if timing.shortened:
        yield Paragraph(text=say("report.timing.shortened", language), role="note")


def _time(stage: Stage, material: Material) -> str:
    language = material.language
    text = (
        say("report.stage.weeks", language, count=stage.time_box_weeks)
        if stage.time_box_weeks
        else say("report.stage.no_end", language)
    )
    if stage.latest_end is not None:
        text += say("report.stage.latest", language, day=stage.latest_end.isoformat())
    return text


def _count(stage: Stage, material: Material) -> str:
    counts = {state: sum(gate.state == state for gate in stage.gates) for state in ("passed", "failed")}
    unanswered = sum(gate.is_open for gate in stage.gates)
    return say("report.stage.gate_count", material.language, **counts, missing=unanswered)


def _stage(stage: Stage, material: Material) -> Section:
    language = material.language
    title = capital(say(f"stage.{stage.name}", language))
    return Section(
        id=f"stage-{stage.name.replace('_', '-')}",
        title=title,
        badge=say(f"stage.status.{stage.status}", language),
        tone=_STATUS_TONES[stage.status],
        blocks=tuple(
            [
                _about(stage, material),
                *_closed(stage, material),
                *_gates(stage, material),
                _rules(stage, material),
                *_monitoring(stage, material),
            ]
        ),
    )


def _about(stage: Stage, material: Material) -> Facts:
    language = material.language
    rows = [
        ("purpose", words(f"stage.purpose.{stage.purpose}", language)),
        ("scope", words(f"stage.scope.{stage.scope}", language)),
        ("limit", words(f"stage.limit.{stage.limit}", language)),
        ("time", _time(stage, material) + _phases(stage, material)),
        ("budget", _budget(stage, material)),
        ("roles", _roles(stage, material)),
    ]
    return Facts(rows=tuple(Fact(label=say(f"report.stage.{key}", language), text=text) for key, text in rows if text))


def _phases(stage: Stage, material: Material) -> str:
    if not stage.phases:
        return ""
    parts = [words(f"phase.{phase.code}", material.language, weeks=phase.weeks) for phase in stage.phases]
    return f" ({' + '.join(parts)})"


def _budget(stage: Stage, material: Material) -> str:
    amount, basis = amount_of(stage.budget, material.language), stage.budget.basis
    return f"{amount} ({words(f'budget.basis.{basis}', material.language)})" if basis else amount


def _roles(stage: Stage, material: Material) -> str:
    language = material.language
    named = [
        say(
            "report.stage.role", language, role=words(f"role.{role.code}", language),
            who=f"{quoted(role.name, 120)} {cite(role.source)}".strip() or say("report.stage.to_be_named", language),
        )
        for role in stage.roles
    ]  # fmt: skip
    return joined(named, language)


def _closed(stage: Stage, material: Material) -> Iterator[Block]:
    closing, language = stage.closing, material.language
    if closing is None:
        return
    yield Paragraph(
        text=say(
            f"report.closed.{closing.decision}", language, by=quoted(closing.by, 120), on=closing.on.isoformat(),
            id=cite(closing.decision_id),
        )
    )  # fmt: skip
    if closing.unmet:
        names = joined([gate_name(code, language) for code in closing.unmet], language)
        yield Paragraph(text=say("report.closed.unmet", language, gates=names))
    if closing.reason:
        yield Paragraph(text=say("report.closed.reason", language, reason=quoted(closing.reason)))


def _gates(stage: Stage, material: Material) -> Iterator[Block]:
    for when in ("entry", "exit"):
        gates = stage.gates_of(when)
        if not gates:
            continue
        yield Table(
            caption=say(f"report.gates.{when}", material.language),
            columns=tuple(
                Column(title=say(f"report.column.{key}", material.language))
                for key in ("gate", "must_be", "set_by", "value", "state", "evidence")
            ),
            rows=tuple(_gate(gate, material) for gate in gates),
        )


def _gate(gate: Gate, material: Material) -> Row:
    language = material.language
    return Row(
        cells=(
            capital(gate_name(gate.code, language)),
            must_be(gate, material.plan, language),
            set_by(gate.threshold_source, gate.source, language),
            found_words(gate.value, language),
            _state(gate, language),
            cite(gate.evidence),
        ),
        tone=_GATE_TONES[gate.state],
    )


def _state(gate: Gate, language: Language) -> str:
    """Whether it holds; of an open one, who or what finds out, or that it lacks a limit."""
    if gate.state == "no_limit":
        return say("report.gates.no_limit" if gate.limit is None else "report.gates.baseline", language)
    if gate.state != "missing":
        return say(f"report.gates.{gate.state}", language)
    by_tool = gate.answered_by not in {"", "team"}
    who = say(f"tool.{gate.answered_by}", language) if by_tool else say("report.gates.team", language)
    return say("report.gates.missing", language, who=who)


def _rules(stage: Stage, material: Material) -> Facts:
    """What to settle before, when to stop, and how to go back."""
    language = material.language
    operating = [f"{words(f'operating.{rule.code}', language)}{cited(rule.source)}" for rule in stage.operating_rules]
    stops = [stop_sentence(rule, language) for rule in stage.stop_rules]
    steps = [words(f"rollback.{step}", language) for step in stage.rollback]
    rows = (("operating", operating), ("stop", stops), ("rollback", steps))
    return Facts(
        rows=tuple(
            Fact(label=say(f"report.stage.{key}", language), text=joined(parts, language))
            for key, parts in rows
            if parts
        )
    )


def _monitoring(stage: Stage, material: Material) -> Iterator[Block]:
    language = material.language
    if not stage.monitoring:
        return
    rows = tuple(
        Row(
            cells=(
                capital(words(f"watch.{trigger.code}", language)),
                f"{found_words(trigger.baseline, language)} {cite(trigger.evidence)}".strip()
                if trigger.baseline
                else "",
                acts_from(trigger, language),
                set_by(trigger.threshold_source, trigger.source, language),
                words(f"watch.action.{trigger.action}", language)
                + (f" {name(trigger.command)}" if trigger.command else ""),
            )
        )
        for trigger in stage.monitoring
    )
    yield Table(
        caption=say("report.stage.monitoring", language),
        columns=tuple(
            Column(title=say(f"report.column.{key}", language))
            for key in ("watched", "now", "threshold", "set_by", "action")
        ),
        rows=rows,
    )
