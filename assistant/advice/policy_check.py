"""Sets what the team's documents ask for against what the tools found: held, violated, or not checkable and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from assistant.advice.plan_facts import PlanFacts
from assistant.advice.policy_force import patterns
from assistant.advice.policy_licences import (
    NOT_RUN,
    Found,
    judged,
    licence_known,
    licence_text,
    licences,
    no_licences,
    non_commercial,
    permissive,
)
from assistant.advice.policy_records import Conflict, PolicyFinding, PolicyState, Statement
from assistant.money import money_text

_ORDER: dict[PolicyState, int] = {"violated": 0, "not_checkable": 1, "held": 2, "waived": 3}
GATE_OF = {
    "licence_known": "licence_known",
    "licences": "licence_known",
    "no_licences": "licence_known",
    "pinned": "version_pinned",
    "limitations": "limitations_documented",
    "files_inspected": "files_safe",
    "no_vulnerabilities": "advisories",
    "max_memory": "memory",
    "max_latency": "latency",
    "max_budget": "cost",
    "min_quality": "quality",
    "own_evaluation": "quality",
    "approval": "approval",
    "trial_first": "pilot_closed",
    "human_review": "human_review",
    "own_copy": "own_copy",
}
"""Gates of the plan that a requirement sets the line of; every other one has a gate of its own, `policy_<requirement>`."""


def check_policy(statements: Sequence[Statement], facts: PlanFacts) -> tuple[PolicyFinding, ...]:
    """Check every statement; violated ones first, then those that nobody could check.

    Args:
        statements: What the documents ask for.
        facts: What is known about the model.
    """
    findings = [_finding(statement, facts) for statement in statements]
    return tuple(sorted(findings, key=lambda f: (_ORDER[f.state], f.statement.force != "must")))


def effect_of(finding: PolicyFinding) -> str:
    """What a statement does to the verdict: `ends`, `blocks`, `condition`, `silent` or `supports`."""
    statement = finding.statement
    if finding.state == "held":
        return "supports"
    if finding.state == "waived" or statement.force != "must":
        return "silent"
    if finding.state == "not_checkable":
        return "silent" if finding.reason == "in_stage" else "condition"
    if statement.only_if:
        return "condition"
    effect = str(patterns()["requirement"].get(statement.requirement, {}).get("effect", "ends"))
    if effect == "gate":
        return "silent"
    return "blocks" if effect == "ends" and statement.excepted else effect


def _finding(statement: Statement, facts: PlanFacts) -> PolicyFinding:
    gate = GATE_OF.get(statement.requirement, f"policy_{statement.requirement}")
    if statement.requirement == "unrecognised":
        found, gate = Found("not_checkable", reason="unrecognised"), ""
    elif statement.force == "waived":
        found, gate = Found("waived"), gate if statement.requirement in GATE_OF else ""
    else:
        found = _CHECKS[statement.requirement](facts, statement)
    return PolicyFinding(
        statement=statement,
        state=found.state,
        value=found.value,
        evidence=found.evidence,
        reason=found.reason,
        gate=gate,
    )


def _remote_code(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("inspect_files")
    if found is None:
        return NOT_RUN
    code = [f for f in found[0]["findings"] if f["rule"] == "T04"]
    needed = [f for f in code if f["severity"] == "refuse"]
    return judged(not needed, "own_code" if needed else "own_code_unused" if code else "no_own_code", found[1])


def _safetensors(facts: PlanFacts, _: Statement) -> Found:
    inspected, fetched = facts.record_of("inspect_files"), facts.record_of("fetch_model")
    pickles = [f for f in inspected[0]["findings"] if f["rule"] in {"T01", "T02"}] if inspected else []
    if inspected is not None and fetched is None and pickles and inspected[0]["verdict"] == "refuse":
        return judged(False, pickles[0]["file"], inspected[1])
    if fetched is None or not facts.weight_files:
        return NOT_RUN
    others = [name for name in facts.weight_files if not name.endswith(".safetensors")]
    return judged(not others, others[0] if others else "safetensors", fetched[1])


def _pinned(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("fetch_model") or facts.record_of("check_version")
    return judged(True, found[0]["commit"][:19], found[1]) if found and found[0]["commit"] else NOT_RUN


def _own_copy(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("fetch_model")
    if found is None:
        return NOT_RUN
    return judged(found[0]["source"] in {"mirror", "folder"}, f"source_{found[0]['source']}", found[1])


def _card(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("check_documentation")
    return judged(bool(found[0]["card_file"]), found[0]["card_file"] or "none", found[1]) if found else NOT_RUN


def limitations_state(record: dict[str, Any]) -> str:
    """How a card deals with limitations: `filled`, `unfilled` or `missing`."""
    states = [s["state"] for s in record["sections"] if "limitation" in s["name"].lower()]
    return "filled" if "filled" in states else states[0] if states else "missing"


def _limitations(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("check_documentation")
    if found is None:
        return NOT_RUN
    state = limitations_state(found[0])
    return judged(state == "filled", state, found[1])


def _runs_inside(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("profile_model")
    if found is None:
        return NOT_RUN
    # It ran from files, in a process that reaches no network; nothing is sent anywhere to be answered.
    closed = any("no network" in each for each in found[0].get("isolation", ()))
    return judged(True, "ran_without_network" if closed else "ran_here", found[1])


def _data_class(facts: PlanFacts, statement: Statement) -> Found:
    said = facts.data_class
    if not said:
        return Found("not_checkable", reason="no_data_class")
    return judged(said not in statement.values, said, "")


def _advisories(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("check_version")
    if found is None:
        return NOT_RUN
    affected = [a["id"] for a in found[0]["advisories"] if a["affected"]]
    return judged(not affected, ", ".join(affected) or "none_reached", found[1])


def _inspected(facts: PlanFacts, _: Statement) -> Found:
    found = facts.record_of("inspect_files")
    return judged(found[0]["verdict"] != "refuse", found[0]["verdict"], found[1]) if found else NOT_RUN


def _memory(facts: PlanFacts, statement: Statement) -> Found:
    peak = facts.peak_memory_mib
    return judged(peak[0] <= (statement.limit or 0), f"{peak[0]:,.0f} MiB", peak[1]) if peak else NOT_RUN


def _latency(facts: PlanFacts, statement: Statement) -> Found:
    p95 = facts.latency_p95_ms
    return judged(p95[0] <= (statement.limit or 0), f"{p95[0]:.1f} ms", p95[1]) if p95 else NOT_RUN


def _budget(facts: PlanFacts, statement: Statement) -> Found:
    from assistant.advice.plan_budget import monthly_range  # noqa: PLC0415 (it draws on this module's facts)

    cost = facts.cost
    if cost is None:
        return NOT_RUN
    currency, (low, high) = cost.record["currency"], monthly_range(cost.record)
    if statement.unit and statement.unit != currency:
        return Found("not_checkable", money_text(currency, low, high), cost.id, "other_currency")
    return judged(high <= (statement.limit or 0), money_text(currency, low, high), cost.id)


def _in_stage(_: PlanFacts, __: Statement) -> Found:
    """What only the team can do, in a stage of the plan: it becomes a gate there."""
    return Found("not_checkable", reason="in_stage")


_CHECKS: dict[str, Callable[[PlanFacts, Statement], Found]] = {
    "licence_text": licence_text,
    "licence_known": licence_known,
    "licences": licences,
    "no_licences": no_licences,
    "permissive": permissive,
    "no_non_commercial": non_commercial,
    "no_remote_code": _remote_code,
    "safetensors_only": _safetensors,
    "pinned": _pinned,
    "own_copy": _own_copy,
    "card": _card,
    "limitations": _limitations,
    "runs_inside": _runs_inside,
    "data_class": _data_class,
    "no_vulnerabilities": _advisories,
    "files_inspected": _inspected,
    "max_memory": _memory,
    "max_latency": _latency,
    "max_budget": _budget,
    "min_quality": _in_stage,
    "approval": _in_stage,
    "trial_first": _in_stage,
    "own_evaluation": _in_stage,
    "human_review": _in_stage,
}
"""How each requirement is checked."""


def contradictions(findings: Sequence[PolicyFinding]) -> tuple[Conflict, ...]:
    """Documents of the team that disagree: one asks for what another one releases."""
    asked = {f.statement.requirement: f for f in reversed(findings) if f.statement.force == "must"}
    return tuple(
        Conflict(
            gate=asked[f.statement.requirement].gate,
            wins="policy",
            passage=asked[f.statement.requirement].statement.passage,
            policy_line="required",
            against="policy",
            other_line="waived",
            source=f.statement.passage,
        )
        for f in findings
        if f.state == "waived" and f.statement.requirement in asked
    )
