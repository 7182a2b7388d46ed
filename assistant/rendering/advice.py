"""Cost, comparison and plan as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import has, say
from assistant.rendering.style import Rendered, next_step, plain, table

if TYPE_CHECKING:
    from assistant.advice.gates import Gate
    from assistant.advice.plan import AdoptionPlan
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
    headline = f"{verdict_text(plan, language)} [{result.evidence_id}]"
    ready = plan.verdict in {"go", "go_with_conditions"}
    parts = [rules_text(plan, language), stages_table(plan, language), *rules_before_start(plan, language)]
    closing = [next_step(say("plan.next_go" if ready else "plan.next_blocked", language), language)]
    if plan.missing_inputs:
        closing.append(say("plan.tell", language, text=_joined("missing", plan.missing_inputs, language)))
    sentence = say("plan.sentence_go" if ready else "plan.sentence_blocked", language, model=plain(plan.model))
    closing.append(say("common.say_it", language, text=sentence))
    closing.append(say("common.not_checked", language, text=_joined("unchecked", plan.not_checked, language)))
    return Rendered(headline, "\n\n".join(parts), "\n\n".join(closing))


def verdict_text(plan: AdoptionPlan, language: Language) -> str:
    """The verdict as a sentence."""
    effect = {"go_with_conditions": "condition", "not_yet": "blocks"}.get(plan.verdict, "")
    return say(f"verdict.{plan.verdict}", language, count=sum(r.effect == effect for r in plan.rules))


def rules_text(plan: AdoptionPlan, language: Language) -> str:
    """The rules that fired, as a list."""
    marks = {"supports": "✓", "condition": "△", "blocks": "✗", "ends": "✗"}
    lines = [say("plan.fired", language)]
    for rule in plan.rules:
        sentence = say(f"rule.{rule.rule}.{rule.effect}", language, value=_found(rule.value, language))
        cited = f" [{rule.evidence}]" if rule.evidence else ""
        lines.append(f"- {marks[rule.effect]} {sentence} ({rule.rule}){cited}")
    return "\n".join(lines)


def stages_table(plan: AdoptionPlan, language: Language) -> str:
    """The stages with their gates."""
    rows = [
        [
            f"**{say(f'stage.{s.name}', language)}** – {say(f'stage.status.{s.status}', language)}",
            say(f"stage.purpose.{s.name}", language),
            say("stage.time.weeks", language, count=s.time_box_weeks)
            if s.time_box_weeks
            else say("stage.time.none", language),
            "<br>".join(gate_text(g, language) for g in s.gates),
            "<br>".join(say(f"stop.{key}", language) for key in s.stop_rules),
        ]
        for s in plan.stages
    ]
    return table(say("plan.columns", language), rows)


def gate_text(gate: Gate, language: Language) -> str:
    """A gate in a line: what is asked, the threshold with its source, state, value and evidence."""
    limit = f"gate.limit.{gate.code}"
    threshold = (
        f" {say(limit, language, limit=gate.threshold)}"
        if has(limit) and any(c.isdigit() for c in gate.threshold)
        else ""
    )
    source = f" ({say(f'gate.threshold.{gate.threshold_source}', language)})" if threshold else ""
    state = say(f"gate.state.{gate.state}", language)
    shown = f"– *{state}*" if gate.state == "missing" else f"{state} {_found(gate.value, language)} [{gate.evidence}]"
    return f"{say(f'gate.{gate.code}', language)}{threshold}{source} {shown}"


def _found(value: str, language: Language) -> str:
    """The value of a gate: a word of the tools in the reader's language, a figure or a name as it is."""
    return say(f"gate.found.{value}", language) if has(f"gate.found.{value}") else plain(value)


def rules_before_start(plan: AdoptionPlan, language: Language) -> list[str]:
    """What to settle, whom to name and what it costs."""
    parts = [
        say("plan.operating", language, text=_joined("operating", plan.operating_rules, language)),
        say("plan.owners", language, text=_joined("owner", plan.owners, language)),
    ]
    return [*parts, say("plan.budget", language, text=plain(plan.budget))] if plan.budget else parts


def _joined(group: str, keys: Sequence[str], language: Language) -> str:
    return say("common.list_joint", language).join(say(f"{group}.{key}", language) for key in keys)
