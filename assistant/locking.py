"""Makes the entry of a lock: runs what is missing, gathers the evidence of the present commit, and writes it down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assistant.advice.gates import Gate, desk_check_gates, trial_gates
from assistant.evidence import Evidence, latest
from assistant.services import Services
from assistant.toolbox import CallScope, Emit, Toolbox
from tools.comparing.change import kind_of
from tools.errors import InvalidArgument, SourceUnavailable
from tools.file_safety.file_view import FolderView
from tools.file_safety.findings import printable
from tools.fingerprint import fingerprint
from tools.lock import change_lock, reference_for, with_model
from tools.lock_drift import installed_libraries
from tools.locked_model import LockedEvidence, LockedFile, LockedGate, LockedLicence, LockedModel
from tools.model_reference import parse_reference
from tools.snapshot import Snapshot

_CHECKS = ("inspect_files", "check_version", "check_documentation", "estimate_memory")
"""What every entry holds; a measurement is held when it is stored, and never made for a lock."""
_IF_STORED = ("profile_model", "observe_behavior", "estimate_cost", "plan_adoption")
_WORDS = ("verdict", "safety", "dtype", "currency", "device_name", "task")
_MOST_ROWS = 40


def lock_model(model: str, path: Path, by: str, services: Services, scope: CallScope, emit: Emit) -> LockedModel | None:
    """Add a model to a lock file, or renew its entry.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        path: The lock file.
        by: Who adopts it.
        services: Sources and the evidence.
        scope: For whom the tools run.
        emit: Receives their events.

    Returns:
        The entry; None when a tool failed or the files were refused, which was emitted.

    Raises:
        InvalidLock: The lock file is there and not what its schema asks for.
        SourceUnavailable: It cannot be written, or the model changed meanwhile.
    """
    found = _gathered(model, services, scope, emit)
    if found is None:
        return None
    try:
        entry = _entry(path, by, found)
    except ValidationError as error:
        message = f"`{printable(model, 120)}` has names or values that a lock cannot hold."
        raise InvalidArgument(message, "Look at its files with `tameshi inspect-files`.") from error
    change_lock(path, lambda lock: with_model(lock, entry))
    return entry


def _gathered(model: str, services: Services, scope: CallScope, emit: Emit) -> list[Evidence] | None:
    """Evidence of the content that the name stands for now, newest first; what is missing is run."""
    toolbox = Toolbox(services)
    fetched = toolbox.run("fetch_model", {"model": model}, scope, emit)
    if fetched is None:
        return None
    about = services.store.find(user=scope.user, model=fetched.model)
    stored = [each for each in about if each.commit == fetched.commit]
    found = [fetched, *(each for tool in _IF_STORED if (each := latest(stored, tool)))]
    for tool in _CHECKS:
        evidence = latest(stored, tool) or toolbox.run(tool, {"model": model}, scope, emit)
        if evidence is None and tool != "estimate_memory":  # a forecast is not possible for every architecture
            return None
        if evidence is not None:
            found.append(evidence)
    if any(each.commit != fetched.commit for each in found):
        message = f"`{printable(model, 120)}` changed while it was looked at."
        raise SourceUnavailable(message, "Run the command again.", code="moved")
    return sorted(found, key=lambda each: int(each.id[1:]), reverse=True)


def _entry(path: Path, by: str, found: Sequence[Evidence]) -> LockedModel:
    records = {each.tool: each.record for each in found}
    snapshot = Snapshot.model_validate(records["fetch_model"])
    licence, names = records["check_documentation"]["licence"], {file.name for file in snapshot.files}
    hashes = {file.name: file.sha256 for file in snapshot.files}
    return LockedModel(
        reference=reference_for(path, parse_reference(snapshot.model)),
        commit=snapshot.commit,
        source=snapshot.source,
        locked_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
        locked_by=printable(by, 200),
        safety="accept" if snapshot.safety == "accept" else "flag",
        documentation_score=round(records["check_documentation"]["score"], 4),
        card_sha256=hashes.get(records["check_documentation"]["card_file"] or ""),
        forecast_memory_mib=_rounded(records.get("estimate_memory", {}).get("total_mib")),
        advisories=tuple(each["id"] for each in records["inspect_files"].get("advisories", ()) if each["affected"]),
        other_files=_other_files(snapshot, names),
        files=tuple(LockedFile(name=f.name, size_bytes=f.size_bytes, sha256=f.sha256) for f in snapshot.files),
        licence=LockedLicence(
            spdx=licence["spdx"],
            tag=printable(licence["tag"]) if licence["tag"] else None,
            text_file=licence["text_file"],
        ),
        libraries=installed_libraries(),
        fingerprint=fingerprint(FolderView(Path(snapshot.root), frozenset(names))),
        evidence=tuple(_locked_evidence(each) for each in reversed(found)),
        gates=tuple(_locked_gate(each) for each in _gates(found)),
    )


def _other_files(snapshot: Snapshot, names: set[str]) -> tuple[str, ...]:
    """Weights and programs of a folder or mirror that are not part of the snapshot; the hub's cache holds what others put there."""
    if snapshot.source not in {"folder", "mirror"}:
        return ()
    entries = FolderView(Path(snapshot.root)).entries
    return tuple(e.name for e in entries if e.name not in names and kind_of(e.name) in {"weights", "code"})


def _gates(found: Sequence[Evidence]) -> tuple[Gate, ...]:
    """The gates as the evidence has them, against the targets of the last plan when there is one."""
    plan = latest(found, "plan_adoption")
    targets = plan.record.get("targets", {}) if plan is not None else {}
    return (*desk_check_gates(found, targets), *trial_gates(found, targets))


def _locked_gate(gate: Gate) -> LockedGate:
    return LockedGate(
        code=gate.code,
        state=gate.state,
        value=printable(gate.value, 200),
        threshold=printable(gate.threshold, 200),
        evidence=gate.evidence,
    )


def _locked_evidence(evidence: Evidence) -> LockedEvidence:
    record = evidence.record
    rows = [record, *(record.get("runs") or ())][:_MOST_ROWS]
    return LockedEvidence(
        id=evidence.id,
        tool=evidence.tool,
        made_at=evidence.created_at.replace(microsecond=0),
        machine=evidence.machine,
        found=tuple(row for each in rows if (row := _figures(each))),
    )


def _figures(record: dict[str, Any]) -> dict[str, bool | int | float | str]:
    """The figures of a record, and the few words that they need."""
    figures: dict[str, bool | int | float | str] = {}
    for name, value in record.items():
        if isinstance(value, int | float):
            figures[name] = _rounded(value) if isinstance(value, float) else value
        elif name in _WORDS and isinstance(value, str):
            figures[name] = printable(value, 200)
    return figures


def _rounded(value: float | None) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
