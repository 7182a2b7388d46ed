"""The team's own documents in a report: what they ask for, quoted with document and place, and who differs from them."""

from __future__ import annotations

from assistant.advice.plan_records import AdoptionPlan
from assistant.advice.policy_records import Conflict, PolicyFinding
from assistant.advice.reporting.content import (
    Block,
    Column,
    Paragraph,
    Quotation,
    Row,
    Section,
    Table,
    Tone,
    capital,
    cite,
    cited,
    quoted,
)
from assistant.advice.reporting.material import Material
from assistant.advice.reporting.wording import (
    found_words,
    gate_name,
    joined,
    line_of_conflict,
    place_of,
    requirement,
    words,
)
from assistant.languages import Language
from assistant.phrases import say

_STATES = ("violated", "not_checkable", "held", "waived")
_TONES: dict[str, Tone] = {"violated": "bad", "not_checkable": "open", "held": "good", "waived": ""}


def policy_section(material: Material) -> Section:
    """Statements of the team's documents by state, the violated ones first, and conflicts."""
    plan, language = material.plan, material.language
    title = say("report.section.policy", language)
    if not plan.policy:
        return Section(id="policy", title=title, blocks=(Paragraph(text=say("report.policy.none", language)),))
    blocks: list[Block] = [Paragraph(text=_summary(plan, language))]
    # A passage can hold several statements; the first of them is where its id leads.
    anchored: dict[str, PolicyFinding] = {}
    ordered = sorted(plan.policy, key=lambda finding: _STATES.index(finding.state))
    for finding in ordered:
        anchored.setdefault(finding.statement.passage, finding)
    parts = []
    for state in _STATES:
        findings = [finding for finding in plan.policy if finding.state == state]
        if findings:
            told = tuple(
                block
                for finding in findings
                for block in _statement(
                    finding,
                    finding.statement.passage if anchored[finding.statement.passage] is finding else "",
                    material,
                )
            )
            parts.append(
                Section(
                    id=f"policy-{state.replace('_', '-')}", title=say(f"report.policy.{state}", language),
                    badge=str(len(findings)), tone=_TONES[state], blocks=told,
                )
            )  # fmt: skip
    if plan.conflicts:
        parts.append(_conflicts(plan.conflicts, material))
    if plan.policy_unread:
        blocks.append(Paragraph(text=say("report.policy.unread", language, count=plan.policy_unread), role="note"))
    return Section(id="policy", title=title, blocks=tuple(blocks), parts=tuple(parts))


def _summary(plan: AdoptionPlan, language: Language) -> str:
    counts = {state: sum(f.state == state for f in plan.policy) for state in _STATES}
    documents = joined(list(dict.fromkeys(quoted(f.statement.title, 80) for f in plan.policy)), language)
    return say("report.policy.summary", language, documents=documents, count=len(plan.policy), **counts)


def _statement(finding: PolicyFinding, anchor: str, material: Material) -> list[Block]:
    statement, language = finding.statement, material.language
    source = place_of(statement, language)
    said = [
        say("report.policy.asks", language, what=requirement(statement, language)),
        say(f"report.policy.force.{statement.force}", language),
    ]
    if finding.value:
        said.append(
            say("report.policy.found", language, value=found_words(finding.value, language), id=cited(finding.evidence))
        )
    if finding.reason:
        said.append(say("report.policy.why_open", language, reason=words(f"policy.reason.{finding.reason}", language)))
    if statement.only_if:
        said.append(say("report.policy.only_if", language, words=quoted(statement.only_if, 160)))
    if finding.gate:
        said.append(say("report.policy.gate", language, gate=gate_name(finding.gate, language)))
    return [
        Quotation(quote=statement.quote, source=f"{source} {cite(statement.passage)}", anchor=anchor),
        Paragraph(text=("" if language == "ja" else " ").join(said), role="note"),
    ]


def _conflicts(conflicts: tuple[Conflict, ...], material: Material) -> Section:
    language = material.language
    rows = tuple(
        Row(
            cells=(
                capital(gate_name(conflict.gate, language)) if conflict.gate else "",
                f"{line_of_conflict(conflict.policy_line, language)} {cite(conflict.passage)}",
                say(f"report.set_by.{conflict.against}", language),
                f"{line_of_conflict(conflict.other_line, language)} {cite(conflict.source)}".strip(),
                say(f"report.policy.wins.{conflict.wins}", language),
            )
        )
        for conflict in conflicts
    )
    table = Table(
        caption=say("report.policy.conflicts_caption", language),
        columns=tuple(
            Column(title=say(f"report.column.{key}", language))
            for key in ("gate", "policy_line", "other", "other_line", "counts")
        ),
        rows=rows,
    )
    return Section(id="policy-conflicts", title=say("report.policy.conflicts", language), blocks=(table,))
