"""The tool `plan_adoption`: stages with gates bound to evidence, and a verdict by named rules.

The parts: `policy_reading` and `policy_check` (the team's documents), `gates` and `plan_stages`, `plan_rules` (the
verdict), `plan_budget`, `plan_timing`, `plan_monitoring`, `plan_inputs`, `plan_pins` and `plan_changes`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from assistant.advice.decision_records import STAGES, StageDecision, StageName
from assistant.advice.plan_changes import changes_between
from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_inputs import assumptions, missing_inputs
from assistant.advice.plan_lines import budget_line, latency_line, memory_line
from assistant.advice.plan_pins import commands_of, pins_of
from assistant.advice.plan_records import AdoptionPlan, FiredRule, Gate, Stage, Verdict
from assistant.advice.plan_rules import fire_rules, verdict_of
from assistant.advice.plan_stages import StageInputs, all_gates, make_stages, next_stage_of
from assistant.advice.plan_timing import time_boxes
from assistant.advice.policy_check import check_policy, contradictions
from assistant.advice.policy_reading import may_oblige, read_policy
from assistant.advice.policy_records import Conflict, PolicyFinding
from assistant.evidence import Evidence
from knowledge.team_passage import TeamPassage

__all__ = ["AdoptionPlan", "FiredRule", "Gate", "Stage", "Verdict", "plan_adoption"]

MOST_PASSAGES = 5_000
"""Passages of the team's documents that are read for a plan; what is left out is told."""
MOST_STATEMENTS = 60
"""Statements of the team's documents that a plan lists; the rest is counted."""


def plan_adoption(
    model: str,
    use_case: str = "",
    targets: dict[str, Any] | None = None,
    *,
    evidence: Sequence[Evidence],
    passages: Iterable[TeamPassage] = (),
    decisions: Sequence[StageDecision] = (),
    previous: AdoptionPlan | None = None,
    version: int = 1,
    today: dt.date | None = None,
) -> AdoptionPlan:
    """Plan the adoption of a model in stages.

    Args:
        model: Canonical reference.
        use_case: What it is for, in the user's words.
        targets: `requests_per_day`, `price_per_hour`, `currency`, `budget_per_month`, `device_memory_gib`,
            `latency_p95_ms`, `data_class` (words or one of public, internal, confidential, personal, sensitive_personal)
            and `deadline` (ISO date, or weeks from now), as far as known.
        evidence: The user's evidence about the model, newest first.
        passages: Passages of the team's own documents, read as policy.
        decisions: How stages of this plan were closed, oldest first.
        previous: The version of this plan before; what differs from it is told.
        version: Number of this version.
        today: Day of the plan; the present day when absent.
    """
    facts = PlanFacts(evidence, targets or {})
    day = today or dt.datetime.now(dt.UTC).date()
    deadline = facts.deadline(day)
    relevant = [passage for passage in passages if may_oblige(passage)]
    policy = check_policy(read_policy(relevant[:MOST_PASSAGES]), facts)
    # What was decided about another version says nothing about this one.
    decisions = [d for d in decisions if d.commit == facts.commit]
    closed: list[StageName] = [d.stage for d in decisions if d.decision == "go"]
    weeks, timing = time_boxes(day, deadline, closed)
    inputs = StageInputs(facts, policy, tuple(decisions), weeks, timing)
    gates = all_gates(inputs)
    by_code = {gate.code: gate for stage in STAGES for gate in gates[stage]}
    rules = fire_rules(by_code, facts, policy, decisions, timing)
    verdict = verdict_of(rules)
    cited = _cited(by_code.values(), rules)
    plan = AdoptionPlan(
        model=model,
        commit=facts.commit,
        use_case=use_case,
        targets=facts.targets,
        version=version,
        changes=(),
        verdict=verdict,
        next_stage=next_stage_of(decisions),
        rules=rules,
        stages=make_stages(inputs, gates, verdict),
        timing=timing,
        policy=policy[:MOST_STATEMENTS],
        policy_unread=max(0, len(policy) - MOST_STATEMENTS),
        conflicts=_conflicts(facts, policy, by_code),
        assumptions=assumptions(use_case, facts, policy, deadline_known=deadline is not None),
        missing_inputs=missing_inputs(use_case, facts, policy),
        pins=pins_of(facts, policy),
        not_checked=_not_checked(facts, documents_cut=len(relevant) > MOST_PASSAGES),
        commands=commands_of(model, use_case, facts.targets, facts.evidence, cited),
        evidence=cited,
    )
    return plan.model_copy(update={"changes": changes_between(previous, plan)}) if previous else plan


def _cited(gates: Iterable[Gate], rules: Iterable[FiredRule]) -> tuple[str, ...]:
    """Evidence ids that the plan rests on; decisions have ids of their own."""
    found = [each.evidence for each in (*gates, *rules)]
    return tuple(dict.fromkeys(each for each in found if each.startswith("E")))


def _conflicts(facts: PlanFacts, policy: Sequence[PolicyFinding], gates: dict[str, Gate]) -> tuple[Conflict, ...]:
    """Where policy, user, guidance and measured baseline draw a line differently."""
    lines = (memory_line(facts, policy), latency_line(facts, policy), budget_line(facts, policy))
    drawn = [conflict for line in lines for conflict in line.conflicts]
    return (*drawn, *_against_guidance(policy, gates), *contradictions(policy))


def _against_guidance(policy: Sequence[PolicyFinding], gates: dict[str, Gate]) -> Iterable[Conflict]:
    """A licence that the general rule lets pass and the policy does not, and what the policy releases."""
    licence = gates.get("licence_known")
    for finding in policy:
        statement = finding.statement
        stricter = (
            statement.requirement in {"licence_text", "permissive", "no_non_commercial"}
            and finding.state == "violated"
            and licence is not None
            and licence.state == "passed"
        )
        looser = finding.state == "waived" and statement.requirement in {"limitations", "card"}
        if stricter or looser:
            gate = "licence_known" if stricter else "limitations_documented"
            source = gates[gate].source if gate in gates and gates[gate].threshold_source == "guidance" else ""
            yield Conflict(
                gate=gate, wins="policy", passage=statement.passage, policy_line=statement.requirement if stricter else "waived",
                against="guidance", other_line="passed" if stricter else "required", source=source,
            )  # fmt: skip


def _not_checked(facts: PlanFacts, *, documents_cut: bool) -> tuple[str, ...]:
    version = facts.record_of("check_version")
    return (
        "quality",
        "users",
        "legal",
        "people_cost",
        *(("documents",) if documents_cut else ()),
        *(() if facts.record_of("observe_behavior") else ("behavior",)),
        *(() if version and version[0].get("newest_commit") else ("newest",)),
        "gpu",
    )
