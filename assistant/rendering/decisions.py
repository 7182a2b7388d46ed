"""Decisions and versions of plans as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import has, say
from assistant.rendering.style import code, plain, table

if TYPE_CHECKING:
    from assistant.advice.decision_records import GateAtClosing, StageDecision
    from assistant.plan_store import StoredPlan

_MOST_DECISIONS = 20


def decisions_text(
    decisions: Sequence[StageDecision], plans: Sequence[StoredPlan], model: str, language: Language
) -> str:
    """Decisions with who, when, why, and the gates with their evidence; or that nothing was decided.

    Args:
        decisions: The decisions, oldest first.
        plans: Versions of plans, the latest first.
        model: The model that was asked about; empty for all.
        language: Language of the text.
    """
    if not decisions:
        none = say("decisions.none", language, model=code(model)) if model else say("decisions.none_all", language)
        return f"{none}\n\n{_planned(plans[0], language)}" if plans and model else none
    head = say("decisions.head", language, model=plain(model)) if model else say("decisions.head_all", language)
    lines = [line for each in decisions[-_MOST_DECISIONS:] for line in decision_lines(each, language, named=not model)]
    return "\n".join([head, *lines])


def _planned(plan: StoredPlan, language: Language) -> str:
    verdict = say(f"plan_change.value.{plan.verdict}", language)
    return say("decisions.planned", language, version=plan.version, plan=plan.evidence, verdict=verdict)


def decision_lines(decision: StageDecision, language: Language, *, named: bool = False) -> list[str]:
    """One decision: what, who, when, why, and which gates held."""
    key = "model_line" if named else "line"
    given = {
        "stage": say(f"stage.{decision.stage}", language),
        "decision": say(f"gate.found.{decision.decision}", language),
        "by": plain(decision.by, 80),
        "date": decision.decided_at.date().isoformat(),
        "id": decision.id,
        "version": decision.plan_version,
        "plan": decision.plan_evidence,
        "use": plain(decision.use_case, 160) or say("decisions.no_use", language),
        "model": plain(decision.model),
    }
    lines = [say(f"decisions.{key}", language, **given)]
    if decision.note:
        lines.append(say("decisions.why", language, text=plain(decision.note, 400)))
    held = [gate for gate in decision.gates if gate.holds]
    if held:
        lines.append(say("decisions.held", language, text=_gates(held, language)))
    if decision.unmet:
        lines.append(say("decisions.unmet", language, text=_gates(decision.unmet, language)))
    if decision.reason:
        lines.append(say("decisions.reason", language, text=plain(decision.reason, 400)))
    return lines


def _gates(gates: Sequence[GateAtClosing], language: Language) -> str:
    return say("common.list_joint", language).join(_gate(gate, language) for gate in gates)


def _gate(gate: GateAtClosing, language: Language) -> str:
    name = say(f"gate.{gate.code}", language) if has(f"gate.{gate.code}") else plain(gate.code)
    found = say(f"gate.found.{gate.value}", language) if has(f"gate.found.{gate.value}") else plain(gate.value, 120)
    state = f" ({say(f'gate.state.{gate.state}', language)})" if gate.state in {"stated", "no_limit"} else ""
    cited = f" [{gate.evidence}]" if gate.evidence else ""
    shown = say("decisions.gate", language, name=name, found=found) if found else name
    return f"{shown}{state}{cited}"


def stored_text(decision: StageDecision, language: Language) -> str:
    """A decision that was just stored."""
    head = say(
        "decisions.stored", language, id=decision.id, stage=say(f"stage.{decision.stage}", language),
        model=code(decision.model), decision=say(f"gate.found.{decision.decision}", language), by=plain(decision.by, 80),
    )  # fmt: skip
    command = f"tameshi plan-adoption {code(decision.model)}"
    return "\n".join([head, *decision_lines(decision, language)[1:], say("decisions.next", language, command=command)])


def plans_table(plans: Sequence[StoredPlan], language: Language) -> str:
    """Versions of plans, the latest first."""
    if not plans:
        return say("decisions.no_plans", language)
    rows = [
        [
            plain(plan.key.model),
            plain(plan.use_case, 80) or say("decisions.no_use", language),
            str(plan.version),
            say(f"plan_change.value.{plan.verdict}", language),
            f"{plan.created_at:%Y-%m-%d %H:%M} UTC",
            plan.evidence,
        ]
        for plan in plans
    ]
    return table(say("decisions.columns", language), rows)
