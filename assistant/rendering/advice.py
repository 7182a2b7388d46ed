"""Cost, comparison and plan as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import has, say
from assistant.rendering.style import Rendered, next_step, plain, table
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.advice.gates import Gate
    from assistant.advice.plan import AdoptionPlan
    from assistant.briefing import TurnResult


def render_cost(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `estimate_cost`."""
    record: Any = result.record
    basis = say(
        "cost.basis",
        language,
        throughput=record.throughput_per_s,
        unit=translate(record.unit, language),
        batch=record.batch_size,
        profile=record.profile_evidence,
        busy=record.busy_percent or 0,
    )
    priced = [o for o in record.options if o.cost_per_month is not None]
    if not priced:
        headline = say(
            "cost.missing",
            language,
            capacity=record.capacity_per_day,
            utilisation=40,
            profile=record.profile_evidence,
        )
        return Rendered(headline, basis if record.busy_percent else "", next_step(say("cost.ask", language), language))
    months = [o.cost_per_month for o in priced]
    headline = say(
        "cost.headline",
        language,
        currency=plain(record.currency),
        amount=_range(min(months), max(months), language),
        requests=record.requests_per_day,
        price=record.price_per_hour,
        id=result.evidence_id,
    )
    rows = [
        [
            f"{100 * o.utilisation:.0f} %",
            str(o.devices),
            f"{o.cost_per_day:,.2f}",
            f"{o.cost_per_month:,.2f}",
            f"{o.cost_per_thousand_requests:,.4f}",
        ]
        for o in priced
    ]
    details = f"{table(say('cost.columns', language), rows)}\n\n{basis}"
    choices = (say("reading.plan_adoption", language, model=record.model),)
    return Rendered(headline, details, next_step(say("cost.next_step", language), language), choices=choices)


def _range(low: float, high: float, language: Language) -> str:
    return f"{low:,.2f}" if low == high else say("cost.range", language, low=low, high=high)


def render_comparison(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `compare_models`."""
    record: Any = result.record
    headline = say("compare.headline", language, count=len(record.models), id=result.evidence_id)
    rows = [
        [say(f"compare.row.{key}", language), *(_cell(getattr(m, field), pattern, language) for m in record.models)]
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
    choices = tuple(say("reading.profile_model", language, model=m) for m in record.not_measured[:2])
    return Rendered(headline, table(header, rows), "\n\n".join(notes), choices=choices)


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
