"""The hub's cache on this machine, in the layout that all programs of the Hugging Face world share.

`blobs/` holds files by hash, `snapshots/COMMIT/` links to them by name, `refs/` says what a branch or tag was, and
`trees/COMMIT.json` which files the commit has. A snapshot appears when all its files are there, in one step.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.errors import SourceUnavailable
from tools.hub import HubFile, HubListing, default_cache
from tools.model_sources import ModelSources
from tools.progress import CancelToken, Progress
from tools.snapshot import hash_file
from tools.strict_json import BadJson, parse_json

UNFINISHED = ".tameshi.incomplete"
"""Ends the name of a file of ours that is not finished; in a model's folder only its lock's holder makes any."""
_MAX_TREE_BYTES = 32_000_000
_WAIT_S = 0.2


def cache_folder(model: str, sources: ModelSources) -> Path:
    """The model's folder in the hub's cache, whether or not it is there."""
    cache = sources.cache_dir or default_cache()
    return cache / ("models--" + model.replace("/", "--"))


def blob_path(folder: Path, file: HubFile) -> Path:
    """Where a file's content lies in a model's folder of the cache."""
    hashed = file.sha256 or file.git_id
    if hashed is None:
        message = f"The hub lists no hash for `{file.name}`, so its content could not be verified."
        raise SourceUnavailable(message, "Use the public hub, or a mirror that lists sizes and hashes.")
    return folder / "blobs" / hashed


def part_path(blob: Path) -> Path:
    """Where a file lies until it is whole."""
    return blob.with_name(blob.name + UNFINISHED)


def is_whole(path: Path, file: HubFile, cancel: CancelToken | None = None) -> bool:
    """Whether a file of the cache has the size and the hash that the hub lists."""
    try:
        return path.stat().st_size == file.size_bytes and _has_hash(path, file, cancel)
    except OSError:
        return False


def _has_hash(path: Path, file: HubFile, cancel: CancelToken | None) -> bool:
    if file.sha256 is not None:
        return hash_file(path, cancel) == file.sha256
    digest = hashing(file)
    digest.update(path.read_bytes())
    return digest.hexdigest() == file.git_id


def hashing(file: HubFile) -> Any:
    """The hash, begun, that a listed file's content must have."""
    if file.sha256 is not None:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)


@contextlib.contextmanager
def held_alone(folder: Path, progress: Progress, cancel: CancelToken | None) -> Iterator[None]:
    """Let one fetch at a time write to a model's folder; the kernel ends the hold with its holder.

    Args:
        folder: The model's folder in the cache.
        progress: Told while another program fetches the model.
        cancel: Ends the wait.
    """
    handle = _lock_of(folder)
    try:
        while not _taken(handle):
            progress(0.1, "Waiting for another program that fetches this model")
            if cancel is not None:
                cancel.raise_if_cancelled()
            time.sleep(_WAIT_S)
        yield
    finally:
        os.close(handle)


def sweep_if_free(folder: Path) -> None:
    """Remove what a fetch that was killed left unfinished, unless a fetch is at work."""
    if not any(folder.rglob(f"*{UNFINISHED}")):
        return
    handle = _lock_of(folder)
    try:
        if _taken(handle):
            _sweep(folder)
    finally:
        os.close(handle)


def _lock_of(folder: Path) -> int:
    place = folder.parent / ".locks" / folder.name / "tameshi.lock"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise not_writable(place, error) from error


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: a mix of two downloads would not pass the check of its hash
        return True
    return True


def not_writable(path: Path, error: OSError) -> SourceUnavailable:
    """What to say when the cache cannot be written to."""
    message = f"`{path.name}` could not be written ({error.strerror or error})."
    return SourceUnavailable(message, "Check the disk's space and the folder's permissions, then try again.")


def publish(folder: Path, listing: HubListing, files: Sequence[HubFile], revision: str) -> Path:
    """Make the snapshot of a commit appear, once all its files lie among the blobs; call it while holding the folder.

    Args:
        folder: The model's folder in the cache.
        listing: The repository at its commit.
        files: The files that were fetched.
        revision: Branch or tag that was asked for.

    Returns:
        The snapshot's folder.
    """
    snapshot = folder / "snapshots" / listing.commit
    try:
        _write_tree(folder, listing)
        if snapshot.is_dir():  # another program put some files there: `config.json` comes last, as it makes a model
            for file in sorted(files, key=lambda each: (each.name == "config.json", each.name)):
                _link(snapshot, file, blob_path(folder, file))
        else:
            unfinished = snapshot.with_name(snapshot.name + UNFINISHED)
            shutil.rmtree(unfinished, ignore_errors=True)
            for file in files:
                _link(unfinished, file, blob_path(folder, file))
            unfinished.rename(snapshot)
        note_revision(folder, listing, revision)
        _sweep(folder)
    except OSError as error:
        raise not_writable(snapshot, error) from error
    return snapshot


def note_revision(folder: Path, listing: HubListing, revision: str) -> None:
    """Note which commit a branch or tag was, so that it is found without the hub, and which files the commit has.

    Args:
        folder: The model's folder in the cache.
        listing: The repository at its commit.
        revision: Branch or tag that was asked for.
    """
    reference = folder / "refs" / revision
    try:
        if revision != listing.commit and not (reference.is_file() and reference.read_text("utf-8") == listing.commit):
            _write(reference, listing.commit)
        if not (folder / "trees" / f"{listing.commit}.json").is_file():
            _write_tree(folder, listing)
    except OSError as error:
        raise not_writable(reference, error) from error


def _link(snapshot: Path, file: HubFile, blob: Path) -> None:
    place = snapshot / file.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink() and place.resolve() == blob.resolve():
        return
    unfinished = place.with_name(place.name + UNFINISHED)
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(os.path.relpath(blob, place.parent))
    unfinished.replace(place)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}{UNFINISHED}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _write_tree(folder: Path, listing: HubListing) -> None:
    """Note which files the commit has, in the form that huggingface_hub documents in `_tree_cache.py`."""
    files = {file.name: _tree_entry(file) for file in listing.files if file.git_id is not None}
    if len(files) == len(listing.files):
        _write(folder / "trees" / f"{listing.commit}.json", json.dumps({"format_version": 1, "files": files}, indent=1))


def _tree_entry(file: HubFile) -> dict[str, Any]:
    entry: dict[str, Any] = {"size": file.size_bytes, "blob_id": file.git_id}
    return entry if file.sha256 is None else {**entry, "lfs_sha256": file.sha256, "lfs_size": file.size_bytes}


def _sweep(folder: Path) -> None:
    for left in [*folder.rglob(f"*{UNFINISHED}")]:
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def cached_commit(model: str, revision: str | None, sources: ModelSources) -> tuple[str, Path] | None:
    """Commit and folder of a model in the hub's cache; None when the cache does not have it."""
    folder = cache_folder(model, sources)
    commit = revision or "main"
    reference = folder / "refs" / commit
    if reference.is_file() and reference.stat().st_size < 200:
        commit = reference.read_text(encoding="utf-8").strip()
    snapshot = folder / "snapshots" / commit
    if not commit.isalnum() or not snapshot.is_dir():
        return None
    return commit, snapshot


def cached_tree(model: str, commit: str, sources: ModelSources) -> tuple[HubFile, ...]:
    """The files that a commit has by the cache's own note; empty when there is none."""
    tree = cache_folder(model, sources) / "trees" / f"{commit}.json"
    try:
        if tree.stat().st_size > _MAX_TREE_BYTES:
            return ()
        content = parse_json(tree.read_bytes())
        return tuple(
            HubFile(name=name, size_bytes=entry["size"], sha256=entry.get("lfs_sha256"), git_id=entry["blob_id"])
            for name, entry in content["files"].items()
        )
    except (OSError, BadJson, KeyError, TypeError, AttributeError, ValueError):
        return ()
