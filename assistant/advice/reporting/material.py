"""What a report is made from: the plan, the evidence that it names, the team's decisions, and for whom it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assistant.advice.decision_records import StageDecision
from assistant.advice.plan_records import AdoptionPlan, Gate
from assistant.advice.reporting.report_file import Audience
from assistant.evidence import Evidence, latest, of_present_commit
from assistant.languages import Language
from assistant.translation import translate
from tools.errors import InvalidArgument

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Found:
    """A tool's newest record about the commit that the plan is about."""

    record: Any
    """The typed record."""
    id: str
    """Its evidence id."""


@dataclass(frozen=True)
class Material:
    """Everything that a report draws on.

    Args:
        plan: The plan.
        evidence: The user's evidence about the model, newest first.
        decisions: How stages of this plan were closed, oldest first.
        language: Language of the report.
        audience: For whom it is.
        drawn: Whether plots are drawn, which takes longer than everything else.
    """

    plan: AdoptionPlan
    evidence: tuple[Evidence, ...]
    decisions: tuple[StageDecision, ...]
    language: Language
    audience: Audience
    drawn: bool

    @property
    def for_engineer(self) -> bool:
        """Whether every detail is wanted."""
        return self.audience == "engineer"

    @cached_property
    def of_commit(self) -> tuple[Evidence, ...]:
        """Evidence about the commit that the plan is about, newest first."""
        if self.plan.commit:
            return tuple(e for e in self.evidence if e.commit in {"", self.plan.commit})
        return tuple(of_present_commit(self.evidence))

    @cached_property
    def stored_plan(self) -> Evidence | None:
        """The evidence that is this plan; None when it was not stored."""
        payload = self.plan.model_dump(mode="json")
        return next((e for e in self.evidence if e.tool == "plan_adoption" and e.record == payload), None)

    def newest(self, tool: str) -> Found | None:
        """The newest record of a tool; one that the plan rests on comes before any other.

        Args:
            tool: Name of the tool.
        """
        cited = [e for e in self.of_commit if e.id in self.plan.evidence]
        found = latest(cited, tool) or latest(self.of_commit, tool)
        return Found(_typed(found), found.id) if found else None

    @property
    def newest_comparison(self) -> Found | None:
        """The newest comparison of the model with others; None when there is none."""
        found = (e for e in self.evidence if e.tool == "compare_models" and self.plan.model in _compared(e))
        evidence = next(found, None)
        return Found(_typed(evidence), evidence.id) if evidence else None

    def gate(self, code: str) -> Gate | None:
        """The gate of that code, or None."""
        return next((gate for stage in self.plan.stages for gate in stage.gates if gate.code == code), None)

    def told(self, text: str | None) -> str:
        """A tool's text in the language of the report."""
        return translate(text or "", self.language)


def material_of(
    plan: BaseModel,
    evidence: Sequence[Evidence],
    language: Language,
    *,
    audience: Audience = "manager",
    decisions: Sequence[StageDecision] = (),
    drawn: bool = True,
) -> Material:
    """What a report is made from.

    Args:
        plan: The `AdoptionPlan`.
        evidence: The user's evidence about the model, newest first.
        language: Language of the report.
        audience: For whom it is.
        decisions: How stages of this plan were closed, oldest first.
        drawn: Whether plots are drawn; only a page shows them.

    Raises:
        InvalidArgument: The record is no plan.
    """
    if not isinstance(plan, AdoptionPlan):
        raise InvalidArgument("A report is made from a plan.", "Plan the adoption of the model first.")
    return Material(plan, tuple(evidence), tuple(decisions), language, audience, drawn)


def _compared(evidence: Evidence) -> list[str]:
    return [row["model"] for row in evidence.record["models"]]


def _typed(evidence: Evidence) -> Any:
    from assistant.tool_catalogue import RECORDS  # noqa: PLC0415 (it finds the records of all tools)

    return RECORDS[evidence.tool].model_validate(evidence.record)
