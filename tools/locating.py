"""Finds where a model's files are: hub, its cache, a mirror, or the folder the user named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.errors import AccessDenied, ModelNotFound, SourceUnavailable, ToolError
from tools.file_safety.file_view import FileView, FolderView
from tools.hub import HubFile, HubListing, endpoint_of, hub_reachable, list_repository
from tools.hub_access.cache import cached_commit, cached_tree
from tools.hub_access.files import HubView
from tools.mirrors import mirror_folder, mirror_ids
from tools.model_reference import ModelReference, parse_reference, with_revision
from tools.model_sources import ModelSources
from tools.needed_files import needed_names
from tools.snapshot import Source


@dataclass(frozen=True)
class ModelLocation:
    """Where a model's files are, before anything was inspected or fetched."""

    reference: ModelReference
    """What the user wrote, with the id as its source spells it."""
    source: Source
    """Where the files are."""
    root: Path | None
    """Their folder; absent on the hub."""
    commit: str | None
    """Full commit; absent for folders and mirrors, whose content stands for it."""
    listing: HubListing | None
    """The hub's listing; absent elsewhere."""
    view: FileView
    """The files as the inspection sees them."""
    note: str
    """Why this source, when it was not the first choice."""
    bundled: tuple[str, str] | None = None
    """Of a mirror's model that came in a bundle: the content hash of its files, and the hub's commit that they are then."""


def locate_model(model: str, revision: str | None = None, *, sources: ModelSources) -> ModelLocation:
    """Find a model: the hub at the pinned commit, else its cache, else the mirrors; a folder only when written as a path.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        revision: Branch, tag or commit.
        sources: Where models may come from.

    Returns:
        The location.

    Raises:
        ModelNotFound: No source has it.
        AccessDenied: The hub has it, but not for this user, and no mirror has it.
        SourceUnavailable: A source did not answer as it must, and no other has it.
    """
    reference = with_revision(parse_reference(model), revision)
    if reference.path is not None:
        return _in_folder(reference)
    trouble: ToolError | None = None
    if hub_reachable(sources):
        try:
            return _on_hub(reference, sources)
        except (ModelNotFound, AccessDenied, SourceUnavailable) as error:
            trouble = error
    note = trouble.message if trouble is not None else _why_no_hub(sources)
    found = _in_cache(reference, sources, note) if not isinstance(trouble, ModelNotFound | AccessDenied) else None
    found = found or _in_mirror(reference, sources, note)
    if found is not None:
        return found
    raise trouble or _nowhere(reference, sources)


def _in_folder(reference: ModelReference) -> ModelLocation:
    assert reference.path is not None
    root = reference.path.expanduser()
    if not root.is_dir():
        kind = "is a file, not a folder" if root.is_file() else "is not there"
        message = f"The folder `{reference.text}` {kind}."
        step = "Check the path. A model on the hub is written `organisation/name`, without a dot or slash in front."
        raise ModelNotFound(message, step)
    root = root.resolve()
    return ModelLocation(reference, "folder", root, None, None, FolderView(root), "")


def _on_hub(reference: ModelReference, sources: ModelSources) -> ModelLocation:
    assert reference.id is not None
    listing = list_repository(reference.id, reference.revision, sources)
    spelled = reference.model_copy(update={"id": listing.id})
    return ModelLocation(spelled, "hub", None, listing.commit, listing, HubView(listing, sources), "")


def _in_cache(reference: ModelReference, sources: ModelSources, note: str) -> ModelLocation | None:
    assert reference.id is not None
    cached = cached_commit(reference.id, reference.revision, sources)
    if cached is None:
        return None
    commit, root = cached
    view = FolderView(root)
    if not _is_whole(view, cached_tree(reference.id, commit, sources)):
        return None
    return ModelLocation(reference, "cache", root, commit, None, view, f"Taken from the hub's cache: {note}")


def _is_whole(view: FolderView, tree: tuple[HubFile, ...]) -> bool:
    """Whether a cached snapshot has all that is needed; often only pieces were ever fetched."""
    there = {entry.name: entry.size_bytes for entry in view.entries if entry.trouble is None}
    if not tree:  # by another program, which did not note what there should be
        return "config.json" in there
    sizes = {file.name: file.size_bytes for file in tree}
    return all(there.get(name) == sizes[name] for name in needed_names(sizes))


def _in_mirror(reference: ModelReference, sources: ModelSources, note: str) -> ModelLocation | None:
    assert reference.id is not None
    found = mirror_folder(reference.id, sources)
    if found is None:
        return None
    identifier, root = found
    from tools.bundles.archive import bundled_commit  # noqa: PLC0415 (a model of a folder or the hub needs no bundle)

    bundled = bundled_commit(root)
    known = {None, "main", *(bundled or ())}
    if reference.revision not in known and not str(reference.revision).startswith("folder-"):
        message = f"A mirror has `{identifier}`, but nothing there says that it is revision `{reference.revision}`."
        step = f"Ask for `{identifier}` without a revision, or connect to the hub."
        raise ModelNotFound(message, step, model=identifier)
    spelled = reference.model_copy(update={"id": identifier})
    told = f"Taken from a mirror on this machine: {note}"
    if bundled is not None:
        told = f"Taken from a mirror on this machine: {note} Its commit is the one that its bundle names."
    return ModelLocation(spelled, "mirror", root, None, None, FolderView(root), told, bundled)


def _why_no_hub(sources: ModelSources) -> str:
    return "the hub is switched off." if sources.offline else f"the hub at {endpoint_of(sources)} could not be reached."


def _nowhere(reference: ModelReference, sources: ModelSources) -> ToolError:
    known = ", ".join(f"`{each}`" for each in mirror_ids(sources)[:5])
    message = f"`{reference.name}` is neither in the cache nor in a mirror, and {_why_no_hub(sources)}"
    step = (
        f"On this machine there are: {known}."
        if known
        else "Connect to the hub, or put the model into a mirror folder."
    )
    return ModelNotFound(message, f"{step} A folder is written as a path, `./folder`.", model=reference.name)
