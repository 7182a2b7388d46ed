"""What is done with a located model's files before anything is fetched: named, inspected, refused, hashed."""

from __future__ import annotations

from tools.errors import ModelNotFound, UnsafeModel, UnsupportedModel
from tools.file_safety.findings import FileInspection
from tools.file_safety.verdict import inspect_view
from tools.hub_access.files import HubView
from tools.locating import ModelLocation
from tools.needed_files import needed_names
from tools.snapshot import SnapshotFile, content_commit, hash_files


def names_of(location: ModelLocation) -> tuple[str, ...]:
    """The files of a located model that are needed."""
    return needed_names({entry.name: entry.size_bytes for entry in location.view.entries if entry.trouble is None})


def require_weights(location: ModelLocation, names: tuple[str, ...]) -> None:
    """Raise `UnsupportedModel` when the needed files hold no safetensors weights."""
    if not any(name.endswith(".safetensors") for name in names):
        message = f"`{location.reference.name}` has no weights in the safetensors format."
        raise UnsupportedModel(message, "Choose another model, or a revision of this one, in the safetensors format.")


def inspect_location(location: ModelLocation, *, thorough: bool = True) -> FileInspection:
    """Inspect a located model; a pickle beside safetensors weights is refused only where it lies in the folder to be loaded.

    Args:
        location: Where its files are.
        thorough: Whether the weights' values and the card are looked at too, which takes reading them.
    """
    if isinstance(location.view, HubView):
        location.view.warm(names_of(location))
    harmless = location.source in {"hub", "cache"}
    return inspect_view(
        location.view,
        model=location.reference.canonical,
        commit=location.commit or "",
        unneeded_pickles="flag" if harmless else "refuse",
        thorough=thorough,
    )


def local_commit(location: ModelLocation) -> str:
    """The content hash that stands for the commit of a folder or mirror, over the files that are needed.

    Of a mirror's model that came in a bundle and still has that content it is the commit on the hub.

    Raises:
        ModelNotFound: Another content was asked for.
    """
    assert location.root is not None
    return commit_of(location, hash_files(location.root, names_of(location)))


def refuse_unsafe(inspection: FileInspection) -> None:
    """Raise `UnsafeModel` with the worst finding when the verdict is refuse."""
    if inspection.verdict != "refuse":
        return
    worst = inspection.findings[0]
    others = sum(1 for each in inspection.findings if each.severity == "refuse") - 1
    more = f" {others} more file findings are as serious." if others else ""
    message = f"`{inspection.model}` was refused because of `{worst.file}`: {worst.found} (rule {worst.rule}).{more}"
    raise UnsafeModel(message, worst.next_step, code=worst.rule, file=worst.file)


def commit_of(location: ModelLocation, files: tuple[SnapshotFile, ...]) -> str:
    """The commit that these files are, by their content; raises `ModelNotFound` where another content was asked for."""
    content, wanted = content_commit(files), location.reference.revision
    commit = location.bundled[1] if location.bundled is not None and location.bundled[0] == content else content
    if wanted not in {None, "main", content, commit}:
        message = f"`{location.reference.name}` is no longer `{wanted}`; its content is now `{content}`."
        raise ModelNotFound(message, "Put the earlier files back, or accept the change and pin the new content.")
    return commit
