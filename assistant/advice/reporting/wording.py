"""The plan's codes in words, as a report of the team about itself says them."""

from __future__ import annotations

import re
from typing import Any

from assistant.advice.plan_records import AdoptionPlan, FiredRule, Gate, StageBudget, StopRule, ThresholdSource, Trigger
from assistant.advice.policy_records import Statement
from assistant.advice.reporting.content import cite, quoted
from assistant.languages import Language
from assistant.money import money_text, spoken_amount
from assistant.phrases import has, say
from assistant.rendering.plan_notes import limit_text

_OWN_VOICE = ((r"\byours\b", "ours"), (r"\byour\b", "our"))
"""The chat speaks to the team; a report is the team's own paper, passed on within the company."""


def words(key: str, language: Language, **values: Any) -> str:
    """A sentence of the plan in the voice of the report.

    Args:
        key: Its key.
        language: Language of the report.
        values: What its braces stand for.
    """
    # The words of others, which stand in the braces, are left as they are.
    text = say(key, language, **{place: f"{{{place}}}" for place in values})
    for theirs, ours in _OWN_VOICE:
        text = re.sub(theirs, ours, text)
    return text.format(**values)


def joined(parts: list[str], language: Language) -> str:
    """Parts in a row."""
    return say("common.list_joint", language).join(parts)


def gate_name(code: str, language: Language) -> str:
    """What a gate asks; a code that is not known stays as it is."""
    return words(f"gate.{code}", language) if has(f"gate.{code}") else quoted(code)


def found_words(value: str, language: Language) -> str:
    """A value that is a word of the tools in the reader's language, a figure or a name as it is."""
    return words(f"gate.found.{value}", language) if has(f"gate.found.{value}") else line_text(value, language)


def line_text(line: str, language: Language) -> str:
    """A threshold or value that is no word of the tools: an amount in the reader's currency words, anything else as it is."""
    return spoken_amount(quoted(line), language)


def must_be(gate: Gate, plan: AdoptionPlan, language: Language) -> str:
    """The threshold of a gate: its number, the names that count, or what has to be the case."""
    if gate.code.startswith("policy_"):
        asked = gate.code.removeprefix("policy_")
        statement = next(
            (f.statement for f in plan.policy if f.gate == gate.code and f.statement.requirement == asked), None
        )
        if statement is not None:
            return requirement(statement, language)
    if gate.limit is not None and has(f"gate.limit.{gate.code}"):
        return say(f"gate.limit.{gate.code}", language, limit=line_text(gate.threshold, language))
    if gate.threshold and (gate.code == "approval" or _lists_licences(gate)):
        return quoted(gate.threshold)
    if has(f"gate.found.{gate.threshold}"):
        return words(f"gate.found.{gate.threshold}", language)
    if has(f"report.must.{gate.code}"):
        return say(f"report.must.{gate.code}", language)
    return say("report.gates.confirmed", language)


def _lists_licences(gate: Gate) -> bool:
    return gate.code == "licence_known" and gate.threshold_source == "policy"


def set_by(source: ThresholdSource, ref: str, language: Language) -> str:
    """Who set a threshold, and where it stands."""
    return " ".join(part for part in (say(f"report.set_by.{source}", language), cite(ref)) if part)


# --- rules ------------------------------------------------------------------------------------------------------------


def rule_sentence(rule: FiredRule, plan: AdoptionPlan, language: Language) -> str:
    """What a rule found."""
    value, threshold = found_words(rule.value, language), found_words(rule.threshold, language)
    if rule.rule == "R-POL" and rule.effect == "silent" and not rule.value:
        value = words("policy.none", language)
    elif rule.rule == "R-POL" and rule.effect not in {"supports", "silent"}:
        statement = next(
            (
                f.statement
                for f in plan.policy
                if (f.statement.passage, f.statement.requirement) == (rule.source, rule.threshold)
            ),
            None,
        )
        threshold = requirement(statement, language) if statement else threshold
    elif rule.rule == "R-GATE":
        value = joined([gate_name(code, language) for code in rule.value.split(", ")], language)
    return words(rule.phrase, language, value=value, threshold=threshold)


def change_sentence(rule: FiredRule, language: Language) -> str:
    """What would change the effect of a rule; empty when nothing has to change."""
    return words(f"change.{rule.change}", language) if rule.change else ""


def requirement(statement: Statement, language: Language) -> str:
    """What a statement of a policy asks for, as the rules understand it."""
    limit = "" if statement.limit is None else limit_text(statement.limit, quoted(statement.unit, 8), language)
    values = joined([found_words(value, language) for value in statement.values], language)
    key = statement.requirement if values or statement.requirement != "approval" else "approval_of_nobody"
    return words(f"policy.{key}", language, limit=limit, values=values)


def place_of(statement: Statement, language: Language) -> str:
    """Document and place of a statement."""
    title = quoted(statement.title, 120)
    if not statement.place:
        return title
    return say("report.policy.place", language, title=title, place=quoted(statement.place, 120))


def line_of_conflict(line: str, language: Language) -> str:
    """One side of a conflict: a word, a requirement, or a number as it is."""
    for group in ("conflict.word", "policy"):
        key = f"{group}.{line}"
        if has(key):
            return words(key, language, values="", limit="").rstrip(": ")
    return quoted(line)


# --- stages -----------------------------------------------------------------------------------------------------------


def amount_of(budget: StageBudget, language: Language) -> str:
    """The budget of a stage as a range, or why there is none."""
    if budget.low is None or budget.high is None:
        return words(f"budget.reason.{budget.reason}", language)
    amount = spoken_amount(money_text(quoted(budget.currency, 8), budget.low, budget.high), language)
    shown = words(f"budget.per.{budget.per}", language, amount=amount)
    return f"{shown} {cite(budget.evidence)}".strip()


def stop_sentence(rule: StopRule, language: Language) -> str:
    """When a stage stops, with its line and who drew it."""
    text = words(f"stop.{rule.code}", language)
    text = (
        words("stop.with_line", language, text=text, line=line_text(rule.threshold, language))
        if rule.threshold
        else text
    )
    return say(
        "report.stage.stop_item", language, text=text, source=set_by(rule.threshold_source, rule.source, language)
    )


def acts_from(trigger: Trigger, language: Language) -> str:
    """From which value on something is done."""
    if trigger.threshold:
        return line_text(trigger.threshold, language)
    return words("watch.open" if trigger.threshold_source == "team" else "watch.changes", language)


# --- versions ---------------------------------------------------------------------------------------------------------


def changed_value(value: str, language: Language) -> str:
    """A side of a change: a state in words, with its threshold where it has one."""
    if has(f"gate.found.{value}") and not has(f"plan_change.value.{value}"):
        return words(f"gate.found.{value}", language)
    word, _, rest = value.removesuffix(".0").partition(" (")
    shown = words(f"plan_change.value.{word}", language) if has(f"plan_change.value.{word}") else quoted(word)
    return f"{shown} ({quoted(rest)}" if rest else shown
