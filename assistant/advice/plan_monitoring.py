"""What is watched in a stage and when it stops: thresholds from what was measured here, the policy and the targets."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from assistant.advice.decision_records import StageName
from assistant.advice.plan_budget import monthly_range
from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_lines import Line, budget_line, latency_line, memory_line
from assistant.advice.plan_records import StopRule, Trigger
from assistant.advice.policy_records import PolicyFinding
from assistant.money import money_text

_MEMORY_ROOM = 1.2
"""A peak this many times the measured one is a leak or another load, when no limit is nearer."""
_STOPS: dict[StageName, tuple[str, ...]] = {
    "desk_check": ("unsafe", "licence", "policy"),
    "proof_of_concept": ("quality", "latency", "time"),
    "pilot": ("harm", "budget", "quality_in_use", "time"),
    "production": ("drift", "version", "budget", "advisory"),
}
_STOP_SOURCE = {"unsafe": "G59", "licence": "G31", "quality": "G05", "latency": "G05", "time": "G05", "harm": "G25",
                "budget": "G12", "quality_in_use": "G40", "drift": "G40", "version": "G38", "advisory": "G60"}  # fmt: skip
_WATCHED: dict[StageName, tuple[str, ...]] = {
    "desk_check": (),
    "proof_of_concept": ("latency", "memory"),
    "pilot": ("latency", "memory", "wrong_answers", "dont_know", "cost"),
    "production": ("latency", "memory", "wrong_answers", "dont_know", "cost", "load", "commit", "advisory", "licence"),
}
LOCK_FILE = "models.lock"
"""Where the commands of a plan expect the lock."""


def stop_rules_of(stage: StageName, facts: PlanFacts, policy: Sequence[PolicyFinding]) -> tuple[StopRule, ...]:
    """When a stage stops before its end.

    Args:
        stage: The stage.
        facts: What is known about the model.
        policy: What the team's documents ask for.
    """
    return tuple(_stop_rule(code, facts, policy) for code in _STOPS[stage] if code != "policy" or policy)


def _stop_rule(code: str, facts: PlanFacts, policy: Sequence[PolicyFinding]) -> StopRule:
    if code == "latency":
        line = latency_line(facts, policy)
        if line.number is not None:
            return StopRule(code=code, threshold=f"{line.number:.0f} ms", threshold_source=line.source, source=line.ref)
    if code == "budget":
        line = budget_line(facts, policy)
        if line.number is not None:
            currency = facts.cost.record["currency"] if facts.cost else str(facts.targets.get("currency") or "")
            shown = money_text(currency, line.number)
            return StopRule(code=code, threshold=shown, threshold_source=line.source, source=line.ref)
    if code == "quality":
        wanted = [f.statement for f in policy if f.statement.requirement == "min_quality" and f.statement.limit]
        if wanted:
            strictest = max(wanted, key=lambda s: s.limit or 0.0)
            return StopRule(
                code=code, threshold=f"{strictest.limit:.0%}", threshold_source="policy", source=strictest.passage
            )
    if code == "policy":
        first = next((f.statement.passage for f in policy), "")
        return StopRule(code=code, threshold="", threshold_source="policy", source=first)
    set_by = "guidance" if code in {"unsafe", "licence", "version", "advisory", "time"} else "team"
    return StopRule(code=code, threshold="", threshold_source=set_by, source=_STOP_SOURCE[code])


def triggers_of(stage: StageName, facts: PlanFacts, policy: Sequence[PolicyFinding]) -> tuple[Trigger, ...]:
    """What is watched while a stage lasts.

    Args:
        stage: The stage.
        facts: What is known about the model.
        policy: What the team's documents ask for.
    """
    makers = {
        "latency": lambda: _latency(facts, policy),
        "memory": lambda: _memory(facts, policy),
        "cost": lambda: _cost(facts, policy),
        "load": lambda: _load(facts),
        "commit": lambda: _commit(facts),
        "advisory": lambda: _advisory(facts),
        "licence": lambda: _licence(facts),
        "wrong_answers": lambda: _of_team("wrong_answers", "roll_back"),
        "dont_know": lambda: _of_team("dont_know", "look"),
    }
    return tuple(makers[code]() for code in _WATCHED[stage])


def _of_team(code: str, action: str) -> Trigger:
    """A rate that only use can give; its baseline is what the proof of concept shows."""
    return Trigger(
        code=code, baseline="", threshold="", threshold_source="team", source="G40", evidence="",
        action=action, command="",  # type: ignore[arg-type]  # one of the words
    )  # fmt: skip


def _latency(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Trigger:
    p95, line = facts.latency_p95_ms, latency_line(facts, policy)
    return Trigger(
        code="latency",
        baseline=f"{p95[0]:.1f} ms" if p95 else "",
        threshold=f"{line.number:.0f} ms" if line.number else "",
        threshold_source=line.source,
        source="" if line.source == "measured" else line.ref or "G41",
        evidence=p95[1] if p95 else "",
        action="roll_back",
        command="",
    )


def _memory(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Trigger:
    peak, line = facts.peak_memory_mib, memory_line(facts, policy)
    if peak is not None:
        nearer = Line(_MEMORY_ROOM * peak[0], "measured", "")
        line = nearer if line.number is None or nearer.number < line.number else line  # type: ignore[operator]
    return Trigger(
        code="memory",
        baseline=f"{peak[0]:,.0f} MiB" if peak else "",
        threshold=f"{line.number:,.0f} MiB" if line.number else "",
        threshold_source=line.source,
        source=line.ref or "G41",
        evidence=peak[1] if peak else "",
        action="look",
        command="",
    )


def _cost(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Trigger:

    cost, line = facts.cost, budget_line(facts, policy)
    currency = cost.record["currency"] if cost else str(facts.targets.get("currency") or "")
    return Trigger(
        code="cost",
        baseline=money_text(currency, *monthly_range(cost.record)) if cost else "",
        threshold=money_text(currency, line.number) if line.number else "",
        threshold_source=line.source,
        source=line.ref or "G12",
        evidence=cost.id if cost else "",
        action="look",
        command="",
    )


def _load(facts: PlanFacts) -> Trigger:
    cost = facts.cost
    told = facts.targets.get("requests_per_day")
    return Trigger(
        code="load",
        baseline=f"{told:,.0f}" if told else "",
        threshold=f"{cost.record['capacity_per_day']:,.0f}" if cost else "",
        threshold_source="measured" if cost else "team",
        source="G26",
        evidence=cost.id if cost else "",
        action="look",
        command="",
    )


def _commit(facts: PlanFacts) -> Trigger:
    found = facts.record_of("check_version")
    return Trigger(
        code="commit", baseline=facts.commit[:19], threshold="", threshold_source="guidance", source="G68",
        evidence=found[1] if found else "", action="look", command=f"tameshi watch {LOCK_FILE}",
    )  # fmt: skip


def _advisory(facts: PlanFacts) -> Trigger:
    found = facts.record_of("check_version")
    affected = sum(bool(a["affected"]) for a in found[0]["advisories"]) if found else 0
    return Trigger(
        code="advisory", baseline=str(affected) if found else "", threshold="1", threshold_source="guidance", source="G60",
        evidence=found[1] if found else "", action="stop", command=f"tameshi check {LOCK_FILE}",
    )  # fmt: skip


def _licence(facts: PlanFacts) -> Trigger:
    found = facts.record_of("check_documentation")
    licence = found[0]["licence"] if found else {}
    return Trigger(
        code="licence", baseline=licence.get("spdx") or licence.get("tag") or "", threshold="",
        threshold_source="guidance", source="G32", evidence=found[1] if found else "", action="look",
        command=f"tameshi watch {shlex.quote(LOCK_FILE)}",
    )  # fmt: skip
