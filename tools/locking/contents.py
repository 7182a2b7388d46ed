"""Where the present contents of a locked model are: on the hub, in its cache, in a mirror or in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.errors import ModelNotFound, SourceUnavailable, ToolError
from tools.file_safety.file_view import FileView, FolderView
from tools.hub import HubFile, endpoint_of, hub_reachable, list_repository
from tools.hub_access.cache import cached_commit
from tools.hub_access.files import HubView
from tools.locating import locate_model
from tools.lock import reference_from
from tools.locking.records import LockedModel
from tools.model_sources import ModelSources
from tools.snapshot import Source


@dataclass(frozen=True)
class LockedContents:
    """What the name of a locked model stands for now."""

    view: FileView
    """The files."""
    commit: str | None
    """Their commit; absent in folders and mirrors."""
    source: Source
    """Where they are."""
    listed: dict[str, HubFile]
    """The hub's listing by name; empty elsewhere."""


def find_contents(model: LockedModel, lock_path: Path, *, sources: ModelSources, ask_hub: bool) -> LockedContents:
    """Find what a locked model's name stands for now.

    Args:
        model: The entry of the lock.
        lock_path: The lock file.
        sources: Where models may come from.
        ask_hub: Whether the hub is asked; else it is not, whatever the sources say.

    Raises:
        ModelNotFound: It is not there.
        AccessDenied: The hub does not show it to this user.
        SourceUnavailable: The hub or the disk did not answer as it must.
    """
    if model.parsed.path is None and ask_hub and model.source in {"hub", "cache"}:
        return on_hub(model, model.parsed.revision, sources)
    offline = sources.model_copy(update={"offline": True})
    trouble: ToolError | None = None
    for reference in _references(model, lock_path):
        try:
            location = locate_model(reference, sources=offline)
        except ModelNotFound as error:
            trouble = trouble or error
        else:
            return LockedContents(location.view, location.commit, location.source, {})
    assert trouble is not None
    raise trouble


def _references(model: LockedModel, lock_path: Path) -> list[str]:
    """The reference itself; the locked commit, whose branch the cache may not know; the bare name, for a mirror."""
    if model.parsed.path is not None:
        return [reference_from(lock_path, model)]
    commit = [] if model.commit.startswith("folder-") else [f"{model.name}@{model.commit}"]
    return list(dict.fromkeys([model.reference, *commit, model.name]))


def on_hub(model: LockedModel, revision: str | None, sources: ModelSources) -> LockedContents:
    """A model's files on the hub at a revision, the main branch when absent.

    Raises:
        SourceUnavailable: The hub cannot be reached.
    """
    if not hub_reachable(sources):
        off, away = "The hub is switched off.", f"The hub at {endpoint_of(sources)} could not be reached."
        raise SourceUnavailable(off if sources.offline else away, "Try again when it answers.", code="no_hub")
    listing = list_repository(model.name, revision, sources)
    files = {file.name: file for file in listing.files}
    return LockedContents(HubView(listing, sources), listing.commit, "hub", files)


def locked_files(model: LockedModel, sources: ModelSources) -> FileView | None:
    """The files as they were locked, when the hub's cache still has all of them; None when it does not."""
    if model.commit.startswith("folder-") or model.parsed.path is not None:
        return None
    cached = cached_commit(model.name, model.commit, sources)
    if cached is None:
        return None
    view = FolderView(cached[1], frozenset(file.name for file in model.files))
    sizes = {entry.name: entry.size_bytes for entry in view.entries if entry.trouble is None}
    return view if sizes == {file.name: file.size_bytes for file in model.files} else None
