"""The report of a plan: one web page that stands alone, Markdown, JSON, or the decision record alone."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from assistant.advice.decision_records import StageDecision
from assistant.advice.reporting import appendix, decision_record, documented, measured, opening, policy_quotes, staging
from assistant.advice.reporting.content import Document, Section, name, quoted, texts
from assistant.advice.reporting.glossary import terms_in
from assistant.advice.reporting.html_page import html_of
from assistant.advice.reporting.json_document import json_of
from assistant.advice.reporting.markdown_text import markdown_of
from assistant.advice.reporting.material import Material, material_of
from assistant.advice.reporting.report_file import Audience, check_report_file, format_of
from assistant.evidence import Evidence
from assistant.languages import Language
from assistant.phrases import say
from knowledge.entry import Entry, read_entries
from tools.locking.document import not_written, replace_file

_Maker = Callable[[Material], Section | None]
_MAKERS: dict[str, _Maker] = {
    "sentences": opening.sentences_section,
    "rules": opening.rules_section,
    "changes": opening.changes_section,
    "policy": policy_quotes.policy_section,
    "stages": staging.stages_section,
    "measured": measured.measured_section,
    "documentation": documented.documentation_section,
    "pins": documented.pins_section,
    "not_checked": appendix.not_checked_section,
    "assumptions": appendix.assumptions_section,
    "decision": decision_record.decision_section,
    "commands": appendix.commands_section,
}
_ORDER: dict[Audience, tuple[str, ...]] = {
    "manager": (
        "sentences", "rules", "changes", "policy", "stages", "measured", "documentation", "pins", "not_checked",
        "assumptions", "decision", "guidance", "glossary", "commands", "evidence",
    ),
    "engineer": (
        "rules", "changes", "measured", "stages", "policy", "documentation", "pins", "commands", "not_checked",
        "assumptions", "sentences", "decision", "guidance", "glossary", "evidence",
    ),
}  # fmt: skip
"""What a manager reads first is the verdict with its reasons; an engineer comes to the figures sooner."""


def build_report(material: Material, entries: Mapping[str, Entry] | None = None) -> Document:
    """The content of the report.

    Args:
        material: What it is made from.
        entries: Entries of the guidance by id; those of the product when absent.
    """
    made = {key: make(material) for key, make in _MAKERS.items()}
    body = _document(material, tuple(section for section in made.values() if section is not None))
    cited = appendix.ids_in(texts(body))
    made["guidance"] = appendix.guidance_section(material, cited, _entries() if entries is None else entries)
    made["evidence"] = appendix.evidence_section(material, cited)
    said = [*texts(body), *texts(_document(material, tuple(each for each in (made["evidence"],) if each)))]
    made["glossary"] = appendix.glossary_section(material, terms_in(said, material.language))
    ordered = (made[key] for key in _ORDER[material.audience])
    return _document(material, tuple(section for section in ordered if section is not None and not section.empty))


def build_decision_record(material: Material) -> Document:
    """The decision record as a document of its own.

    Args:
        material: What it is made from.
    """
    title = say("report.decision.title", material.language, model=name(material.plan.model))
    body = _document(material, decision_record.decision_parts(material), title=title)
    evidence = appendix.evidence_section(material, appendix.ids_in(texts(body)))
    return body.model_copy(update={"sections": (*body.sections, evidence)})


def write_report(
    plan: BaseModel,
    evidence: Sequence[Evidence],
    out: Path,
    language: Language,
    *,
    audience: Audience = "manager",
    decisions: Sequence[StageDecision] = (),
    chosen: str | None = None,
    force: bool = False,
) -> Path:
    """Write the report, whole or not at all.

    Args:
        plan: The `AdoptionPlan`.
        evidence: The user's evidence about the model, newest first.
        out: The file; its ending names the format.
        language: Language of the report.
        audience: For whom it is: order and detail.
        decisions: How stages of this plan were closed, oldest first.
        chosen: The format, when the ending does not name it.
        force: Whether a file that is there may be written over.

    Returns:
        The file.

    Raises:
        InvalidArgument: As for `check_report_file`, or the record is no plan.
        SourceUnavailable: It cannot be written.
    """
    check_report_file(out, chosen, force=force)
    wanted = format_of(out, chosen)
    material = material_of(plan, evidence, language, audience=audience, decisions=decisions, drawn=wanted == "html")
    document = build_decision_record(material) if wanted == "adr" else build_report(material)
    text = {
        "html": lambda: html_of(document),
        "md": lambda: markdown_of(document),
        "adr": lambda: markdown_of(document),
        "json": lambda: json_of(material, document),
    }[wanted]()
    try:
        replace_file(out, text)
    except OSError as error:
        raise not_written(out, error) from error
    return out


def _document(material: Material, sections: tuple[Section, ...], *, title: str = "") -> Document:
    plan, language = material.plan, material.language
    use = quoted(plan.use_case, 400)
    day = plan.timing.planned_on.isoformat()
    return Document(
        language=language,
        title=title or say("report.title", language, model=name(plan.model)),
        subtitle=say("report.use_case", language, use_case=use) if use else "",
        running_title=say("report.running_title", language, model=quoted(plan.model, 80), day=day),
        facts=opening.identity(material),
        verdict=opening.verdict_sentence(material),
        verdict_tone=opening.VERDICT_TONES[plan.verdict],
        sections=sections,
        colophon=say("report.colophon", language, version=importlib.metadata.version("tameshi")),
        labels={key: say(f"report.label.{key}", language) for key in ("contents", "skip")},
    )


@cache
def _entries() -> dict[str, Entry]:
    return {entry.id: entry for entry in read_entries()}
