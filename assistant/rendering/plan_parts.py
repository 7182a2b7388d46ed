"""Parts of an adoption plan as Markdown: rules, policy, stages, monitoring, changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import has, say
from assistant.rendering.style import plain, table

if TYPE_CHECKING:
    from assistant.advice.plan_records import (
        AdoptionPlan,
        FiredRule,
        Gate,
        PlanChange,
        Role,
        Stage,
        StageBudget,
        StopRule,
        Trigger,
    )
    from assistant.advice.policy_records import Conflict, PolicyFinding, Statement

MARKS = {"supports": "✓", "condition": "△", "blocks": "✗", "ends": "✗", "silent": "·"}
_POLICY_MARKS = {"held": "✓", "violated": "✗", "not_checkable": "?", "waived": "·"}
_EFFECT_OF_VERDICT = {"go_with_conditions": "condition", "not_yet": "blocks", "no": "ends"}
_MOST_STATEMENTS = 8
_MOST_CHANGES = 12
_LONGEST_QUOTE = 220


def joined(group: str, keys: Sequence[str], language: Language) -> str:
    """Sentences of one group in a row."""
    return say("common.list_joint", language).join(say(f"{group}.{key}", language) for key in keys)


def found_word(value: str, language: Language) -> str:
    """A value that is a word of the tools in the reader's language, a figure or a name as it is."""
    return say(f"gate.found.{value}", language) if has(f"gate.found.{value}") else plain(value)


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
    lines = [say("plan.fired", language)]
    shown = [r for r in plan.rules if r.effect != "silent"]
    lines += [
        say(
            "plan.rule", language, mark=MARKS[rule.effect], text=rule_text(rule, plan, language), rule=rule.rule,
            cited=cited(rule),
        )
        + (say("plan.change", language, text=say(f"change.{rule.change}", language)) if rule.change else "")
        for rule in shown
    ]  # fmt: skip
    return "\n".join(lines)


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
    return say(f"rule.{rule.rule}.{rule.effect}", language, value=value, threshold=threshold)


def cited(rule: FiredRule) -> str:
    """Ids of evidence, decision and policy passage in brackets."""
    source = rule.source if rule.source.startswith("D") else ""
    return "".join(f" [{each}]" for each in (rule.evidence, source) if each)


# --- the team's documents ---------------------------------------------------------------------------------------------


def requirement_text(statement: Statement, language: Language) -> str:
    """What a statement asks for, as the rules understand it."""
    limit = "" if statement.limit is None else _limit(statement.limit, statement.unit)
    values = say("common.list_joint", language).join(found_word(value, language) for value in statement.values)
    key = statement.requirement if values or statement.requirement != "approval" else "approval_of_nobody"
    return say(f"policy.{key}", language, limit=limit, values=values)


def _limit(number: float, unit: str) -> str:
    if unit == "share":
        return f"{number:.0%}"
    return f"{number:,.0f} {unit}".strip() if unit in {"MiB", "ms"} else f"{unit} {number:,.2f}".strip()


def policy_text(plan: AdoptionPlan, language: Language, most: int = _MOST_STATEMENTS) -> str:
    """The statements of the team's documents with their quotes; empty when there are none."""
    if not plan.policy:
        return ""
    lines = [say("policy.head", language)]
    lines += [policy_line(finding, language) for finding in plan.policy[:most]]
    rest = len(plan.policy) - most + plan.policy_unread if len(plan.policy) > most else plan.policy_unread
    if rest > 0:
        lines.append(say("policy.more", language, count=rest))
    return "\n".join(lines)


def policy_line(finding: PolicyFinding, language: Language) -> str:
    """One statement: quote, document, place, and whether it is met."""
    statement = finding.statement
    state = say(f"policy.state.{finding.state}", language)
    if finding.value:
        state = say("policy.found", language, state=state, value=found_word(finding.value, language))
    elif finding.reason:
        state = say("policy.because", language, state=state, reason=say(f"policy.reason.{finding.reason}", language))
    if statement.force == "should":
        state = say("policy.recommended", language, state=state)
    if finding.evidence:
        state += f" [{finding.evidence}]"
    if statement.only_if:
        state += f" ({say('policy.when.condition', language, text=plain(statement.only_if, 120))})"
    source = ", ".join(plain(part, 120) for part in (statement.title, statement.place) if part)
    return say(
        "policy.line", language, mark=_POLICY_MARKS[finding.state], quote=plain(statement.quote, _LONGEST_QUOTE),
        source=source, passage=statement.passage, state=state,
    )  # fmt: skip


def conflicts_text(plan: AdoptionPlan, language: Language) -> str:
    """Where policy, targets and guidance differ; empty when they do not."""
    if not plan.conflicts:
        return ""
    return "\n".join([say("conflict.head", language), *(_conflict(c, language) for c in plan.conflicts)])


def _conflict(conflict: Conflict, language: Language) -> str:
    def word(line: str) -> str:
        if has(f"conflict.word.{line}"):
            return say(f"conflict.word.{line}", language)
        return say(f"policy.{line}", language) if has(f"policy.{line}") else plain(line)

    source = f" [{conflict.source}]" if conflict.source else ""
    return say(
        "conflict.line", language, gate=say(f"gate.{conflict.gate}", language), policy=word(conflict.policy_line),
        passage=conflict.passage, who=say(f"conflict.who.{conflict.against}", language),
        other=word(conflict.other_line) + source, wins=say(f"conflict.wins.{conflict.wins}", language),
    )  # fmt: skip


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
    same = f"{budget.low:.2f}" == f"{budget.high:.2f}"
    amount = f"{budget.low:,.2f}" if same else f"{budget.low:,.2f}–{budget.high:,.2f}"
    shown = say(f"budget.per.{budget.per}", language, amount=f"{plain(budget.currency)} {amount}")
    return f"{shown} ({say(f'budget.basis.{budget.basis}', language)}) [{budget.evidence}]"


def gate_text(gate: Gate, language: Language) -> str:
    """A gate in a line: what is asked, the threshold with its source, state, value and evidence."""
    limit = f"gate.limit.{gate.code}"
    shown_limit = gate.limit is not None and has(limit)
    threshold = f" {say(limit, language, limit=plain(gate.threshold))}" if shown_limit else ""
    named = gate.code == "approval" and gate.threshold
    threshold = f" ({plain(gate.threshold, 80)})" if named else threshold
    source = gate.source if gate.threshold_source == "policy" else ""
    no_line_yet = gate.state == "passed" and gate.threshold_source == "team"
    by_whom = shown_limit or no_line_yet or gate.threshold_source == "policy"
    told = f" ({say(f'gate.threshold.{gate.threshold_source}', language)}{f' [{source}]' if source else ''})"
    state = f" – *{open_text(gate, language)}*"
    if gate.state != "missing":
        state = f" {say(f'gate.state.{gate.state}', language)} {found_word(gate.value, language)} [{gate.evidence}]"
    return f"{say(f'gate.{gate.code}', language)}{threshold}{told if by_whom else ''}{state}"


def open_text(gate: Gate, language: Language) -> str:
    """Who or what can find out about a gate that is open."""
    if gate.answered_by in {"", "team"}:
        return say("gate.open.team", language)
    return say("gate.open.tool", language, command=f"tameshi {gate.answered_by.replace('_', '-')}")


def stop_text(rule: StopRule, language: Language) -> str:
    """When a stage stops, with its line where there is one."""
    text = say(f"stop.{rule.code}", language)
    if not rule.threshold:
        return text
    line = f"{plain(rule.threshold)}, {say(f'gate.threshold.{rule.threshold_source}', language)}"
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
    now = f"{plain(trigger.baseline)} [{trigger.evidence}]" if trigger.baseline and trigger.evidence else "–"
    told = say(f"gate.threshold.{trigger.threshold_source}", language)
    line = f"{plain(trigger.threshold)} ({told})" if trigger.threshold else say("watch.open", language)
    if not trigger.threshold and trigger.threshold_source != "team":
        line = say("watch.changes", language)
    command = f" (`{trigger.command}`)" if trigger.command else ""
    return [
        say(f"watch.{trigger.code}", language), now, line,
        f"{say(f'watch.action.{trigger.action}', language)}{command}",
    ]  # fmt: skip


# --- versions ---------------------------------------------------------------------------------------------------------


def changes_text(plan: AdoptionPlan, language: Language) -> str:
    """What differs from the version before; empty for the first."""
    if plan.version == 1:
        return ""
    if not plan.changes:
        return say("plan_change.none", language, version=plan.version - 1)
    lines = [say("plan_change.head", language, version=plan.version - 1)]
    lines += [change_text(change, language) for change in plan.changes[:_MOST_CHANGES]]
    if len(plan.changes) > _MOST_CHANGES:
        lines.append(say("plan_change.more", language, count=len(plan.changes) - _MOST_CHANGES))
    return "\n".join(lines)


def change_text(change: PlanChange, language: Language) -> str:
    """One change in a line, with what brought it about."""
    name = plain(change.name)
    for group, what in (("gate", "gate"), ("stage", "stage"), ("target", "target")):
        if change.what == what and has(f"{group}.{change.name}"):
            name = say(f"{group}.{change.name}", language)
    causes = ", ".join(
        say(f"target.{cause}", language) if has(f"target.{cause}") else plain(cause) for cause in change.causes
    ) or say("plan_change.nothing", language)
    return say(
        "plan_change.line", language, what=say(f"plan_change.what.{change.what}", language, name=name),
        before=_changed(change.before, language), after=_changed(change.after, language),
        why=say(f"plan_change.why.{change.why}", language, causes=causes),
    )  # fmt: skip


def _changed(value: str, language: Language) -> str:
    if not value:
        return say("plan_change.nothing", language)
    word, _, rest = value.partition(" (")
    shown = say(f"plan_change.value.{word}", language) if has(f"plan_change.value.{word}") else plain(word)
    return f"{shown} ({plain(rest)}" if rest else shown
