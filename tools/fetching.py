"""The tool `fetch_model`: brings a model's files here, pinned, inspected and hashed."""

from __future__ import annotations

from pathlib import Path

from tools.errors import SourceUnavailable
from tools.file_safety.file_view import FolderView
from tools.file_safety.findings import FileInspection
from tools.file_safety.verdict import inspect_view
from tools.hub_access.cache import cached_tree
from tools.hub_access.download import download_snapshot, missing_bytes
from tools.hub_access.files import HubView
from tools.located_files import commit_of, inspect_location, names_of, refuse_unsafe, require_weights
from tools.locating import ModelLocation, locate_model
from tools.model_sources import ModelSources
from tools.needed_files import needed_names
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import Snapshot, SnapshotFile, hash_files

__all__ = ["ModelSources", "bytes_to_download", "fetch_model", "inspect_location"]


def fetch_model(
    model: str,
    revision: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Snapshot:
    """Bring a model's files to this machine, pinned to one commit, inspected and hashed; the first step before measuring.

    Only what is needed is fetched: configs, tokenizer, card, licence and safetensors weights; never pickles. Unsafe files
    are refused before they are downloaded where the listing shows them.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path such as `./models/x`.
        revision: Branch, tag or commit; the newest of the main branch when absent.
        sources: Where models may come from.
        progress: Told about each step.
        cancel: Stops; what was downloaded is kept and continued next time.

    Returns:
        The snapshot: commit, source, folder, files with sizes and hashes, safety verdict.

    Raises:
        UnsafeModel: The inspection refuses the files; the message names file and rule.
        UnsupportedModel: Nothing unsafe, but no safetensors weights.
        ModelNotFound: No source has it.
        AccessDenied: Gated or private.
        SourceUnavailable: The hub or the disk did not answer as it must.
    """
    progress(0.0, "Looking for the model")
    location = locate_model(model, revision, sources=sources)
    _raise_if_cancelled(cancel)
    progress(0.05, "Inspecting the files")
    names = names_of(location)
    marks = _marks(location.root, names)
    inspection = inspect_location(location)
    refuse_unsafe(inspection)
    require_weights(location, names)
    root = location.root
    if location.listing is not None:
        root = download_snapshot(
            location.listing,
            names,
            location.reference.revision or "main",
            sources,
            known=location.view.whole if isinstance(location.view, HubView) else lambda _name: None,
            progress=lambda part, text: progress(0.1 + 0.8 * part, text),
            cancel=cancel,
        )
    assert root is not None
    snapshot = _snapshot(location, root, names, inspection, sources, progress, cancel)
    if location.root is not None and _marks(location.root, names) != marks:
        message = f"Files of `{location.reference.name}` changed while they were inspected."
        raise SourceUnavailable(message, "Wait until nothing writes to the folder, then try again.")
    progress(1.0, "Ready")
    return snapshot


def bytes_to_download(model: str, revision: str | None = None, *, sources: ModelSources) -> int:
    """How much `fetch_model` would download, by the hub's listing alone; nothing is downloaded.

    Args:
        model: As for `fetch_model`.
        revision: Branch, tag or commit; the newest of the main branch when absent.
        sources: Where models may come from.

    Returns:
        Bytes of the needed files that are not in the cache yet; 0 for what lies on this machine.

    Raises:
        ToolError: As `fetch_model`, where the model cannot be located.
    """
    listing = locate_model(model, revision, sources=sources).listing
    if listing is None:
        return 0
    names = needed_names({file.name: file.size_bytes for file in listing.files})
    return missing_bytes(listing, names, sources)


def _snapshot(
    location: ModelLocation,
    root: Path,
    names: tuple[str, ...],
    inspection: FileInspection,
    sources: ModelSources,
    progress: Progress,
    cancel: CancelToken | None,
) -> Snapshot:
    """Hash the files, inspect exactly these once more where they were just downloaded, and pin them."""
    files = hash_files(root, names, progress=lambda part, text: progress(0.9 + 0.08 * part, text), cancel=cancel)
    if location.listing is not None:
        arrived = inspect_view(FolderView(root, frozenset(names)), model=inspection.model, commit=inspection.commit)
        refuse_unsafe(arrived)
        inspection = _worse(arrived, inspection)
    elif location.source == "cache":
        _check_cached(location, files, sources)
    return Snapshot(
        model=location.reference.canonical,
        commit=location.commit or commit_of(location, files),
        source=location.source,
        root=str(root),
        files=files,
        total_bytes=sum(file.size_bytes for file in files),
        safety=inspection.verdict,
        note=location.note,
    )


def _check_cached(location: ModelLocation, files: tuple[SnapshotFile, ...], sources: ModelSources) -> None:
    """Whether cached files are still what the hub listed when they were fetched; its note tells the large ones' hashes."""
    listed = {each.name: each.sha256 for each in cached_tree(location.reference.name, location.commit or "", sources)}
    for file in files:
        if listed.get(file.name) not in {None, file.sha256}:
            message = f"`{file.name}` in the cache is not what the hub listed when it was fetched (rule T22)."
            raise SourceUnavailable(
                message, "Connect to the hub and fetch the model again.", code="T22", file=file.name
            )


def _marks(root: Path | None, names: tuple[str, ...]) -> tuple[tuple[int, int, int], ...]:
    """What changes when any of the files is written to or exchanged; empty while they are not on this machine."""
    if root is None:
        return ()
    found = [(root / name).stat() for name in names]
    return tuple((each.st_ino, each.st_mtime_ns, each.st_ctime_ns) for each in found)


def _worse(first: FileInspection, second: FileInspection) -> FileInspection:
    rank = {"accept": 0, "flag": 1, "refuse": 2}
    return first if rank[first.verdict] >= rank[second.verdict] else second


def _raise_if_cancelled(cancel: CancelToken | None) -> None:
    if cancel is not None:
        cancel.raise_if_cancelled()
