"""The tool `check_version`: which version this is, what is newer or different, and whether it fits what is installed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tools.advisories import Advisory, reachable_advisories
from tools.comparing import Change, compare_contents, kind_of
from tools.comparing.likeness import Likeness, likeness_of
from tools.file_safety.file_view import FileView
from tools.file_safety.inspected import Inspected
from tools.hub_access.files import HubView
from tools.located_files import local_commit
from tools.locating import ModelLocation, locate_model
from tools.model_sources import ModelSources
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import Source
from tools.versions.copies import find_copies
from tools.versions.history import History, read_history
from tools.versions.library_fit import LibraryFit, library_fit
from tools.versions.lineage import Ancestor, find_lineage

__all__ = [
    "Ancestor",
    "Change",
    "ComparedWith",
    "LibraryFit",
    "VersionCheck",
    "check_version",
    "kind_of",
    "library_fit",
]


class ComparedWith(BaseModel):
    """The other model or version that was asked to be compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Its canonical reference."""
    commit: str
    """Its resolved commit or content hash."""
    source: Source
    """Where its files came from."""
    same_name: bool
    """Whether it has the same name, or for a folder the same last part."""
    likeness: Likeness
    """identical: every file that is needed is the same · same_weights: only other files differ · other: the weights differ."""
    note: str
    """What follows from name and contents, one sentence."""


class VersionCheck(BaseModel):
    """Which version of a model this is and what is known about newer or other ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Resolved commit or content hash."""
    newest_commit: str | None
    """Newest commit on the hub's main branch; absent when the hub could not be asked."""
    pinned: bool
    """Whether the user's reference names an exact commit (or a folder, whose content hash is exact)."""
    behind: int | None
    """How many commits the checked one is behind the newest; absent when not known."""
    names: tuple[str, ...] = ()
    """Tags and branches of the hub that point at this commit, tags first. Untrusted texts."""
    compared_with: ComparedWith | None = None
    """The other model that was asked to be compared with; absent when it is the newest version."""
    changes: tuple[Change, ...]
    """What differs between the checked and the newest version, or the one it was compared with; weights first."""
    library: LibraryFit
    """Fit with the installed libraries."""
    lineage: tuple[Ancestor, ...]
    """Models this one was made from, nearest first, and such as have the same weights under another name."""
    same_name_here: tuple[str, ...] = ()
    """Ids of models on this machine that are called the same and have other weights."""
    source: Source
    """Where the files came from."""
    advisories: tuple[Advisory, ...]
    """Known vulnerabilities of loaders that this model's files can reach."""
    unknown: tuple[str, ...]
    """What could not be known and why, one sentence each."""


def check_version(
    model: str,
    revision: str | None = None,
    against: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> VersionCheck:
    """Tell which version of a model this is, what differs by meaning, and whether the installed libraries fit it.

    It is compared with its newest version, or with another model or folder, file by file: weights by their tensors,
    tokenizer, chat template, configs, card and licence, each with its risk and what to test again. Without a hub it says
    what cannot be known; the content hash then stands for the commit.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path such as `./models/x`.
        revision: Branch, tag or commit to check against the newest; the newest itself when absent.
        against: Another reference or folder to compare with instead of the newest version.
        sources: Where models may come from.
        progress: Told about each step.
        cancel: Stops while large files are read.

    Returns:
        Resolved and newest commit, changes with what to test again, library fit, lineage, and what is not known.

    Raises:
        ModelNotFound: No source has one of the two.
        AccessDenied: Gated or private.
        SourceUnavailable: The hub or the disk did not answer as it must.
    """
    progress(0.0, "Looking for the model")
    location = locate_model(model, revision, sources=sources)
    other = locate_model(against, sources=sources) if against is not None else None
    inspected = Inspected(location.view)
    history = read_history(location, sources)
    progress(0.1, "Comparing the files")

    def told(fraction: float, message: str) -> None:
        progress(0.1 + 0.8 * fraction, message)

    view = _other_view(location, other, history, sources)
    changes = compare_contents(location.view, view, progress=told, cancel=cancel) if view is not None else ()
    progress(0.9, "Looking for the models it was made from")
    copies = find_copies(location, inspected, sources)
    reference = location.reference
    pinned = reference.pinned or reference.path is not None or (reference.revision or "").startswith("folder-")
    return VersionCheck(
        model=reference.canonical,
        commit=location.commit or local_commit(location),
        newest_commit=history.newest.commit if history.newest is not None else None,
        pinned=pinned,
        behind=history.behind,
        names=history.names,
        compared_with=_compared_with(location, other, changes) if other is not None else None,
        changes=changes,
        library=library_fit(inspected.object("config.json"), inspected),
        lineage=find_lineage(location, inspected, sources, copies.same_weights),
        same_name_here=copies.same_name,
        source=location.source,
        advisories=reachable_advisories(inspected),
        unknown=history.unknown,
    )


def _other_view(
    location: ModelLocation, other: ModelLocation | None, history: History, sources: ModelSources
) -> FileView | None:
    """The files to compare with: of the other model, else of the newest version; None when there is nothing else."""
    if other is not None:
        return other.view
    if location.listing is None or history.newest is None or history.newest.commit == location.listing.commit:
        return None
    return HubView(history.newest, sources)


def _compared_with(location: ModelLocation, other: ModelLocation, changes: tuple[Change, ...]) -> ComparedWith:
    likeness = likeness_of(location.view, other.view, changes)
    same_name = _name(location, other) == _name(other, location)
    return ComparedWith(
        model=other.reference.canonical,
        commit=other.commit or local_commit(other),
        source=other.source,
        same_name=same_name,
        likeness=likeness,
        note=_NOTES[same_name, likeness],
    )


def _name(location: ModelLocation, other: ModelLocation) -> str:
    """What the model is called; beside a folder only the last part of an id counts."""
    if location.root is not None and location.reference.id is None:
        return location.root.name.casefold()
    name = (location.reference.id or "").casefold()
    return name if other.reference.id is not None else name.rpartition("/")[2]


_NOTES: dict[tuple[bool, Likeness], str] = {
    (True, "identical"): "Both have the same name and hold the same.",
    (
        True,
        "same_weights",
    ): "The name is the same, but the contents are not: the weights are the same, files beside them differ.",
    (True, "other"): "The name is the same, but the contents are not.",
    (False, "identical"): "The contents are the same under another name.",
    (False, "same_weights"): "The weights are the same under another name; files beside them differ.",
    (False, "other"): "The two differ in name and contents.",
}
