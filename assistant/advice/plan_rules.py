"""The named rules of a plan: what each found, what it does to the verdict, and what would change it.

Every rule is listed, also where it speaks for the model; `docs/plan.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from assistant.advice.decision_records import StageDecision
from assistant.advice.gates import KNOWN
from assistant.advice.plan_budget import monthly_range
from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_records import Effect, FiredRule, Gate, State, Timing, Verdict
from assistant.advice.policy_check import effect_of
from assistant.advice.policy_records import PolicyFinding

_WEIGHT: dict[Effect, int] = {"ends": 0, "blocks": 1, "condition": 2, "supports": 3, "silent": 4}
_RESTRICTED = frozenset({"personal", "sensitive_personal"})


class _Rule(NamedTuple):
    """A rule that a single gate decides."""

    rule: str
    gate: str
    failed: Effect
    missing: Effect


_OF_GATES = (
    _Rule("R-SAFE", "files_safe", "ends", "blocks"),
    _Rule("R-ADV", "advisories", "blocks", "condition"),
    _Rule("R-LIC", "licence_known", "blocks", "blocks"),
    _Rule("R-MEM", "memory", "blocks", "blocks"),
    _Rule("R-LAT", "latency", "blocks", "blocks"),
    _Rule("R-LIB", "library_fit", "blocks", "silent"),
    _Rule("R-VER", "version_pinned", "condition", "condition"),
    _Rule("R-DOC", "limitations_documented", "condition", "condition"),
    _Rule("R-USE", "documented_for_use", "condition", "silent"),
    _Rule("R-BEH", "behaviour", "condition", "silent"),
)
_UNMEASURED = frozenset({"memory", "latency"})


def fire_rules(
    gates: Mapping[str, Gate],
    facts: PlanFacts,
    policy: Sequence[PolicyFinding],
    decisions: Sequence[StageDecision],
    timing: Timing,
) -> tuple[FiredRule, ...]:
    """All rules, the weightiest first.

    Args:
        gates: Gates of desk check and proof of concept by code.
        facts: What is known about the model.
        policy: What the team's documents ask for.
        decisions: How stages of this plan were closed, oldest first.
        timing: How the stages fit the deadline.
    """
    fired = [
        *_gate_rules(gates, facts, policy),
        _cost(gates["cost"], facts),
        _newer(facts),
        _data(facts),
        *_policy(policy),
        *_decided(decisions),
        *_time(timing),
    ]
    return tuple(sorted(dict.fromkeys(fired), key=lambda each: _WEIGHT[each.effect]))


def verdict_of(rules: Sequence[FiredRule]) -> Verdict:
    """What the rules add up to: the weightiest effect decides."""
    effects = {rule.effect for rule in rules}
    if "ends" in effects:
        return "no"
    if "blocks" in effects:
        return "not_yet"
    return "go_with_conditions" if "condition" in effects else "go"


def _gate_rules(gates: Mapping[str, Gate], facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Iterator[FiredRule]:
    released = {f.statement.requirement: f for f in policy if f.state == "waived"}
    told = {f.gate for f in policy if f.state == "violated" and effect_of(f) != "silent"}
    for rule, code, failed, missing in _OF_GATES:
        gate = gates[code]
        if code in told and gate.state == "failed" and gate.threshold_source == "policy":
            continue  # the statement of the policy itself is listed, with its quote
        effects: dict[State, Effect] = {
            "passed": "supports", "failed": failed, "missing": missing, "no_limit": "silent",
        }  # fmt: skip
        # A figure that nobody limited speaks neither for nor against a model.
        effect = "silent" if gate.state == "passed" and gate.threshold == KNOWN else effects[gate.state]
        name = "R-MEAS" if gate.state == "missing" and code in _UNMEASURED else rule
        waiver = released.get("limitations") or released.get("card") if rule == "R-DOC" else None
        if waiver is not None and effect == "condition" and gate.threshold_source == "guidance":
            # What guidance asks for, and the team's own document releases, does not hold up the plan.
            effect, source = "silent", waiver.statement.passage
        else:
            source = gate.source
        yield FiredRule(
            rule=name,
            effect=effect,
            value=gate.value,
            threshold=gate.threshold,
            evidence=gate.evidence,
            source=source,
            change="" if effect in {"supports", "silent"} else _change_of(name, gate.state, facts),
        )


def _change_of(rule: str, state: State, facts: PlanFacts) -> str:
    # Before a faster machine is bought, the measurement that failed should have had this one for itself.
    amid_noise = rule == "R-LAT" and state == "failed" and facts.measured_amid_noise
    return f"{rule}.{state}_amid_noise" if amid_noise else f"{rule}.{state}"


def _cost(gate: Gate, facts: PlanFacts) -> FiredRule:
    # Without a budget an amount is no argument: whether it is bearable is for its owner to say, before the pilot.
    effects: dict[State, Effect] = {"passed": "supports", "no_limit": "silent"}
    effect = effects.get(gate.state, "condition")
    cost = facts.cost
    if gate.state == "failed" and cost is not None and gate.limit is not None:
        # Dearer than the budget even at the lower end of the range, or only at the upper one.
        effect = "blocks" if monthly_range(cost.record)[0] > gate.limit else "condition"
    why = "other_currency" if gate.state == "missing" and gate.value else gate.state
    return FiredRule(
        rule="R-COST", effect=effect, value=gate.value, threshold=gate.threshold, evidence=gate.evidence,
        source=gate.source, change="" if effect in {"supports", "silent"} else f"R-COST.{why}",
    )  # fmt: skip


def _newer(facts: PlanFacts) -> FiredRule:
    found = facts.record_of("check_version")
    newest = found[0].get("newest_commit") if found else None
    if found is None or newest is None:
        return FiredRule(rule="R-NEW", effect="silent", value="", evidence=found[1] if found else "", source="G39")
    same = newest == found[0]["commit"]
    return FiredRule(
        rule="R-NEW", effect="supports" if same else "condition", value=newest[:19], evidence=found[1], source="G35",
        change="" if same else "R-NEW.failed",
    )  # fmt: skip


def _data(facts: PlanFacts) -> FiredRule:
    said = facts.data_class
    if not said:
        return FiredRule(rule="R-DATA", effect="silent", value="", evidence="", source="G44")
    restricted = said in _RESTRICTED
    return FiredRule(
        rule="R-DATA", effect="condition" if restricted else "supports", value=said, evidence="", source="G44",
        change="R-DATA.failed" if restricted else "",
    )  # fmt: skip


def _policy(policy: Sequence[PolicyFinding]) -> Iterator[FiredRule]:
    """A rule for each statement that holds the plan up, one for all that nobody could check, one for all that hold."""
    binding = [f for f in policy if f.statement.force == "must"]
    if not binding:
        yield FiredRule(rule="R-POL", effect="silent", value="", evidence="")
        return
    violated: dict[str, PolicyFinding] = {}
    for finding in (f for f in binding if f.state == "violated"):
        violated.setdefault(finding.statement.requirement, finding)
    for finding in violated.values():
        effect: Effect = effect_of(finding)  # type: ignore[assignment]  # one of the words
        yield FiredRule(
            rule="R-POL", effect=effect, value=finding.value, threshold=finding.statement.requirement,
            evidence=finding.evidence, source=finding.statement.passage,
            change="" if effect == "silent" else "R-POL.condition" if finding.statement.only_if else "R-POL.violated",
        )  # fmt: skip
    open_ones = [f for f in binding if effect_of(f) == "condition" and f.state == "not_checkable"]
    if open_ones:
        yield FiredRule(
            rule="R-READ", effect="condition", value=str(len(open_ones)), evidence="",
            source=open_ones[0].statement.passage, change="R-READ.missing",
        )  # fmt: skip
    held = [f for f in binding if f.state == "held"]
    if held and not violated:
        yield FiredRule(
            rule="R-POL", effect="supports", value=str(len(held)), evidence=held[0].evidence,
            source=held[0].statement.passage,
        )  # fmt: skip


def _decided(decisions: Sequence[StageDecision]) -> Iterator[FiredRule]:
    last = decisions[-1] if decisions else None
    if last is None:
        return
    if last.decision == "stop":
        yield FiredRule(
            rule="R-DEC", effect="ends", value=last.stage, threshold=last.by, evidence=last.id, change="R-DEC.stopped"
        )
        return
    yield FiredRule(rule="R-DEC", effect="supports", value=last.stage, threshold=last.by, evidence=last.id)
    if last.decision == "go" and last.unmet:
        codes = ", ".join(gate.code for gate in last.unmet)
        yield FiredRule(
            rule="R-GATE", effect="condition", value=codes, threshold=last.by, evidence=last.id, change="R-GATE.open"
        )


def _time(timing: Timing) -> Iterator[FiredRule]:
    if timing.deadline is None:
        return
    weeks = f"{timing.weeks}"
    yield FiredRule(
        rule="R-TIME", effect="supports" if timing.fits else "condition", value=weeks,
        threshold=timing.deadline.isoformat(), evidence="", change="" if timing.fits else "R-TIME.short",
    )  # fmt: skip
