"""Makes the entry of a lock: runs what is missing, gathers the evidence of the present commit, and writes it down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assistant.advice.gates import Gate, desk_check_gates, trial_gates
from assistant.evidence import Evidence, latest
from assistant.services import Services
from assistant.toolbox import CallScope, Emit, Toolbox, read_record
from tools.errors import SourceUnavailable
from tools.file_safety.findings import printable
from tools.lock import change_lock, with_model
from tools.locking.entry import lock_entry
from tools.locking.records import LockedEvidence, LockedGate, LockedModel, as_line

_CHECKS = ("inspect_files", "check_version", "check_documentation", "estimate_memory")
"""What every entry holds; a measurement is held when it is stored, and never made for a lock."""
_ALWAYS_ANEW = frozenset({"inspect_files"})
"""Rules and known vulnerabilities can be newer than what is stored."""
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
    entry = _entry(path, by, found)
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
        known = latest(stored, tool) if tool not in _ALWAYS_ANEW else None
        evidence = known if known and _is_readable(known) else toolbox.run(tool, {"model": model}, scope, emit)
        if evidence is None and tool != "estimate_memory":  # a forecast is not possible for every architecture
            return None
        if evidence is not None:
            found.append(evidence)
    if any(each.commit != fetched.commit for each in found):
        message = f"`{printable(model, 120)}` changed while it was looked at."
        raise SourceUnavailable(message, "Run the command again.", code="moved")
    return sorted(found, key=lambda each: int(each.id[1:]), reverse=True)


def _is_readable(evidence: Evidence) -> bool:
    """Whether the record still has the form that it has today."""
    try:
        read_record(evidence)
    except ValidationError:
        return False
    return True


def _entry(path: Path, by: str, found: Sequence[Evidence]) -> LockedModel:
    records: dict[str, Any] = {each.tool: read_record(each) for each in found if each.tool in {*_CHECKS, "fetch_model"}}
    return lock_entry(
        records["fetch_model"],
        records["inspect_files"],
        records["check_documentation"],
        records.get("estimate_memory"),
        lock_path=path,
        by=by,
        evidence=[_locked_evidence(each) for each in reversed(found)],
        gates=[_locked_gate(each) for each in _gates(found)],
    )


def _gates(found: Sequence[Evidence]) -> tuple[Gate, ...]:
    """The gates as the evidence has them, against the targets of the last plan when there is one."""
    plan = latest(found, "plan_adoption")
    targets = plan.record.get("targets", {}) if plan is not None else {}
    return (*desk_check_gates(found, targets), *trial_gates(found, targets))


def _locked_gate(gate: Gate) -> LockedGate:
    return LockedGate(
        code=gate.code,
        state=gate.state,
        value=as_line(gate.value),
        threshold=as_line(gate.threshold),
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
            figures[name] = float(f"{value:.6g}") if isinstance(value, float) else value
        elif name in _WORDS and isinstance(value, str):
            figures[name] = as_line(value)
    return figures
