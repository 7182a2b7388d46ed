"""How the present files of a model differ from the locked ones: by hash which, by meaning how."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tools.comparing import compare_contents
from tools.comparing.change import Change, ChangeKind, change_of, kind_of, told_first
from tools.comparing.quoting import shown as quoted
from tools.errors import ToolError
from tools.file_safety.file_view import FileView
from tools.file_safety.verdict import inspect_view
from tools.licences.lineage import licence_of_files, licence_tag
from tools.locking.contents import LockedContents, locked_files
from tools.locking.fingerprint import fingerprint
from tools.locking.fingerprint_changes import Meaning, compare_fingerprints
from tools.locking.records import LockedFile, LockedModel
from tools.model_sources import ModelSources
from tools.needed_files import needed_names
from tools.snapshot import hash_file

_MAIN = {"tokenizer.json", "config.json", "generation_config.json", "vocab.txt", "vocab.json"}
"""Of several files of one kind the one that a fingerprint speaks of."""


def content_drift(model: LockedModel, contents: LockedContents, *, sources: ModelSources) -> tuple[Change, ...]:
    """Compare a locked model with its present files.

    Args:
        model: The entry of the lock.
        contents: What its name stands for now.
        sources: Where the locked files may still be.

    Returns:
        What differs, the weightiest first; empty when every file is the locked one and none was added.
    """
    changed = {change.file: change for change in (*_by_hash(model, contents), *_added(model, contents))}
    if not changed:
        return ()
    told = _by_meaning(model, contents, changed, sources)
    return tuple(sorted((*told, *_refusal(model, contents, told)), key=told_first))


def _by_hash(model: LockedModel, contents: LockedContents) -> Iterator[Change]:
    entries = {entry.name: entry for entry in contents.view.entries}
    for file in model.files:
        kind, entry = kind_of(file.name), entries.get(file.name)
        if entry is None:
            yield change_of(kind, file.name, "It is missing.")
        elif entry.trouble is not None:
            yield change_of(kind, file.name, f"It is no plain file any more, but {entry.trouble}.", risk="high")
        elif entry.size_bytes != file.size_bytes:
            description = f"Its content changed, from {file.size_bytes:,} to {entry.size_bytes:,} bytes."
            yield change_of(kind, file.name, description)
        elif _hash(file, contents) != file.sha256:
            yield change_of(kind, file.name, f"Its content changed at the same size of {file.size_bytes:,} bytes.")


def _hash(file: LockedFile, contents: LockedContents) -> str:
    path = contents.view.path(file.name)
    if path is not None:
        return hash_file(path)
    listed = contents.listed.get(file.name)
    if listed is not None and listed.sha256 is not None:
        return listed.sha256
    return hashlib.sha256(contents.view.read(file.name, 0, file.size_bytes)).hexdigest()


def _added(model: LockedModel, contents: LockedContents) -> Iterator[Change]:
    """Files that a loader would take, and in a folder weights and programs that some loader may take."""
    known = {*(file.name for file in model.files), *model.other_files}
    sizes = {entry.name: entry.size_bytes for entry in contents.view.entries if entry.trouble is None}
    needed = set(needed_names(sizes))
    own_folder = contents.source in {"folder", "mirror"}
    for name in sorted(sizes.keys() - known):
        if name in needed or own_folder and kind_of(name) in {"weights", "code"}:
            yield change_of(kind_of(name), name, "It was added.")


def _by_meaning(
    model: LockedModel, contents: LockedContents, changed: dict[str, Change], sources: ModelSources
) -> list[Change]:
    before = locked_files(model, sources)
    if before is not None:
        return _from_files(before, contents.view, changed)
    meanings = compare_fingerprints(model.fingerprint, fingerprint(contents.view))
    about_licence: ChangeKind = "licence" if any(each.kind == "licence" for each in changed.values()) else "card"
    if any(each.kind == about_licence for each in changed.values()):
        meanings[about_licence] = _licence(model, contents.view)
    return list(_from_fingerprint(changed, meanings))


def _licence(model: LockedModel, view: FileView) -> Meaning:
    """What the files say of the licence now, where that differs."""
    spdx, _, front_matter = licence_of_files(view)
    tag, locked = licence_tag(front_matter), model.licence
    now, before = quoted(spdx or tag or ""), quoted(locked.spdx or locked.tag or "")
    if spdx and spdx == locked.spdx and tag != locked.tag:
        return Meaning(
            (f"The card's licence tag is `{quoted(tag or '–')}` instead of `{quoted(locked.tag or '–')}`.",), "high"
        )
    if now == before:
        return Meaning(())
    if not spdx and not tag:
        return Meaning((f"No licence is stated any more; it was `{before}`.",), "high")
    if not locked.spdx and not locked.tag:
        return Meaning((f"A licence is stated now, `{now}`; there was none.",), "high")
    return Meaning((f"The licence is `{now}` instead of `{before}`.",), "high")


def _from_files(before: FileView, after: FileView, changed: dict[str, Change]) -> list[Change]:
    """Told by comparing the files themselves; one change may stand for several weight files."""
    compared = [change for change in compare_contents(before, after) if change.file in changed]
    files = {change.file for change in compared}
    told_weights = any(change.kind == "weights" for change in compared)
    rest = [each for name, each in changed.items() if name not in files]
    return [*compared, *(each for each in rest if each.kind != "weights" or not told_weights)]


def _from_fingerprint(changed: dict[str, Change], meanings: dict[ChangeKind, Meaning]) -> Iterator[Change]:
    spoken_of: dict[ChangeKind, str] = {}
    for name in sorted(changed, key=lambda each: (each not in _MAIN, each)):
        spoken_of.setdefault(changed[name].kind, name)
    for name, change in changed.items():
        meaning = meanings.get(change.kind)
        unread = change.description == "It is missing." and change.kind not in {"licence", "card"}
        if meaning is None or spoken_of[change.kind] != name or unread:
            yield change
        else:
            yield change_of(
                change.kind, name, change.description, risk=meaning.risk or change.risk, details=meaning.lines
            )


def _refusal(model: LockedModel, contents: LockedContents, told: list[Change]) -> Iterator[Change]:
    """What the inspection refuses in files that changed: more than another version, a danger."""
    if all(change.kind in {"card", "licence"} for change in told):
        return
    where = "flag" if contents.source in {"hub", "cache"} else "refuse"
    try:
        found = inspect_view(
            contents.view, model=model.reference, commit=contents.commit or "", unneeded_pickles=where, thorough=False
        )
    except ToolError:  # a listing that cannot be read was told already
        return
    for each in found.findings:
        if each.severity == "refuse":
            yield Change(
                kind=kind_of(each.file), file=each.file, description=each.found, retest=each.next_step, risk="high"
            )
            return
