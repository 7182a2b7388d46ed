"""What a model's files, card, licence and version say, and what has to be pinned."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.advice.reporting.content import (
    Block,
    Column,
    Fact,
    Facts,
    Listing,
    Paragraph,
    Quotation,
    Row,
    Section,
    Table,
    cite,
    name,
    quoted,
)
from assistant.advice.reporting.material import Found, Material
from assistant.advice.reporting.wording import words
from assistant.phrases import say
from tools.cards.claim import Claim
from tools.documentation import DocumentationCheck
from tools.file_safety.findings import FileInspection
from tools.license import LicenceFinding
from tools.version import VersionCheck

_MOST_FOR_MANAGER = 3
_MOST_FOR_ENGINEER = 12
_HIDDEN_FROM_MANAGER = frozenset({"file"})


def documentation_section(material: Material) -> Section:
    """Files, card, licence and version, each with its evidence."""
    language = material.language
    card, files, version = (material.newest(tool) for tool in ("check_documentation", "inspect_files", "check_version"))
    parts = [
        *([_licence(material, card), _card(material, card)] if card else []),
        *([_files(material, files)] if files else []),
        *([_version(material, version)] if version else []),
    ]
    blocks = () if parts else (Paragraph(text=say("report.documentation.nothing", language)),)
    title = say("report.section.documentation", language)
    return Section(id="documentation", title=title, blocks=blocks, parts=tuple(parts))


def _most(material: Material) -> int:
    return _MOST_FOR_ENGINEER if material.for_engineer else _MOST_FOR_MANAGER


def _licence(material: Material, found: Found) -> Section:
    licence: LicenceFinding = found.record.licence
    language = material.language
    rows = [
        Fact(
            label=say("report.licence.name", language),
            text=f"{name(licence.spdx or licence.tag or '') or say('common.unknown', language)} "
            f"({say(f'documentation.agreement.{licence.agreement}', language)}) {cite(found.id)}",
        ),
    ]
    if licence.note:
        rows.append(Fact(label=say("report.licence.means", language), text=material.told(licence.note)))
    stated = [use for use in licence.uses if use.stated] or list(licence.uses)
    rows += [
        Fact(
            label=say(f"licence.use.{use.use}", language),
            text=say(
                "report.licence.answer", language, answer=say(f"licence.answer.{use.answer}", language),
                reason=material.told(use.reason),
            ),
        )
        for use in stated
    ]  # fmt: skip
    if licence.strictest is not None:
        rows.append(
            Fact(
                label=say("report.licence.strictest", language),
                text=f"{material.told(licence.strictest.says).rstrip('.。')} "
                f"({licence.strictest.spdx}, {name(licence.strictest.name, 80)})",
            )
        )
    made_from = [part for part in licence.lineage if part.role != "model"]
    if made_from:
        known = [part for part in made_from if part.spdx]
        rows.append(
            Fact(
                label=say("report.licence.made_from", language),
                text=say("report.licence.made_from_count", language, count=len(made_from), known=len(known)),
            )
        )
    blocks: list[Block] = [Facts(rows=tuple(rows))]
    duties = licence.obligations[: _most(material)]
    if duties:
        blocks.append(Paragraph(text=say("report.licence.duties", language)))
        blocks.append(
            Listing(
                items=tuple(
                    f"{material.told(duty.says).rstrip('.。')} ({duty.spdx}, {quoted(duty.section, 60)})"
                    for duty in duties
                )
            )
        )
    blocks.append(Paragraph(text=say("report.licence.no_advice", language), role="note"))
    return Section(id="licence", title=say("report.documentation.licence", language), blocks=tuple(blocks))


def _card(material: Material, found: Found) -> Section:
    record: DocumentationCheck = found.record
    language = material.language
    title = say("report.documentation.card", language)
    if record.card_file is None:
        text = f"{say('report.documentation.no_card', language)} {cite(found.id)}"
        return Section(id="card", title=title, blocks=(Paragraph(text=text),))
    filled = sum(section.state == "filled" for section in record.sections)
    text = say("report.documentation.filled", language, filled=filled, count=len(record.sections), id=cite(found.id))
    rows = []
    for state in ("missing", "unfilled"):
        names = [material.told(section.name) for section in record.sections if section.state == state]
        if names:
            label = say(f"report.documentation.{state}", language)
            rows.append(Fact(label=label, text=say("common.list_joint", language).join(names)))
    if record.most_important_gap:
        gap, reason = (material.told(each) for each in (record.most_important_gap, record.gap_reason))
        gap = say("report.documentation.gap_because", language, gap=gap.rstrip(".。"), reason=reason) if reason else gap
        rows.append(Fact(label=say("report.documentation.gap", language), text=gap))
    blocks: list[Block] = [Paragraph(text=text)]
    if rows:
        blocks.append(Facts(rows=tuple(rows)))
    blocks += _limitations(material, found)
    blocks += _claims(material, found)
    return Section(id="card", title=title, blocks=tuple(blocks))


def _limitations(material: Material, found: Found) -> Iterator[Block]:
    """What the card itself says of its limits, word by word."""
    record: DocumentationCheck = found.record
    for section in record.sections:
        if "limitation" not in section.name.lower() or section.state != "filled":
            continue
        pairs = zip(section.line_numbers, section.lines, strict=False)
        lines = [(number, line) for number, line in pairs if line.strip() and not line.startswith("#")]
        if lines:
            source = say(
                "report.documentation.line", material.language, file=name(record.card_file or ""), line=lines[0][0]
            )
            yield Paragraph(text=say("report.documentation.limits_say", material.language))
            yield Quotation(quote=lines[0][1], source=f"{source} {cite(found.id)}")
            return


def _claims(material: Material, found: Found) -> Iterator[Block]:
    claims: tuple[Claim, ...] = found.record.claims
    language = material.language
    counts = {
        verdict: sum(claim.verdict == verdict for claim in claims)
        for verdict in ("confirmed", "contradicted", "not_checkable")
    }
    if claims:
        yield Paragraph(text=say("report.documentation.claims", language, **counts))
    wrong = [claim for claim in claims if claim.verdict == "contradicted"][: _most(material)]
    if wrong:
        yield Table(
            caption=say("report.documentation.contradicted", language, id=cite(found.id)),
            columns=tuple(Column(title=say(f"report.column.{key}", language)) for key in ("card_says", "files_say")),
            rows=tuple(
                Row(cells=(quoted(claim.claim, 200), f"{quoted(claim.fact or '', 200)} ({name(claim.fact_source or '', 80)})"), tone="warn")
                for claim in wrong
            ),
        )  # fmt: skip


def _files(material: Material, found: Found) -> Section:
    record: FileInspection = found.record
    language = material.language
    verdict = say(f"gate.found.{record.verdict}", language)
    text = say(
        "report.documentation.inspected", language, count=record.files_checked, verdict=verdict, id=cite(found.id)
    )
    blocks: list[Block] = [Paragraph(text=text)]
    findings = [each for each in record.findings if each.severity != "note" or material.for_engineer]
    if findings:
        blocks.append(
            Table(
                caption=say("report.documentation.findings", language),
                columns=tuple(
                    Column(title=say(f"report.column.{key}", language)) for key in ("file", "found", "next_step")
                ),
                rows=tuple(
                    Row(
                        cells=(name(each.file, 80), f"{material.told(each.found)} ({each.rule})", material.told(each.next_step)),
                        tone={"refuse": "bad", "flag": "warn", "note": ""}[each.severity],  # type: ignore[arg-type]
                    )
                    for each in findings[:_MOST_FOR_ENGINEER]
                ),
            )
        )  # fmt: skip
    return Section(id="files", title=say("report.documentation.files", language), blocks=tuple(blocks))


def _version(material: Material, found: Found) -> Section:
    record: VersionCheck = found.record
    language = material.language
    newest = (
        say("report.version.unknown", language)
        if record.newest_commit is None
        else say("report.version.same", language)
        if record.newest_commit == record.commit
        else say("report.version.newer", language, newest=name(record.newest_commit, 40))
    )
    affected = [advisory.id for advisory in record.advisories if advisory.affected]
    rows = [
        Fact(label=say("report.version.newest", language), text=f"{newest} {cite(found.id)}"),
        *(
            [Fact(label=say("report.version.library", language), text=material.told(record.library.note))]
            if record.library.note
            else []
        ),
        Fact(
            label=say("report.version.advisories", language),
            text=", ".join(affected) or say("report.version.no_advisories", language),
        ),
    ]
    return Section(id="version", title=say("report.documentation.version", language), blocks=(Facts(rows=tuple(rows)),))


# --- pins -------------------------------------------------------------------------------------------------------------


def pins_section(material: Material) -> Section:
    """Commit, hashes, licence and libraries to write down."""
    language = material.language
    pins = [pin for pin in material.plan.pins if material.for_engineer or pin.kind not in _HIDDEN_FROM_MANAGER]
    left_out = len(material.plan.pins) - len(pins)
    rows = tuple(
        Row(
            cells=(
                words(f"pin.{pin.kind}", language),
                name(pin.name) if pin.kind != "commit" else _source(material, pin.name),
                name(pin.value) or words("pin.absent", language),
                cite(pin.evidence),
            ),
            tone="" if pin.value else "warn",
        )
        for pin in pins
    )
    blocks: list[Block] = [Paragraph(text=say("report.pin.lead", language))]
    if rows:
        blocks.append(
            Table(
                caption=say("report.pin.caption", language),
                columns=tuple(
                    Column(title=say(f"report.column.{key}", language))
                    for key in ("what", "name", "content", "evidence")
                ),
                rows=rows,
            )
        )
    if left_out:
        blocks.append(Paragraph(text=say("report.pin.left_out", language, count=left_out), role="note"))
    return Section(id="pins", title=say("report.section.pins", language), blocks=tuple(blocks))


def _source(material: Material, source: str) -> str:
    return (
        say(f"report.pin.source.{source}", material.language)
        if source in {"hub", "cache", "mirror", "folder"}
        else name(source)
    )
