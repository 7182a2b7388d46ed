"""The report of a stored plan: gathers the plan's evidence and decisions, and writes the file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from assistant.advice.decision_records import StageDecision
from assistant.advice.plan_records import AdoptionPlan
from assistant.advice.report import write_report
from assistant.advice.reporting.report_file import Audience
from assistant.advice.use_key import use_key
from assistant.evidence import Evidence
from assistant.languages import Language
from assistant.services import Services


class ReportFile(NamedTuple):
    """A report to be written."""

    path: Path
    """The file."""
    audience: Audience = "manager"
    """For whom it is: order and detail."""
    chosen: str | None = None
    """The format, when the ending of the file does not name it."""
    force: bool = False
    """Whether a file that is there is written over."""


def write_plan_report(
    services: Services, evidence: Evidence, out: ReportFile, language: Language, *, user: str
) -> Path:
    """Write the report of a stored plan.

    Args:
        services: Where evidence and decisions are kept.
        evidence: The stored plan.
        out: The file.
        language: Language of the report.
        user: Whose plan it is.

    Returns:
        The file.

    Raises:
        InvalidArgument: There is no such format, or a file is there already.
        SourceUnavailable: It cannot be written.
    """
    plan = AdoptionPlan.model_validate(evidence.record)
    compared = services.store.find(user=user, tool="compare_models")
    return write_report(
        plan,
        [*services.store.find(user=user, model=plan.model), *(e for e in compared if not e.model)],
        out.path,
        language,
        audience=out.audience,
        decisions=decisions_about(plan, services.plans.decisions(user, plan.model)),
        chosen=out.chosen,
        force=out.force,
    )


def decisions_about(plan: AdoptionPlan, decisions: list[StageDecision]) -> list[StageDecision]:
    """Those about the same use and commit that were made on this version of the plan or an earlier one.

    Args:
        plan: The plan.
        decisions: Decisions about its model, oldest first.
    """
    use = use_key(plan.use_case)
    return [
        d
        for d in decisions
        if use_key(d.use_case) == use and d.commit == plan.commit and d.plan_version <= plan.version
    ]
