"""The tool `plan_adoption`: stages with gates bound to evidence, and a verdict by named rules.

R-SAFE  refused files end the matter                                    → no
R-LIC   the licence must be known, agree with its text, allow the use   → not yet
R-VER   the version must be pinned                                      → condition
R-DOC   limitations must be documented, or tested by the team itself    → condition
R-MEM   the memory must fit what the user has                           → not yet
R-LAT   the measured latency must meet the user's target                → not yet
R-MEAS  nothing is adopted unmeasured                                   → not yet
R-COST  the cost must be known before a pilot                           → condition
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.gates import Gate, desk_check_gates, trial_gates
from assistant.evidence import Evidence, latest, of_present_commit

Verdict = Literal["go", "go_with_conditions", "not_yet", "no"]
Effect = Literal["supports", "condition", "blocks", "ends"]


class FiredRule(BaseModel):
    """A named rule with what it found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    """Rule id; its sentence is `rule.<id>.<effect>`."""
    effect: Effect
    """What it does to the verdict."""
    value: str
    """What it found, or empty."""
    evidence: str
    """Evidence id, or empty."""


class Stage(BaseModel):
    """One stage of the plan; its sentences are `stage.<name>.*`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["desk_check", "proof_of_concept", "pilot", "production"]
    status: Literal["done", "next", "open", "later"]
    """`open` is a desk check with gates that do not hold yet."""
    time_box_weeks: int
    """Longest duration, in weeks."""
    gates: tuple[Gate, ...]
    """What must hold to leave the stage."""
    stop_rules: tuple[str, ...]
    """When to stop, as keys of sentences (`stop.<key>`)."""


class AdoptionPlan(BaseModel):
    """A staged plan with its verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference."""
    commit: str
    """Commit or content hash that the plan is about."""
    use_case: str
    """What the model is for, in the user's words."""
    targets: dict[str, Any]
    """Load, price, memory and latency as the user gave them."""
    verdict: Verdict
    """What the rules add up to."""
    rules: tuple[FiredRule, ...]
    """Rules that fired, the weightiest first."""
    stages: tuple[Stage, ...]
    """Desk check, proof of concept, pilot, production."""
    operating_rules: tuple[str, ...]
    """What to settle before the first stage, as keys of sentences (`operating.<key>`)."""
    owners: tuple[str, ...]
    """Roles to name, as keys of sentences (`owner.<key>`)."""
    budget: str
    """Monthly running cost at ordinary utilisation, or of the devices that the response time needs; empty when not known."""
    missing_inputs: tuple[str, ...]
    """What the user could still tell, as keys of sentences (`missing.<key>`), at most two."""
    not_checked: tuple[str, ...]
    """What nobody looked at, as keys of sentences (`unchecked.<key>`)."""
    evidence: tuple[str, ...]
    """Evidence ids that the plan rests on."""


def plan_adoption(
    model: str, use_case: str = "", targets: dict[str, Any] | None = None, *, evidence: Sequence[Evidence]
) -> AdoptionPlan:
    """Plan the adoption of a model in stages.

    Args:
        model: Canonical reference.
        use_case: What it is for, in the user's words.
        targets: `requests_per_day`, `price_per_hour`, `currency`, `device_memory_gib`, `latency_p95_ms`, as far as known.
        evidence: The user's evidence about the model, newest first.
    """
    wanted = targets or {}
    evidence = of_present_commit(evidence)
    desk, trial = desk_check_gates(evidence, wanted), trial_gates(evidence, wanted)
    rules = _rules({g.code: g for g in (*desk, *trial)})
    verdict = _verdict(rules)
    used = dict.fromkeys(g.evidence for g in (*desk, *trial) if g.evidence)
    cost = next((g for g in trial if g.code == "cost"), None)
    return AdoptionPlan(
        model=model,
        commit=next((e.commit for e in evidence if e.commit), ""),
        use_case=use_case,
        targets=wanted,
        verdict=verdict,
        rules=rules,
        stages=_stages(desk, trial, verdict),
        operating_rules=("owner", "data", "version", "documentation", "log", "stop"),
        owners=("decides", "runs", "checks"),
        budget=cost.value if cost else "",
        missing_inputs=_missing_inputs(wanted),
        not_checked=(
            "quality",
            "users",
            "legal",
            *(() if latest(evidence, "observe_behavior") else ("behavior",)),
            "gpu",
        ),
        evidence=tuple(used),
    )


def _rules(gates: dict[str, Gate]) -> tuple[FiredRule, ...]:
    wanted: list[tuple[str, str, Effect, Effect]] = [
        ("R-SAFE", "files_safe", "ends", "blocks"),
        ("R-LIC", "licence_known", "blocks", "blocks"),
        ("R-MEM", "memory", "blocks", "blocks"),
        ("R-LAT", "latency", "blocks", "blocks"),
        ("R-VER", "version_pinned", "condition", "condition"),
        ("R-DOC", "limitations_documented", "condition", "condition"),
        ("R-COST", "cost", "condition", "condition"),
    ]
    fired = []
    for rule, code, when_failed, when_missing in wanted:
        gate = gates[code]
        effect: Effect = {"passed": "supports", "failed": when_failed, "missing": when_missing}[gate.state]  # type: ignore[assignment]
        name = "R-MEAS" if gate.state == "missing" and code in {"memory", "latency"} else rule
        fired.append(FiredRule(rule=name, effect=effect, value=gate.value, evidence=gate.evidence))
    order = {"ends": 0, "blocks": 1, "condition": 2, "supports": 3}
    return tuple(sorted({(f.rule, f.effect): f for f in fired}.values(), key=lambda f: order[f.effect]))


def _verdict(rules: Sequence[FiredRule]) -> Verdict:
    effects = {rule.effect for rule in rules}
    if "ends" in effects:
        return "no"
    if "blocks" in effects:
        return "not_yet"
    return "go_with_conditions" if "condition" in effects else "go"


def _stages(desk: tuple[Gate, ...], trial: tuple[Gate, ...], verdict: Verdict) -> tuple[Stage, ...]:
    ready = verdict in {"go", "go_with_conditions"}
    later = tuple(
        Gate(code=code, state="missing", value="", threshold="", threshold_source="team", evidence="")
        for code in ("shadow", "users", "rollback")
    )
    last = tuple(
        Gate(code=code, state="missing", value="", threshold="", threshold_source="team", evidence="")
        for code in ("monitoring", "refresh")
    )
    return (
        Stage(
            name="desk_check",
            status="done" if ready else "open",
            time_box_weeks=1,
            gates=desk,
            stop_rules=("unsafe", "licence"),
        ),
        Stage(
            name="proof_of_concept",
            status="next" if ready else "later",
            time_box_weeks=2,
            gates=trial,
            stop_rules=("quality", "latency"),
        ),
        Stage(name="pilot", status="later", time_box_weeks=4, gates=later, stop_rules=("harm", "budget")),
        Stage(name="production", status="later", time_box_weeks=0, gates=last, stop_rules=("drift", "version")),
    )


def _missing_inputs(targets: dict[str, Any]) -> tuple[str, ...]:
    asked = []
    if "requests_per_day" not in targets or "price_per_hour" not in targets:
        asked.append("load_and_price")
    if "latency_p95_ms" not in targets:
        asked.append("latency")
    return tuple(asked[:2])
