"""The last pages of a report: what was not checked, what is assumed, guidance, glossary, commands, evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from assistant.advice.reporting.content import (
    Block,
    Column,
    Commands,
    Fact,
    Facts,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    capital,
    cited,
    name,
    spans,
)
from assistant.advice.reporting.decision_record import target_facts
from assistant.advice.reporting.glossary import Term
from assistant.advice.reporting.material import Material
from assistant.advice.reporting.source_scopes import scope_in
from assistant.advice.reporting.wording import found_words, words
from assistant.evidence import Evidence
from assistant.phrases import say
from knowledge.entry import Entry

_SAYING_WHAT_THEY_LEAVE_OUT = (
    "inspect_files", "check_version", "check_documentation", "profile_model", "observe_behavior",
)  # fmt: skip


def not_checked_section(material: Material) -> Section:
    """What nobody looked at, and what each tool says that it cannot tell."""
    plan, language = material.plan, material.language
    blocks: list[Block] = [
        Listing(items=tuple(capital(words(f"unchecked.{key}", language)) for key in plan.not_checked))
    ]
    told = tuple(_left_out(material))
    if told:
        blocks.append(Paragraph(text=say("report.not_checked.by_tools", language)))
        blocks.append(Facts(rows=told))
    return Section(id="not-checked", title=say("report.section.not_checked", language), blocks=tuple(blocks))


def _left_out(material: Material) -> Iterator[Fact]:
    for tool in _SAYING_WHAT_THEY_LEAVE_OUT:
        found = material.newest(tool)
        if found is None:
            continue
        said = [
            material.told(each)
            for each in getattr(found.record, "not_checked", ()) or getattr(found.record, "unknown", ())
        ]
        if said:
            label = f"{say(f'tool.{tool}', material.language)}{cited(found.id)}"
            ending = "" if material.language == "ja" else " "
            yield Fact(label=label, text=ending.join(_as_sentence(each, material) for each in dict.fromkeys(said)))


def _as_sentence(text: str, material: Material) -> str:
    stop = "。" if material.language == "ja" else "."
    line = text.rstrip(".。 ")
    return f"{line[:1].upper()}{line[1:]}{stop}" if line else ""


def assumptions_section(material: Material) -> Section:
    """What was told, what is taken for granted instead, and what to answer next."""
    plan, language = material.plan, material.language
    blocks: list[Block] = []
    if told := target_facts(material):
        blocks += [Paragraph(text=say("report.assumptions.told", language)), Facts(rows=told)]
    if plan.assumptions:
        blocks.append(Paragraph(text=say("report.assumptions.assumed", language)))
        items = tuple(
            capital(words(f"assumption.{each.code}", language, value=found_words(each.value, language)))
            + cited(each.evidence)
            for each in plan.assumptions
        )
        blocks.append(Listing(items=items))
    else:
        blocks.append(Paragraph(text=say("report.assumptions.none", language)))
    if plan.missing_inputs:
        blocks.append(Paragraph(text=say("report.assumptions.open", language)))
        blocks.append(Listing(items=tuple(capital(words(f"missing.{key}", language)) for key in plan.missing_inputs)))
    else:
        blocks.append(Paragraph(text=say("report.assumptions.nothing_open", language)))
    return Section(id="assumptions", title=say("report.section.assumptions", language), blocks=tuple(blocks))


def ids_in(sections: Iterable[str]) -> tuple[str, ...]:
    """Ids that texts cite, each once, in order.

    Args:
        sections: The texts.
    """
    return tuple(dict.fromkeys(span.text for text in sections for span in spans(text) if span.kind == "id"))


def guidance_section(material: Material, cited_ids: Iterable[str], entries: Mapping[str, Entry]) -> Section | None:
    """Every entry of the guidance that the report cites, with its sources and their scope; None when it cites none."""
    language = material.language
    found = [entries[each] for each in sorted(set(cited_ids), key=_number) if each in entries]
    if not found:
        return None
    rows = tuple(
        Fact(label=f"{entry.id} {entry.title_in(language)}", text=_sources(entry, material), anchor=entry.id)
        for entry in found
    )
    lead = Paragraph(text=say("report.guidance.lead", language))
    return Section(id="guidance", title=say("report.section.guidance", language), blocks=(lead, Facts(rows=rows)))


def _number(cited: str) -> int:
    return int(re.sub(r"\D", "", cited) or 0)


def _sources(entry: Entry, material: Material) -> str:
    language = material.language
    if not entry.sources:
        return say("common.practice", language)
    told = []
    for source in entry.sources:
        where = ", ".join(part for part in (source.title, source.where, source.date) if part)
        told.append(
            say("report.guidance.scope", language, source=where, scope=scope_in(source.scope, language))
            if source.scope
            else where
        )
    return "; ".join(told)


def glossary_section(material: Material, terms: Iterable[Term]) -> Section | None:
    """The terms that the report uses, each in a sentence; None when it uses none."""
    language = material.language
    rows = tuple(Fact(label=term.label(language), text=term.meaning(language)) for term in terms)
    if not rows:
        return None
    return Section(id="glossary", title=say("report.section.glossary", language), blocks=(Facts(rows=rows),))


def commands_section(material: Material) -> Section:
    """Commands that make the records and the plan again."""
    plan, language = material.plan, material.language
    lines = tuple(f"{each.command}  # {each.evidence}" if each.evidence else each.command for each in plan.commands)
    blocks: list[Block] = [Paragraph(text=say("report.commands.lead", language))]
    if lines:
        blocks.append(Commands(lines=lines))
    return Section(id="commands", title=say("report.section.commands", language), blocks=tuple(blocks))


def evidence_section(material: Material, cited_ids: Iterable[str]) -> Section:
    """Every piece of evidence that the report cites or the plan rests on."""
    language = material.language
    wanted = {*cited_ids, *material.plan.evidence}
    kept = sorted((e for e in material.evidence if e.id in wanted), key=lambda e: int(e.id[1:]))
    blocks: list[Block] = [Paragraph(text=say("report.evidence.lead", language))]
    if kept:
        blocks.append(
            Table(
                caption=say("report.evidence.caption", language),
                columns=tuple(
                    Column(title=say(f"report.column.{key}", language))
                    for key in ("id", "step", "version", "made_at", "machine")
                ),
                rows=tuple(_evidence_row(each, material) for each in kept),
            )
        )
    lost = sorted({each for each in wanted if each.startswith("E")} - {each.id for each in kept}, key=_number)
    if lost:
        blocks.append(Paragraph(text=say("report.evidence.lost", language, ids=", ".join(lost))))
    return Section(id="evidence", title=say("report.section.evidence", language), blocks=tuple(blocks))


def _evidence_row(evidence: Evidence, material: Material) -> Row:
    return Row(
        cells=(
            evidence.id,
            say(f"tool.{evidence.tool}", material.language),
            name(evidence.commit[:19]),
            f"{evidence.created_at:%Y-%m-%d %H:%M} UTC",
            name(evidence.machine, 60),
        ),
        anchor=evidence.id,
    )
