"""A report as JSON: the plan and every record it rests on, and the content as all formats say it."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.decision_records import StageDecision
from assistant.advice.plan_records import AdoptionPlan
from assistant.advice.reporting.appendix import ids_in
from assistant.advice.reporting.content import Document, texts
from assistant.advice.reporting.decision_record import status_of
from assistant.advice.reporting.material import Material
from assistant.advice.reporting.report_file import Audience
from assistant.evidence import Evidence

SCHEMA_VERSION = 2
"""Grows when a field goes away or changes its meaning; version 1 had the fields `plan` and `evidence` only."""


class ReportDocument(BaseModel):
    """The file that `tameshi plan-adoption --out report.json` writes; `docs/report.md` explains it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[2]
    """Version of this form."""
    language: Literal["en", "ja"]
    """Language of `content`; the records are in English."""
    audience: Audience
    """For whom `content` is ordered."""
    status: Literal["proposed", "accepted", "repeated", "rejected"]
    """What the team has decided so far."""
    plan: AdoptionPlan
    """The plan."""
    decisions: tuple[StageDecision, ...]
    """How stages were closed, oldest first."""
    evidence: tuple[Evidence, ...]
    """Every record that the plan rests on or the content cites, oldest first."""
    content: Document
    """What the other formats say, section by section."""


def json_of(material: Material, document: Document) -> str:
    """The report as JSON.

    Args:
        material: What it is made from.
        document: Its content.
    """
    wanted = {*material.plan.evidence, *ids_in(texts(document))}
    kept = sorted((e for e in material.evidence if e.id in wanted), key=lambda e: int(e.id[1:]))
    report = ReportDocument(
        schema_version=SCHEMA_VERSION,
        language=material.language,
        audience=material.audience,
        status=status_of(material),  # type: ignore[arg-type]  # one of the words
        plan=material.plan,
        decisions=material.decisions,
        evidence=tuple(kept),
        content=document,
    )
    return json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    return ReportDocument.model_json_schema(mode="serialization")
