"""Closes a stage of a plan: the gates as they stand now are written down with who decided what, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from assistant.advice.decision_records import STAGES, Choice, GateAtClosing, StageDecision, StageName
from assistant.advice.plan_records import Gate
from assistant.planning import PlanCall, draft_plan, find_version, read_plan, resolve_call
from assistant.question import readable
from assistant.services import Services
from tools.errors import GatesOpen, InvalidArgument

_LONGEST_WORDS = 2_000
_CHOICES: tuple[Choice, ...] = ("go", "stop", "repeat")


def close_stage(
    services: Services,
    arguments: dict[str, Any],
    stage: str,
    decision: str,
    *,
    by: str,
    note: str = "",
    reason: str = "",
    stated: Mapping[str, str] | None = None,
    user: str = "local",
) -> StageDecision:
    """Close a stage and keep the decision.

    Args:
        services: Evidence, plans and decisions.
        arguments: `model`, and `use_case` where the model has plans for several uses.
        stage: Name of the stage.
        decision: go, stop or repeat.
        by: Who decides.
        note: Why.
        reason: Why it is closed with go although gates do not hold.
        stated: What the team found out itself, by the gate's code; a gate that is stated counts as held.
        user: Whose plan it is.

    Raises:
        InvalidArgument: Not a stage, a decision or a gate; or nobody decides.
        MissingEvidence: There is no plan.
        GatesOpen: Gates do not hold and no reason is given.
    """
    name, choice = _stage(stage), _choice(decision)
    who = readable(by)[:_LONGEST_WORDS]
    if not who:
        raise InvalidArgument("A decision needs the name of somebody who decides.", "Name who decides with `--by`.")
    newest = find_version(services, arguments, user, None)
    kept = read_plan(services, newest)
    call = resolve_call(services, {"model": newest.key.model, "use_case": newest.use_case}, user)
    call = PlanCall(newest.key, newest.use_case, kept.targets if kept else call.targets)
    # The evidence of today counts, not that of the day on which the plan was made.
    plan = draft_plan(services, call, newest.version)
    gates = _as_closed([g for g in plan.stage(name).gates if _counts(g)], stated or {})
    draft = StageDecision(
        id="",
        model=newest.key.model,
        commit=plan.commit,
        use_case=newest.use_case,
        plan_version=newest.version,
        plan_evidence=newest.evidence,
        stage=name,
        decision=choice,
        verdict=plan.verdict,
        by=who,
        note=readable(note)[:_LONGEST_WORDS],
        reason=readable(reason)[:_LONGEST_WORDS],
        gates=gates,
        decided_at=dt.datetime.now(dt.UTC),
    )
    if choice == "go" and draft.unmet and not draft.reason:
        names = ", ".join(f"`{gate.code}`" for gate in draft.unmet)
        raise GatesOpen(
            f"These gates of the stage do not hold: {names}.",
            "Give what you found with `--found GATE=VALUE`, or say with `--reason` why you go on all the same.",
        )
    return services.plans.decide(newest.key, draft)


def _counts(gate: Gate) -> bool:
    """Exit gates, and that the stage before was closed."""
    return gate.when == "exit" or gate.code.endswith("_closed")


def _stage(name: str) -> StageName:
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    wanted = "proof_of_concept" if wanted == "poc" else wanted
    stage: StageName
    for stage in STAGES:
        if stage == wanted:
            return stage
    raise InvalidArgument(f"`{readable(name)[:60]}` is no stage.", f"The stages are {', '.join(STAGES)}.")


def _choice(word: str) -> Choice:
    choice: Choice
    for choice in _CHOICES:
        if choice == word.strip().lower():
            return choice
    raise InvalidArgument(f"`{readable(word)[:60]}` is no decision.", "The decisions are go, stop and repeat.")


def _as_closed(gates: list[Gate], stated: Mapping[str, str]) -> tuple[GateAtClosing, ...]:
    codes = {gate.code for gate in gates}
    unknown = next((code for code in stated if code not in codes), None)
    if unknown is not None:
        known = ", ".join(sorted(codes)) or "none"
        raise InvalidArgument(f"`{readable(unknown)[:60]}` is no gate of this stage.", f"Its gates are {known}.")
    return tuple(
        GateAtClosing(
            code=gate.code,
            state="stated" if gate.code in stated and gate.state != "failed" else gate.state,
            value=readable(stated[gate.code])[:_LONGEST_WORDS]
            if gate.code in stated and gate.state != "failed"
            else gate.value,
            threshold=gate.threshold,
            evidence=gate.evidence,
        )
        for gate in gates
    )
