"""Makes the entry of a lock from what the tools found about one snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tools.comparing.change import kind_of
from tools.errors import InvalidArgument, SourceUnavailable, UnsafeModel
from tools.file_safety.file_view import FolderView
from tools.file_safety.findings import FileInspection, printable
from tools.lock import reference_for
from tools.locking.drift import installed_libraries
from tools.locking.fingerprint import fingerprint
from tools.locking.records import (
    LockedEvidence,
    LockedFile,
    LockedGate,
    LockedLicence,
    LockedModel,
    LockedPart,
    as_line,
)
from tools.model_reference import parse_reference
from tools.snapshot import Snapshot, changed_files

if TYPE_CHECKING:
    from tools.documentation import DocumentationCheck
    from tools.license import LicenceFinding
    from tools.memory.records import MemoryForecast


def lock_entry(
    snapshot: Snapshot,
    inspection: FileInspection,
    documentation: DocumentationCheck,
    forecast: MemoryForecast | None = None,
    *,
    lock_path: Path,
    by: str,
    evidence: Sequence[LockedEvidence] = (),
    gates: Sequence[LockedGate] = (),
) -> LockedModel:
    """Make the entry of a lock; all records must be about the snapshot's commit.

    Args:
        snapshot: What `fetch_model` brought.
        inspection: What `inspect_files` found.
        documentation: What `check_documentation` found.
        forecast: What `estimate_memory` says; None when it cannot say.
        lock_path: The lock file; a folder below its own is named from there.
        by: Who adopts the model.
        evidence: What else was found.
        gates: The conditions for adoption.

    Returns:
        The entry.

    Raises:
        UnsafeModel: The files were refused.
        InvalidArgument: Its files have names or values that a lock cannot hold.
        SourceUnavailable: Its files changed since the snapshot was taken.
    """
    if inspection.verdict == "refuse" or snapshot.safety == "refuse":
        message = f"`{printable(snapshot.model, 120)}` was refused, and what is refused cannot be locked."
        raise UnsafeModel(message, "See `tameshi inspect-files` for the reasons.")
    names = {file.name for file in snapshot.files}
    hashes = {file.name: file.sha256 for file in snapshot.files}
    try:
        entry = LockedModel(
            reference=reference_for(lock_path, parse_reference(snapshot.model)),
            commit=snapshot.commit,
            source=snapshot.source,
            locked_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
            locked_by=as_line(by),
            safety="accept" if inspection.verdict == "accept" else "flag",
            documentation_score=round(documentation.score, 4),
            card_sha256=hashes.get(documentation.card_file or ""),
            forecast_memory_mib=round(forecast.total_mib, 1) if forecast is not None else None,
            advisories=tuple(each.id for each in inspection.advisories if each.affected),
            other_files=_other_files(snapshot, names),
            files=tuple(LockedFile(name=f.name, size_bytes=f.size_bytes, sha256=f.sha256) for f in snapshot.files),
            licence=_licence(documentation.licence),
            libraries=installed_libraries(),
            fingerprint=fingerprint(FolderView(Path(snapshot.root), frozenset(names))),
            evidence=tuple(evidence),
            gates=tuple(gates),
        )
    except ValidationError as error:
        message = f"`{printable(snapshot.model, 120)}` has names or values that a lock cannot hold."
        raise InvalidArgument(message, "Look at its files with `tameshi inspect-files`.") from error
    if changed_files(snapshot):
        message = f"`{printable(snapshot.model, 120)}` changed while it was looked at."
        raise SourceUnavailable(message, "Run the command again.", code="moved")
    return entry


def _licence(found: LicenceFinding) -> LockedLicence:
    return LockedLicence(
        spdx=as_line(found.spdx) if found.spdx else None,
        tag=as_line(found.tag) if found.tag else None,
        text_file=found.text_file,
        agreement=found.agreement,
        lineage=tuple(
            LockedPart(role=each.role, name=as_line(each.name), spdx=as_line(each.spdx))
            for each in found.lineage
            if each.role != "model" and each.spdx
        ),
    )


def _other_files(snapshot: Snapshot, names: set[str]) -> tuple[str, ...]:
    """Weights and programs of a folder or mirror beside the snapshot; the hub's cache holds what others put there."""
    if snapshot.source not in {"folder", "mirror"}:
        return ()
    entries = FolderView(Path(snapshot.root)).entries
    return tuple(e.name for e in entries if e.name not in names and kind_of(e.name) in {"weights", "code"})
