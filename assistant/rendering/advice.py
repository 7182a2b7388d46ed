"""Cost, comparison and plan as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.money import spoken_amount
from assistant.phrases import say
from assistant.rendering.plan_notes import changes_text, conflicts_text, policy_text
from assistant.rendering.plan_parts import (
    before_text,
    budget_text,
    cited,
    joined,
    monitoring_text,
    rollback_text,
    rule_text,
    rules_text,
    stages_table,
    stop_text,
    time_text,
    verdict_text,
    weighty_rules,
)
from assistant.rendering.style import Rendered, code, next_step, plain, table

if TYPE_CHECKING:
    from assistant.advice.plan_records import AdoptionPlan
    from assistant.rendering.results import TurnResult


def render_comparison(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `compare_models`."""
    record: Any = result.record
    headline = say("compare.headline", language, count=len(record.models), id=result.evidence_id)
    rows = [
        [
            say(f"compare.row.{key}", language),
            *(_cell(getattr(m, field), pattern, language) + _range_of(m, field, pattern) for m in record.models),
        ]
        for key, field, pattern in (
            ("parameters", "parameters", "{:,}"),
            ("forecast", "forecast_mib", "{:,.0f}"),
            ("peak", "peak_memory_mib", "{:,.0f}"),
            ("latency", "latency_p50_ms", "{:,.1f}"),
            ("throughput", "throughput_per_s", "{:,.1f}"),
            ("licence", "licence", "{}"),
            ("card", "card_score", "{:.0%}"),
        )
    ]
    header = "| | " + " | ".join(plain(m.model) for m in record.models) + " |"
    notes = []
    if record.not_measured:
        notes.append(say("compare.missing", language, names=_names(record.not_measured)))
    if record.dominated:
        notes.append(say("compare.dominated", language, names=_names(record.dominated)))
    notes += [_undecided(pair, language) for pair in record.undecided]
    settings = ", ".join(f"{at.batch_size} × {at.sequence_length}" for at in record.compared_at)
    basis = say("compare.basis", language, settings=settings) if settings else ""
    again = [name for pair in record.undecided for name in (pair.first, pair.second)]
    measure = dict.fromkeys([*record.not_measured, *again])
    choices = tuple(say("reading.profile_model", language, model=m) for m in [*measure][:2])
    intervals = say("compare.intervals", language) if any(m.latency_p50_range for m in record.models) else ""
    details = "\n\n".join(p for p in (table(header, rows), basis, intervals) if p)
    return Rendered(headline, details, "\n\n".join(notes), choices=choices)


def _undecided(pair: Any, language: Language) -> str:
    figures = say("compare.figures_joint", language).join(say(f"compare.figure.{f}", language) for f in pair.figures)
    return say(
        f"compare.undecided.{pair.reason}", language,
        first=plain(pair.first), second=plain(pair.second), figures=figures,
    )  # fmt: skip


def _range_of(row: Any, field: str, pattern: str) -> str:
    interval = {"latency_p50_ms": row.latency_p50_range, "throughput_per_s": row.throughput_range}.get(field)
    return f" ({pattern.format(interval.low)}–{pattern.format(interval.high)})" if interval else ""


def _names(models: Sequence[str]) -> str:
    return ", ".join(plain(model) for model in models)


def _cell(value: Any, pattern: str, language: Language) -> str:
    return say("common.unknown", language) if value is None else plain(pattern.format(value))


def render_plan(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `plan_adoption`."""
    plan: Any = result.record
    version = f" {say('plan.version', language, version=plan.version)}" if plan.version > 1 else ""
    stage = plan.stage(plan.next_stage)
    # A list right above a table would swallow it.
    parts = [
        changes_text(plan, language),
        rules_text(plan, language),
        policy_text(plan, language),
        conflicts_text(plan, language),
        stages_table(plan, language),
        *before_text(stage, language),
        _timing(plan, language),
    ]
    deeper = [rollback_text(stage, language), monitoring_text(stage, language), _pins(plan, language)]
    return Rendered(
        headline=f"{verdict_text(plan, language)}{version} [{result.evidence_id}]",
        details="\n\n".join(part for part in parts if part),
        deeper="\n\n".join(part for part in deeper if part),
        advice="\n\n".join(_closing(plan, language)),
        points=_points(plan, language),
    )


def _points(plan: AdoptionPlan, language: Language) -> str:
    """Three points for a manager: what weighs most, what comes next and costs, when it ends."""
    weighty = weighty_rules(plan) or list(plan.rules[:1])
    stage = plan.stage(plan.next_stage)
    reasons = (f"{rule_text(rule, plan, language)}{cited(rule)}" for rule in weighty[:3])
    reason = say("plan.point_reason", language, text=say("common.list_joint", language).join(reasons))
    effort = say(
        "plan.point_effort", language, stage=say(f"stage.{stage.name}", language), time=time_text(stage, language),
        budget=budget_text(stage.budget, language),
    )  # fmt: skip
    stops = say("common.list_joint", language).join(stop_text(rule, language) for rule in stage.stop_rules)
    points = "\n".join(
        f"{i}. {each}" for i, each in enumerate((reason, effort, say("plan.point_stop", language, text=stops)), 1)
    )
    return "\n\n".join(part for part in (points, policy_text(plan, language, most=3)) if part)


def next_of_plan(plan: AdoptionPlan, language: Language) -> list[str]:
    """The next step, and what to tell so that the plan gets sharper."""
    stage = say(f"stage.{plan.next_stage}", language)
    first = plan.next_stage == "proof_of_concept"
    next_key = (
        ("next_go" if first else "next_later")
        if plan.may_go_on
        else "next_no"
        if plan.verdict == "no"
        else "next_blocked"
    )
    found = [next_step(say(f"plan.{next_key}", language, stage=stage), language)]
    if plan.missing_inputs:
        found.append(say("plan.tell", language, text=joined("missing", plan.missing_inputs, language)))
    return found


def _closing(plan: AdoptionPlan, language: Language) -> list[str]:
    stage = say(f"stage.{plan.next_stage}", language)
    first = plan.next_stage == "proof_of_concept"
    closing = next_of_plan(plan, language)
    said = ("sentence_go" if first else "sentence_later") if plan.may_go_on else "sentence_blocked"
    weeks = plan.stage(plan.next_stage).time_box_weeks
    sentence = say(f"plan.{said}", language, model=plain(plan.model), weeks=weeks, stage=stage)
    closing.append(say("common.say_it", language, text=sentence))
    if plan.assumptions:
        assumed = (
            say(f"assumption.{a.code}", language, value=spoken_amount(plain(a.value), language))
            for a in plan.assumptions
        )
        closing.append(say("plan.assumed", language, text=say("common.list_joint", language).join(assumed)))
    closing.append(say("common.not_checked", language, text=joined("unchecked", plan.not_checked, language)))
    return closing


def _timing(plan: AdoptionPlan, language: Language) -> str:
    """Whether the deadline can be kept; empty when there is none, or nothing to say."""
    timing = plan.timing
    if timing.deadline is None:
        return ""
    deadline = timing.deadline.isoformat()
    if timing.fits:
        return say("plan.shortened", language, deadline=deadline) if timing.shortened else ""
    reached = (
        say("plan.late_reached", language, stage=say(f"stage.{timing.reached}", language))
        if timing.reached
        else say("plan.late_nothing", language)
    )
    return say("plan.late", language, deadline=deadline, weeks=timing.weeks, reached=reached)


def _pins(plan: AdoptionPlan, language: Language) -> str:
    """What to write down exactly, the single files left to the lock."""
    shown = [pin for pin in plan.pins if pin.kind not in {"file"}]
    text = say("common.list_joint", language).join(
        f"{say(f'pin.{pin.kind}', language)} {f'`{code(pin.name)}` ' if pin.name else ''}"
        f"{f'`{code(pin.value[:19])}`' if pin.value else say('pin.absent', language)}"
        for pin in shown
    )
    return say("pin.head", language, text=text)
