"""Parts of an adoption plan as Markdown: rules, stages, gates, what to settle, monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.money import money_text, spoken_amount
from assistant.phrases import has, say
from assistant.rendering.plan_notes import found_word, requirement_text, threshold_text
from assistant.rendering.style import plain, table

if TYPE_CHECKING:
    from assistant.advice.plan_records import (
        AdoptionPlan,
        FiredRule,
        Gate,
        Role,
        Stage,
        StageBudget,
        StopRule,
        Trigger,
    )

MARKS = {"supports": "✓", "condition": "△", "blocks": "✗", "ends": "✗", "silent": "·"}
_EFFECT_OF_VERDICT = {"go_with_conditions": "condition", "not_yet": "blocks", "no": "ends"}


def joined(group: str, keys: Sequence[str], language: Language) -> str:
    """Sentences of one group in a row."""
    return say("common.list_joint", language).join(say(f"{group}.{key}", language) for key in keys)


def stage_name(name: str, language: Language) -> str:
    """The stage in words."""
    return say(f"stage.{name}", language)


def verdict_text(plan: AdoptionPlan, language: Language) -> str:
    """The verdict as a sentence about the next stage."""
    effect = _EFFECT_OF_VERDICT.get(plan.verdict, "")
    count = sum(r.effect == effect for r in plan.rules)
    return say(f"verdict.{plan.verdict}", language, count=count, stage=stage_name(plan.next_stage, language))


# --- rules ------------------------------------------------------------------------------------------------------------


def rules_text(plan: AdoptionPlan, language: Language) -> str:
    """The rules, the weightiest first, each with its evidence and with what would change it."""
    return _rule_lines([r for r in plan.rules if r.effect != "silent"], plan, language)


def weighty_rules(plan: AdoptionPlan) -> list[FiredRule]:
    """The rules that keep a plan from going on as it is."""
    return [rule for rule in plan.rules if rule.effect in {"ends", "blocks", "condition"}]


def reasons_text(plan: AdoptionPlan, language: Language) -> str:
    """The rules that the verdict comes from; those that speak for the model where nothing speaks against it."""
    return _rule_lines(weighty_rules(plan) or [r for r in plan.rules if r.effect == "supports"], plan, language)


def _rule_lines(rules: Sequence[FiredRule], plan: AdoptionPlan, language: Language) -> str:
    lines = [
        say(
            "plan.rule", language, mark=MARKS[rule.effect], text=rule_text(rule, plan, language), rule=rule.rule,
            cited=cited(rule),
        )
        + (say("plan.change", language, text=say(f"change.{rule.change}", language)) if rule.change else "")
        for rule in rules
    ]  # fmt: skip
    return "\n".join([say("plan.fired", language), *lines])


def rule_text(rule: FiredRule, plan: AdoptionPlan, language: Language) -> str:
    """What a rule found, in a sentence."""
    value, threshold = found_word(rule.value, language), found_word(rule.threshold, language)
    if rule.rule == "R-POL" and rule.effect not in {"supports", "silent"}:
        statement = next((f.statement for f in plan.policy if f.statement.passage == rule.source
                          and f.statement.requirement == rule.threshold), None)  # fmt: skip
        threshold = requirement_text(statement, language) if statement else plain(rule.threshold)
    elif rule.rule == "R-POL" and rule.effect == "silent":
        value = say("policy.none", language) if not rule.value else value
    elif rule.rule == "R-GATE":
        value = joined("gate", rule.value.split(", "), language)
    return say(rule.phrase, language, value=value, threshold=threshold)


def cited(rule: FiredRule) -> str:
    """Ids of evidence, decision and policy passage in brackets."""
    source = rule.source if rule.source.startswith("D") else ""
    return "".join(f" [{each}]" for each in (rule.evidence, source) if each)


# --- stages -----------------------------------------------------------------------------------------------------------


def stages_table(plan: AdoptionPlan, language: Language) -> str:
    """The stages: purpose and limit, time and budget, what must hold to leave each, when it stops."""
    return table(say("plan.columns", language), [_stage_row(stage, language) for stage in plan.stages])


def _stage_row(stage: Stage, language: Language) -> list[str]:
    status = say(f"stage.status.{stage.status}", language)
    if stage.closing is not None:
        closing = stage.closing
        status += "<br>" + say(
            "plan.closed", language, decision=say(f"gate.found.{closing.decision}", language), by=plain(closing.by, 60),
            date=closing.on.isoformat(), id=closing.decision_id,
        )  # fmt: skip
    gates = stage.gates_of("exit")
    return [
        f"**{stage_name(stage.name, language)}** – {status}",
        purpose_text(stage, language),
        f"{time_text(stage, language)}<br>{budget_text(stage.budget, language)}",
        "<br>".join(gate_text(gate, language) for gate in gates) or say("plan.no_exit", language),
        "<br>".join(stop_text(rule, language) for rule in stage.stop_rules),
    ]


def purpose_text(stage: Stage, language: Language) -> str:
    """What a stage is for, what belongs to it, and its limit."""
    return say(
        "plan.purpose", language, purpose=say(f"stage.purpose.{stage.purpose}", language),
        scope=say(f"stage.scope.{stage.scope}", language), limit=say(f"stage.limit.{stage.limit}", language),
    )  # fmt: skip


def time_text(stage: Stage, language: Language) -> str:
    """The time box, with its phases and the day by which it must be over."""
    if not stage.time_box_weeks:
        return say("stage.time.none", language)
    time = say("stage.time.weeks", language, count=stage.time_box_weeks)
    if stage.phases:
        parts = (say(f"phase.{phase.code}", language, weeks=phase.weeks) for phase in stage.phases)
        time += f" ({' + '.join(parts)})"
    end = stage.latest_end
    return say("stage.time.by", language, time=time, date=end.isoformat()) if end else time


def budget_text(budget: StageBudget, language: Language) -> str:
    """The budget of a stage as a range, or why there is none."""
    if budget.low is None or budget.high is None:
        return say(f"budget.reason.{budget.reason}", language)
    amount = spoken_amount(money_text(plain(budget.currency), budget.low, budget.high), language)
    shown = say(f"budget.per.{budget.per}", language, amount=amount)
    return f"{shown} ({say(f'budget.basis.{budget.basis}', language)}) [{budget.evidence}]"


def gate_text(gate: Gate, language: Language) -> str:
    """A gate in a line: what is asked, the threshold with its source, state, value and evidence."""
    limit = f"gate.limit.{gate.code}"
    shown_limit = gate.limit is not None and has(limit)
    threshold = f" {say(limit, language, limit=threshold_text(gate.threshold, language))}" if shown_limit else ""
    named = gate.code == "approval" and gate.threshold
    threshold = f" ({plain(gate.threshold, 80)})" if named else threshold
    source = gate.source if gate.threshold_source == "policy" else ""
    by_whom = shown_limit or gate.state == "no_limit" or gate.threshold_source == "policy"
    told = f" ({say(f'gate.threshold.{gate.threshold_source}', language)}{f' [{source}]' if source else ''})"
    state = f" – *{open_text(gate, language)}*"
    if gate.state == "no_limit":
        state = f" – {found_word(gate.value, language)} [{gate.evidence}]{state}"
    elif gate.state != "missing":
        state = f" {say(f'gate.state.{gate.state}', language)} {found_word(gate.value, language)} [{gate.evidence}]"
    return f"{say(f'gate.{gate.code}', language)}{threshold}{told if by_whom else ''}{state}"


def open_text(gate: Gate, language: Language) -> str:
    """Who or what can find out about a gate that is open."""
    if gate.state == "no_limit":
        return say("gate.open.no_limit" if gate.limit is None else "gate.open.baseline", language)
    if gate.answered_by in {"", "team"}:
        return say("gate.open.team", language)
    return say("gate.open.tool", language, command=f"tameshi {gate.answered_by.replace('_', '-')}")


def stop_text(rule: StopRule, language: Language) -> str:
    """When a stage stops, with its line where there is one."""
    text = say(f"stop.{rule.code}", language)
    if not rule.threshold:
        return text
    line = f"{threshold_text(rule.threshold, language)}, {say(f'gate.threshold.{rule.threshold_source}', language)}"
    return say("stop.with_line", language, text=text, line=line)


def before_text(stage: Stage, language: Language) -> list[str]:
    """What to settle before a stage, whom to name, and what must hold to enter it."""
    parts = [
        say(
            "plan.before", language, stage=stage_name(stage.name, language),
            text=joined("operating", [rule.code for rule in stage.operating_rules], language),
        ),
        say("plan.roles", language, text=roles_text(stage.roles, language)),
    ]  # fmt: skip
    entry = stage.gates_of("entry")
    if entry:
        text = say("common.list_joint", language).join(gate_text(gate, language) for gate in entry)
        parts.append(say("plan.entry", language, stage=stage_name(stage.name, language), text=text))
    return parts


def roles_text(roles: Sequence[Role], language: Language) -> str:
    """The roles of a stage, with the name where a policy says who it is."""
    return say("common.list_joint", language).join(
        say("role.named", language, role=say(f"role.{role.code}", language), name=plain(role.name, 80))
        if role.name
        else say(f"role.{role.code}", language)
        for role in roles
    )


def rollback_text(stage: Stage, language: Language) -> str:
    """How to go back from a stage."""
    steps = joined("rollback", stage.rollback, language)
    return say("plan.rollback", language, stage=stage_name(stage.name, language), text=steps)


def monitoring_text(stage: Stage, language: Language) -> str:
    """What is watched in a stage as a table; empty when nothing is."""
    if not stage.monitoring:
        return ""
    rows = [_trigger_row(trigger, language) for trigger in stage.monitoring]
    head = say("plan.watch", language, stage=stage_name(stage.name, language))
    return f"{head}\n\n{table(say('watch.columns', language), rows)}"


def _trigger_row(trigger: Trigger, language: Language) -> list[str]:
    now = (
        f"{threshold_text(trigger.baseline, language)} [{trigger.evidence}]"
        if trigger.baseline and trigger.evidence
        else "–"
    )
    told = say(f"gate.threshold.{trigger.threshold_source}", language)
    line = (
        f"{threshold_text(trigger.threshold, language)} ({told})" if trigger.threshold else say("watch.open", language)
    )
    if not trigger.threshold and trigger.threshold_source != "team":
        line = say("watch.changes", language)
    command = f" (`{trigger.command}`)" if trigger.command else ""
    return [
        say(f"watch.{trigger.code}", language), now, line,
        f"{say(f'watch.action.{trigger.action}', language)}{command}",
    ]  # fmt: skip
