"""Whose number counts: the policy's above guidance and measured baselines, and the stricter one of policy and user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_records import ThresholdSource
from assistant.advice.policy_records import Conflict, PolicyFinding
from assistant.money import pattern_of

GUIDANCE = {
    "files_safe": "G59",
    "advisories": "G60",
    "licence_known": "G31",
    "version_pinned": "G38",
    "library_fit": "G18",
    "limitations_documented": "G34",
    "documented_for_use": "G34",
    "memory": "G54",
    "quality": "G04",
    "latency": "G29",
    "behaviour": "G14",
    "cost": "G12",
    "desk_check_closed": "G02",
    "owner_named": "G45",
    "examples_ready": "G04",
    "rules_written": "G43",
    "poc_closed": "G48",
    "rollback": "G57",
    "human_review": "G25",
    "shadow": "G02",
    "users": "G48",
    "answers_in_use": "G40",
    "latency_at_load": "G29",
    "pilot_closed": "G46",
    "approval": "G46",
    "monitoring": "G40",
    "refresh": "G35",
    "own_copy": "G06",
    "locked": "G18",
}
"""Guidance entry that a gate follows, by its code."""


_LATENCY_ROOM = 2.0
"""Without a target, this many times what was measured here is a line that a regression would cross."""


class Line(NamedTuple):
    """A threshold and who set it."""

    number: float | None
    """The threshold; None when nobody set one."""
    source: ThresholdSource
    ref: str
    """Passage of the policy, guidance entry or evidence that it stands in, or empty."""
    conflicts: tuple[Conflict, ...] = ()


def upper_line(
    gate: str,
    requirement: str,
    unit: str,
    user: float | None,
    policy: Sequence[PolicyFinding],
    baseline: tuple[float, str] | None = None,
    *,
    pattern: str = "{:g}",
) -> Line:
    """The limit that counts for a gate.

    Args:
        gate: Code of the gate.
        requirement: Requirement of a policy that sets its limit.
        unit: Unit of all numbers; a policy's limit in another unit is left out.
        user: The user's target.
        policy: The policy findings.
        baseline: A limit that follows from a measurement, with its evidence id, for want of anything else.
        pattern: How numbers are shown in a conflict.
    """
    stated = [
        f.statement
        for f in policy
        if f.statement.requirement == requirement and f.statement.force == "must" and f.statement.limit is not None
    ]
    fitting = [s for s in stated if s.unit in {unit, ""} and not s.only_if]
    strictest = min(fitting, key=lambda s: s.limit or 0.0, default=None)
    if strictest is None or strictest.limit is None:
        if user is not None:
            return Line(user, "user", "")
        return Line(baseline[0], "measured", baseline[1]) if baseline else Line(None, "team", "")
    limit = strictest.limit
    if user is None:
        against = ("measured", baseline[0], baseline[1]) if baseline and baseline[0] != limit else None
        return Line(
            limit, "policy", strictest.passage, _conflict(gate, "policy", strictest.passage, limit, against, pattern)
        )
    clash = _conflict(
        gate,
        "policy" if limit < user else "user",
        strictest.passage,
        limit,
        ("user", user, "") if user != limit else None,
        pattern,
    )
    return Line(limit, "policy", strictest.passage, clash) if limit <= user else Line(user, "user", "", clash)


def _conflict(
    gate: str,
    wins: str,
    passage: str,
    limit: float,
    against: tuple[str, float, str] | None,
    pattern: str,
) -> tuple[Conflict, ...]:
    if against is None:
        return ()
    who, other, source = against
    return (
        Conflict(
            gate=gate,
            wins=wins,  # type: ignore[arg-type]  # one of the two words
            passage=passage,
            policy_line=pattern.format(limit),
            against=who,  # type: ignore[arg-type]  # one of the words
            other_line=pattern.format(other),
            source=source,
        ),
    )


def strictest_of(requirements: Sequence[str], policy: Sequence[PolicyFinding]) -> PolicyFinding | None:
    """The finding that speaks for a gate: a violated one, else one that nobody could check, else the first; None without.

    Args:
        requirements: Requirements that the gate stands for.
        policy: The policy findings, violated ones first.
    """
    return next(
        (
            f
            for f in policy
            if f.statement.requirement in requirements and f.statement.force == "must" and not f.statement.only_if
        ),
        None,
    )


def memory_line(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Line:
    """The limit of the memory in MiB."""
    return upper_line("memory", "max_memory", "MiB", facts.device_memory_mib, policy, pattern="{:,.0f} MiB")


def latency_line(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Line:
    """The limit of the p95 response time in milliseconds."""
    p95, target = facts.latency_p95_ms, facts.targets.get("latency_p95_ms")
    baseline = (_LATENCY_ROOM * p95[0], p95[1]) if p95 else None
    return upper_line(
        "latency", "max_latency", "ms", float(target) if target else None, policy, baseline, pattern="{:,.0f} ms"
    )


def budget_line(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Line:
    """The budget a month, in the currency of the estimate or of the targets."""
    cost, target = facts.cost, facts.targets.get("budget_per_month")
    currency = cost.record["currency"] if cost else str(facts.targets.get("currency") or "")
    return upper_line(
        "cost", "max_budget", currency, float(target) if target else None, policy, pattern=pattern_of(currency)
    )


def budget_in_other_currency(policy: Sequence[PolicyFinding]) -> PolicyFinding | None:
    """The budget of the policy that the estimate cannot be held against, since no rate is known here; None without."""
    found = [
        f for f in policy if f.reason == "other_currency" and f.statement.force == "must" and not f.statement.only_if
    ]
    return min(found, key=lambda f: f.statement.limit or 0.0, default=None)
