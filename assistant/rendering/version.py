"""Versions, what differs between two of them, and lineage as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, code, inline, next_step, not_checked
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult
    from tools.comparing import Change
    from tools.version import VersionCheck
    from tools.versions.lineage import Ancestor

MOST_CHANGES = 8
MOST_DETAILS = 2
"""Lines below a change that every reader gets; an engineer gets them all."""


def render_version(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `check_version`."""
    record: VersionCheck = result.record  # type: ignore[assignment]  # the tool's own record
    changed = bool(record.changes)
    details = (
        _status(record, language),
        _changes(record.changes, language),
        _retests(record.changes, language),
        _library(record, language),
        _lineage(record.lineage, language),
        _same_name(record, language),
        _advisories(record, language),
    )
    step = say("version.next_step_changed" if changed else "version.next_step", language, model=code(_to_lock(record)))
    advice = (next_step(step, language), not_checked(_unknown(record), language))
    return Rendered(
        _headline(record, result.evidence_id, language),
        "\n\n".join(part for part in details if part),
        "\n\n".join(part for part in advice if part),
        points="\n".join(_points(record, language)),
        deeper="\n\n".join(part for part in (_further(record, language), _reproduce(record, language)) if part),
    )


def _headline(record: VersionCheck, evidence_id: str, language: Language) -> str:
    values = {"model": code(record.model), "commit": code(record.commit), "id": evidence_id}
    if record.compared_with is None:
        return say("version.headline", language, **values)
    note = translate(record.compared_with.note, language)
    return say("version.headline_against", language, other=code(record.compared_with.model), note=note, **values)


def _to_lock(record: VersionCheck) -> str:
    """The reference that names exactly this version, where there is one."""
    if record.pinned or record.commit.startswith("folder-"):
        return record.model
    return f"{record.model.partition('@')[0]}@{record.commit}"


def _unknown(record: VersionCheck) -> tuple[str, ...]:
    """What is not known; beside another model nobody asked for the newest version."""
    return record.unknown if record.compared_with is None else ()


def _status(record: VersionCheck, language: Language) -> str:
    lines = [say("version.pinned" if record.pinned else "version.not_pinned", language)]
    if record.compared_with is not None:
        other = record.compared_with
        lines = [
            say("version.commit", language, model=code(each.model), commit=code(each.commit))
            for each in (record, other)
        ]
    elif record.newest_commit == record.commit:
        lines.append(say("version.newest", language))
    elif record.newest_commit and record.behind:
        lines.append(say("version.behind", language, newest=record.newest_commit[:12], count=record.behind))
    elif record.newest_commit:
        lines.append(say("version.behind_unknown", language, newest=record.newest_commit[:12]))
    if record.names:
        names = say("common.list_joint", language).join(f"`{code(name)}`" for name in record.names)
        lines.append(say("version.names", language, names=names))
    return " ".join(lines)


def _changes(changes: Sequence[Change], language: Language) -> str:
    if not changes:
        return ""
    lines = [say("version.changes", language, **_counts(changes))]
    for change in changes[:MOST_CHANGES]:
        lines.append(_change(change, language))
        lines += [_detail(detail, language) for detail in change.details[:MOST_DETAILS]]
    if len(changes) > MOST_CHANGES:
        lines.append(say("version.more_changes", language, count=len(changes) - MOST_CHANGES))
    return "\n".join(lines)


def _counts(changes: Sequence[Change]) -> dict[str, int]:
    risks = [change.risk for change in changes]
    return {"count": len(risks), **{risk: risks.count(risk) for risk in ("high", "medium", "low")}}


def _change(change: Change, language: Language) -> str:
    return say(
        "version.change",
        language,
        risk=say(f"version.risk.{change.risk}", language),
        kind=_kind(change, language),
        file=code(change.file),
        description=inline(translate(change.description, language)),
    )


def _kind(change: Change, language: Language) -> str:
    return translate(change.kind.replace("_", " "), language)


def _detail(detail: str, language: Language) -> str:
    return f"  - {inline(translate(detail, language))}"


def _retests(changes: Sequence[Change], language: Language) -> str:
    retests = dict.fromkeys(change.retest for change in changes if change.retest and change.risk != "low")
    lines = "".join(f"\n- {translate(each, language)}" for each in retests)
    return say("version.retest", language) + lines if lines else ""


def _library(record: VersionCheck, language: Language) -> str:
    unknown = say("common.unknown", language)
    return say(
        "version.library",
        language,
        written=code(record.library.written_with or unknown),
        installed=record.library.installed or unknown,
        note=inline(translate(record.library.note, language)),
    )


def _lineage(lineage: Sequence[Ancestor], language: Language) -> str:
    if not lineage:
        return ""
    lines = [
        say(
            "version.ancestor",
            language,
            name=code(each.name),
            relation=translate(each.relation, language),
            source=say("common.list_joint", language).join(
                translate(code(known), language) for known in each.known_from
            ),
            state=say(f"version.descent.{_state(each)}", language),
            note=inline(translate(each.note, language)),
        )
        for each in lineage
    ]
    return "\n".join([say("version.lineage", language), *lines])


def _same_name(record: VersionCheck, language: Language) -> str:
    if not record.same_name_here or record.compared_with is not None:
        return ""
    names = say("common.list_joint", language).join(f"`{code(name)}`" for name in record.same_name_here)
    return say(
        "version.same_name", language, names=names, model=code(record.model), first=code(record.same_name_here[0])
    )


def _state(ancestor: Ancestor) -> str:
    if ancestor.confirmed and not {"hashes", "numbers"} & set(ancestor.known_from):
        return "plausible"
    return {True: "confirmed", False: "contradicted", None: "open"}[ancestor.confirmed]


def _advisories(record: VersionCheck, language: Language) -> str:
    affected = ", ".join(code(each.id) for each in record.advisories if each.affected)
    return say("version.advisories", language, ids=affected, model=code(record.model)) if affected else ""


def _points(record: VersionCheck, language: Language) -> Iterator[str]:
    """What a manager has to know: is it fixed, what changed, what does that ask for, what does not fit."""
    if record.compared_with is None:
        yield "- " + say("version.pinned" if record.pinned else "version.not_pinned", language)
    if record.changes:
        yield "- " + say("version.changes", language, **_counts(record.changes))
        kinds = dict.fromkeys(_kind(change, language) for change in record.changes if change.risk == "high")
        if kinds:
            yield "- " + say("version.matters", language, kinds=say("common.list_joint", language).join(kinds))
        yield from (f"- {translate(each, language)}" for each in _asked_for(record.changes))
    for ancestor in record.lineage:
        if ancestor.confirmed is False or ancestor.relation == "copy":
            yield f"- {inline(translate(ancestor.note, language))}"
    if same_name := _same_name(record, language):
        yield f"- {same_name}"
    if advisories := _advisories(record, language):
        yield f"- {advisories}"


def _asked_for(changes: Sequence[Change]) -> Iterator[str]:
    """The two weightiest things to do again."""
    retests = dict.fromkeys(change.retest for change in changes if change.risk == "high" and change.retest)
    yield from list(retests)[:2]


def _further(record: VersionCheck, language: Language) -> str:
    """What an engineer gets beyond the rest: all lines of each change, further changes, further libraries."""
    lines: list[str] = []
    for position, change in enumerate(record.changes):
        rest = change.details if position >= MOST_CHANGES else change.details[MOST_DETAILS:]
        if rest or position >= MOST_CHANGES:
            lines.append(_change(change, language))
            lines += [_detail(detail, language) for detail in rest]
    lines += [f"- {inline(translate(each.note, language))}" for each in record.library.others]
    return "\n".join([say("version.further", language), *lines]) if lines else ""


def _reproduce(record: VersionCheck, language: Language) -> str:
    other = f" --against {record.compared_with.model}" if record.compared_with else ""
    return say("common.reproduce", language, text=code(f"tameshi check-version {record.model}{other}", 400))
