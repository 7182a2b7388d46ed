"""Plans with their versions: what a call continues, the stored plan before it, and the next number.

A plan belongs to a model and a use. A call that states no use continues the newest plan of its model: with its use and its
targets, as far as the call does not set them anew.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import ValidationError

from assistant.advice.plan import plan_adoption
from assistant.advice.plan_records import AdoptionPlan
from assistant.advice.use_key import use_key
from assistant.evidence import Evidence
from assistant.plan_store import PlanKey, StoredPlan
from assistant.services import Services
from tools.errors import MissingEvidence

_LONGEST_KEY = 400
_AMOUNTS = frozenset({"currency", "price_per_hour", "budget_per_month"})


class PlanCall(NamedTuple):
    """What a plan is made of beside the evidence."""

    key: PlanKey
    use_case: str
    targets: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the tool."""
        return {"model": self.key.model, "use_case": self.use_case, "targets": self.targets}


def resolve_call(services: Services, arguments: dict[str, Any], user: str) -> PlanCall:
    """What a call asks for, completed by the plan that it continues.

    Args:
        services: Where plans are kept.
        arguments: The tool's arguments as they were given.
        user: Whose plan it is.
    """
    model, said = str(arguments["model"]), str(arguments.get("use_case") or "")
    targets = dict(arguments.get("targets") or {})
    key = use_key(said)[:_LONGEST_KEY]
    if key:
        return PlanCall(PlanKey(user, model, key), said, targets)
    newest = next(iter(services.plans.versions(user, model)), None)
    if newest is None:
        return PlanCall(PlanKey(user, model, ""), said, targets)
    plan = read_plan(services, newest)
    return PlanCall(newest.key, newest.use_case or said, {**_still_told(plan, targets), **targets})


def _still_told(plan: AdoptionPlan | None, targets: dict[str, Any]) -> dict[str, Any]:
    """The targets of the plan before; amounts only while they are in the same currency."""
    before = dict(plan.targets) if plan else {}
    if targets.get("currency", before.get("currency")) != before.get("currency"):
        before = {name: value for name, value in before.items() if name not in _AMOUNTS}
    return before


def read_plan(services: Services, stored: StoredPlan) -> AdoptionPlan | None:
    """A stored plan; None when its record is gone, or of a form that is not known any more."""
    found = services.store.get(stored.evidence, user=stored.key.user)
    try:
        return AdoptionPlan.model_validate(found.record) if found else None
    except ValidationError:
        return None


def draft_plan(services: Services, call: PlanCall, version: int) -> AdoptionPlan:
    """The plan that follows from what is known now; it is not stored.

    Args:
        services: Evidence, plans, decisions and the team's documents.
        call: What is planned.
        version: Number that the plan carries.
    """
    user, model, key = call.key
    before = next((p for p in services.plans.versions(user, model, key) if p.version < version), None)
    return plan_adoption(
        **call.arguments,
        evidence=services.store.find(user=user, model=model),
        passages=services.team_documents.passages(user),
        decisions=services.plans.decisions(user, model, key),
        previous=read_plan(services, before) if before else None,
        version=version,
    )


def store_plan(services: Services, call: PlanCall, conversation: str) -> Evidence:
    """Make the next version of a plan and keep it.

    Args:
        services: Evidence, plans, decisions and the team's documents.
        call: What is planned.
        conversation: Conversation of the evidence.
    """
    stored: list[Evidence] = []

    def make(version: int) -> tuple[str, str]:
        plan = draft_plan(services, call, version)
        evidence = services.store.add(
            plan, user=call.key.user, conversation=conversation, tool="plan_adoption", arguments=call.arguments
        )
        stored.append(evidence)
        return evidence.id, plan.verdict

    services.plans.add(call.key, call.use_case, make)
    return stored[0]


def find_version(services: Services, arguments: dict[str, Any], user: str, version: int | None) -> StoredPlan:
    """A version of the plan that a call is about; the newest without a number.

    Raises:
        MissingEvidence: There is no such version.
    """
    call = resolve_call(services, arguments, user)
    found = services.plans.versions(user, call.key.model, call.key.use_key)
    wanted = next((p for p in found if version in {None, p.version}), None)
    if wanted is None:
        model = call.key.model
        if not found:
            raise MissingEvidence(f"There is no plan for `{model}` yet.", f"Run `tameshi plan-adoption {model}` first.")
        raise MissingEvidence(
            f"The plan for `{model}` has no version `{version}`; the newest is `{found[0].version}`.",
            "Run `tameshi plans` to see all of them.",
        )
    return wanted
