"""The four stages: who, for how long, what must hold to come in and to go out, when to stop, how to go back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from assistant.advice.decision_records import STAGES, StageDecision, StageName
from assistant.advice.gates import desk_check_gates, missing_gate, trial_gates
from assistant.advice.plan_budget import stage_budget
from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_lines import latency_line, strictest_of
from assistant.advice.plan_monitoring import stop_rules_of, triggers_of
from assistant.advice.plan_records import Closing, Gate, OperatingRule, Role, Stage, Status, Timing, Verdict
from assistant.advice.plan_timing import latest_ends, phases_of
from assistant.advice.policy_records import PolicyFinding

_OPERATING: dict[StageName, tuple[tuple[str, str], ...]] = {
    "desk_check": (("owner", "G45"), ("data", "G44"), ("stop", "G05")),
    "proof_of_concept": (
        ("owner", "G45"), ("data", "G44"), ("version", "G38"), ("documentation", "G34"), ("log", "G43"), ("stop", "G05"),
    ),
    "pilot": (("users", "G47"), ("wrong_answers", "G25"), ("log", "G43"), ("fallback", "G57"), ("stop", "G05")),
    "production": (("on_call", "G40"), ("refresh", "G35"), ("review", "G46"), ("costs", "G12"), ("end", "G57")),
}  # fmt: skip
"""What to settle in writing before a stage, with the guidance entry that asks for it."""
_ROLES: dict[StageName, tuple[str, ...]] = {
    "desk_check": ("owner", "approver"),
    "proof_of_concept": ("owner", "approver", "checker"),
    "pilot": ("owner", "approver", "operator", "checker"),
    "production": ("owner", "approver", "operator", "checker"),
}
_ROLLBACK: dict[StageName, tuple[str, ...]] = {
    "desk_check": ("nothing",),
    "proof_of_concept": ("delete_trial", "keep_results"),
    "pilot": ("switch_off", "present_process", "old_index", "tell_users"),
    "production": ("switch_off", "last_version", "old_index", "tell_users"),
}


class StageInputs(NamedTuple):
    """What stages are made of."""

    facts: PlanFacts
    policy: tuple[PolicyFinding, ...]
    decisions: tuple[StageDecision, ...]
    """How stages of this plan were closed, oldest first."""
    weeks: dict[StageName, int]
    timing: Timing


def all_gates(inputs: StageInputs) -> dict[StageName, tuple[Gate, ...]]:
    """The gates of every stage, entry and exit.

    Args:
        inputs: What stages are made of.
    """
    facts, policy = inputs.facts, inputs.policy
    return {
        "desk_check": desk_check_gates(facts.evidence, facts.targets, policy),
        "proof_of_concept": (
            _closed_gate("desk_check_closed", "desk_check", inputs),
            missing_gate("owner_named", when="entry"),
            missing_gate("examples_ready", when="entry"),
            missing_gate("rules_written", when="entry"),
            *_approval(policy),
            *trial_gates(facts.evidence, facts.targets, policy),
        ),
        "pilot": (
            _closed_gate("poc_closed", "proof_of_concept", inputs),
            missing_gate("rollback", when="entry"),
            _team_gate("human_review", "human_review", policy),
            missing_gate("shadow"),
            missing_gate("users"),
            missing_gate("answers_in_use"),
            _at_load(facts, policy),
        ),
        "production": (
            _closed_gate("pilot_closed", "pilot", inputs),
            missing_gate("monitoring", when="entry"),
            missing_gate("refresh", when="entry"),
            _own_copy(facts, policy),
            missing_gate("locked", when="entry"),
        ),
    }


def make_stages(inputs: StageInputs, gates: dict[StageName, tuple[Gate, ...]], verdict: Verdict) -> tuple[Stage, ...]:
    """The stages with everything that belongs to them.

    Args:
        inputs: What stages are made of.
        gates: Gates of every stage.
        verdict: What the rules add up to.
    """
    closed: dict[StageName, StageDecision] = {d.stage: d for d in inputs.decisions}
    left: list[StageName] = [stage for stage in STAGES if not _is_behind(closed.get(stage))]
    ends = latest_ends(inputs.timing.deadline, inputs.weeks, left)
    statuses = _statuses(closed, verdict)
    return tuple(
        Stage(
            name=name,
            status=statuses[name],
            purpose=name,
            scope=name,
            limit=name,
            time_box_weeks=inputs.weeks[name],
            latest_end=ends.get(name),
            phases=phases_of(name, inputs.weeks[name]),
            budget=stage_budget(name, inputs.weeks[name], inputs.facts),
            roles=_roles(name, inputs.policy),
            gates=gates[name],
            operating_rules=tuple(OperatingRule(code=code, source=source) for code, source in _OPERATING[name]),
            stop_rules=stop_rules_of(name, inputs.facts, inputs.policy),
            rollback=_ROLLBACK[name],
            monitoring=triggers_of(name, inputs.facts, inputs.policy),
            closing=_closing(closed.get(name)),
        )
        for name in STAGES
    )


def next_stage_of(decisions: Sequence[StageDecision]) -> StageName:
    """The stage that the verdict is about: the one after the last that was closed with go.

    Args:
        decisions: How stages were closed, oldest first.
    """
    closed = {d.stage: d for d in decisions}
    behind = [stage for stage in STAGES if _is_behind(closed.get(stage))]
    if not behind:
        return "proof_of_concept"
    after = STAGES.index(behind[-1]) + 1
    return STAGES[min(after, len(STAGES) - 1)]


def _is_behind(decision: StageDecision | None) -> bool:
    return decision is not None and decision.decision == "go"


def _statuses(closed: dict[StageName, StageDecision], verdict: Verdict) -> dict[StageName, Status]:
    ready = verdict in {"go", "go_with_conditions"}
    found: dict[StageName, Status] = {}
    next_named = False
    for stage in STAGES:
        decision = closed.get(stage)
        if decision is not None and decision.decision == "stop":
            found[stage] = "stopped"
            next_named = True
        elif _is_behind(decision):
            found[stage] = "done"
        elif stage == "desk_check":
            found[stage] = "ready" if ready else "open"  # done is only what somebody closed
            next_named = not ready
        else:
            found[stage] = "later" if next_named else "next"
            next_named = True
    return found


def _closing(decision: StageDecision | None) -> Closing | None:
    if decision is None:
        return None
    return Closing(
        decision_id=decision.id,
        decision=decision.decision,
        by=decision.by,
        on=decision.decided_at.astimezone(dt.UTC).date(),
        reason=decision.reason or decision.note,
        unmet=tuple(gate.code for gate in decision.unmet),
    )


def _closed_gate(code: str, stage: StageName, inputs: StageInputs) -> Gate:
    """Whether the stage before was closed with go, which only a stored decision says."""
    asked = strictest_of(["trial_first"], inputs.policy) if code == "pilot_closed" else None
    told = {"threshold_source": "policy", "source": asked.statement.passage} if asked else {}
    decision = next((d for d in reversed(inputs.decisions) if d.stage == stage), None)
    if decision is None or decision.decision == "repeat":
        return missing_gate(code, "go", when="entry", **told)
    return missing_gate(
        code, "go", when="entry", state="passed" if decision.decision == "go" else "failed",
        value=decision.decision, evidence=decision.id, answered_by="", **told,
    )  # fmt: skip


def _team_gate(code: str, requirement: str, policy: Sequence[PolicyFinding]) -> Gate:
    asked = strictest_of([requirement], policy)
    told = {"threshold_source": "policy", "source": asked.statement.passage} if asked else {}
    return missing_gate(code, when="entry", **told)


def _approval(policy: Sequence[PolicyFinding]) -> tuple[Gate, ...]:
    """Somebody's approval, where the policy asks for it."""
    asked = strictest_of(["approval"], policy)
    if asked is None:
        return ()
    names = ", ".join(asked.statement.values)
    return (missing_gate("approval", names, when="entry", threshold_source="policy", source=asked.statement.passage),)


def _at_load(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    line = latency_line(facts, policy)
    if line.number is None:
        return missing_gate("latency_at_load", "p95")
    return missing_gate(
        "latency_at_load", f"{line.number:.0f} ms", limit=line.number, unit="ms",
        threshold_source=line.source, source=line.ref,
    )  # fmt: skip


def _own_copy(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    asked = strictest_of(["own_copy"], policy)
    told = {"threshold_source": "policy", "source": asked.statement.passage} if asked else {}
    found = facts.record_of("fetch_model")
    if found is None or found[0]["source"] not in {"mirror", "folder"}:
        return missing_gate("own_copy", "mirror or folder", when="entry", **told)
    return missing_gate(
        "own_copy", "mirror or folder", when="entry", state="passed", value=f"source_{found[0]['source']}",
        evidence=found[1], answered_by="", **{"threshold_source": "guidance", **told},
    )  # fmt: skip


def _roles(stage: StageName, policy: Sequence[PolicyFinding]) -> tuple[Role, ...]:
    """Whom to name; the approver as the policy names the role."""
    approval = strictest_of(["approval"], policy)
    named = ", ".join(approval.statement.values) if approval else ""
    return tuple(
        Role(
            code=code,  # type: ignore[arg-type]  # one of the words
            name=named if code == "approver" else "",
            source=approval.statement.passage if approval and code == "approver" and named else "",
        )
        for code in _ROLES[stage]
    )
