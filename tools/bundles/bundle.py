"""Bundles: a model's files, what was found out about it and its lock in one file for a machine without a network."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict

from tools.bundles.archive import (
    MODEL_FOLDER,
    BundleDamaged,
    BundledFile,
    Manifest,
    is_safe_name,
    read_archive,
    write_archive,
)
from tools.errors import InvalidArgument, SourceUnavailable
from tools.hub_access.cache import UNFINISHED, not_writable
from tools.hub_access.download import check_space
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import Snapshot, SnapshotFile, content_commit

_EVIDENCE, _LOCK = "evidence.json", "models.lock"
_MAX_TEXT_BYTES = 256_000_000
_PIECE_BYTES = 1024 * 1024
_FOR_PARTS = re.compile(r"[^\w.-]+", re.ASCII)


class Bundle(BaseModel):
    """A bundle that was made, verified or unpacked; verified in each case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """The bundle as it was named."""
    id: str
    """SHA-256 of its manifest, which holds the hashes of everything else: equal ids are equal bundles. Compare it with what
    the sender tells by another way; the bundle alone shows that it is undamaged, not who made it."""
    model: str
    """Id of the model, `org/name`."""
    commit: str
    """Full commit on the hub, or `folder-` and the content hash."""
    safety: Literal["accept", "flag"]
    """Verdict of the file inspection when it was made; an unpacked one was inspected again."""
    files: int
    """Files of the model."""
    total_bytes: int
    """Their sizes together, in bytes."""
    has_evidence: bool
    """Whether it holds what was found out about the model."""
    has_lock: bool
    """Whether it holds a lock."""
    made_at: str
    """When it was made, UTC, ISO 8601."""
    unpacked_into: str | None = None
    """The model's folder after unpacking; set the folder above its owner as a mirror. Absent otherwise."""


def create_bundle(
    snapshot: Snapshot,
    out: Path,
    *,
    evidence: str | None = None,
    lock: Path | None = None,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Bundle:
    """Put a fetched model into one file.

    Args:
        snapshot: What `fetch_model` returned.
        out: The bundle; replaced when it is there.
        evidence: JSON text of what was found out about it.
        lock: A lock file to enclose.
        progress: Told about each file.
        cancel: Stops; no bundle is left then.

    Returns:
        The bundle.

    Raises:
        InvalidArgument: A file's name, or the lock, cannot be in a bundle.
        SourceUnavailable: The disk does not take it, or files changed since they were fetched.
    """
    texts = {_EVIDENCE: None if evidence is None else evidence.encode("utf-8"), _LOCK: _lock_text(lock)}
    extra = {name: text for name, text in texts.items() if text is not None}
    files = [BundledFile(name=n, size_bytes=len(t), sha256=hashlib.sha256(t).hexdigest()) for n, t in extra.items()]
    files += [_bundled(file) for file in snapshot.files]
    manifest = Manifest(
        model=_model_id(snapshot),
        commit=snapshot.commit,
        content=content_commit(snapshot.files),
        safety="accept" if snapshot.safety == "accept" else "flag",
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        files=tuple(files),
    )
    check_space(out.resolve().parent, sum(file.size_bytes for file in files))

    def contents() -> Iterator[tuple[BundledFile, Iterable[bytes]]]:
        for file in files:
            known = extra.get(file.name)
            pieces = _pieces(Path(snapshot.root), file, cancel) if known is None else [known]
            yield file, told(pieces, manifest, file, f"Packing {file.name}", progress)

    unfinished = out.with_name(out.name + UNFINISHED)
    try:
        with unfinished.open("ab") as stream:
            _hold(stream, out)
            stream.truncate(0)
            try:
                bundle_id = write_archive(stream, manifest, contents())
                unfinished.replace(out)
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise not_writable(out, error) from error
    progress(1.0, "Ready")
    return bundle_of(out, manifest, bundle_id)


def _hold(stream: BinaryIO, out: Path) -> None:
    """Let nobody else write the same bundle; the kernel ends the hold with its holder."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"Another program is writing `{out.name}`."
        raise SourceUnavailable(message, "Wait until it is done, or name another file.") from error


def verify_bundle(file: Path, *, progress: Progress = ignore_progress, cancel: CancelToken | None = None) -> Bundle:
    """Read a bundle to its last byte and compare all with its manifest; needs nothing but the file.

    Args:
        file: The bundle.
        progress: Told about each file.
        cancel: Stops.

    Returns:
        The bundle.

    Raises:
        BundleDamaged: It is not a bundle, or not whole and unchanged.
        SourceUnavailable: It cannot be read.
    """

    def pass_over(manifest: Manifest, bundled: BundledFile, pieces: Iterator[bytes]) -> None:
        for _piece in told(pieces, manifest, bundled, f"Verifying {bundled.name}", progress):
            pass

    with opened_bundle(file) as (stream, size_bytes):
        manifest, bundle_id = read_archive(stream, size_bytes, pass_over, cancel=cancel)
    return bundle_of(file, manifest, bundle_id)


@contextlib.contextmanager
def opened_bundle(file: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a bundle for reading; also tells its size in bytes."""
    try:
        if not file.is_file():
            raise BundleDamaged(f"`{file.name}` is not a file")
        with file.open("rb") as stream:
            yield stream, os.fstat(stream.fileno()).st_size
    except OSError as error:
        message = f"`{file.name}` could not be read ({error.strerror or error})."
        raise SourceUnavailable(message, "Check the disk and the permissions, then try again.") from error


def _model_id(snapshot: Snapshot) -> str:
    """Under which id a mirror will have it; a folder, or a model without an organisation, gets a first part."""
    if snapshot.source != "folder":
        name = snapshot.model.partition("@")[0]
        return name if "/" in name else f"models/{name}"
    name = _FOR_PARTS.sub("-", Path(snapshot.root).name).strip("-.") or "model"
    return f"local/{name[:90]}"


def _bundled(file: SnapshotFile) -> BundledFile:
    name = MODEL_FOLDER + file.name
    if not is_safe_name(name):
        message = f"`{file.name}` cannot be in a bundle: its name is too long or not plain."
        raise InvalidArgument(message, "Rename the file in a copy of the model, or leave it out.")
    return BundledFile(name=name, size_bytes=file.size_bytes, sha256=file.sha256)


def _lock_text(lock: Path | None) -> bytes | None:
    if lock is None:
        return None
    try:
        text = lock.read_bytes() if lock.stat().st_size <= _MAX_TEXT_BYTES else b""
    except OSError as error:
        message = f"The lock `{lock}` could not be read ({error.strerror or error})."
        raise InvalidArgument(message, "Name the file that `tameshi lock` wrote.") from error
    if not text:
        raise InvalidArgument(f"The lock `{lock}` is empty or too large.", "Name the file that `tameshi lock` wrote.")
    return text


def _pieces(root: Path, file: BundledFile, cancel: CancelToken | None) -> Iterator[bytes]:
    """A file's content; it must still be what was fetched and inspected (T22)."""
    digest, size_bytes = hashlib.sha256(), 0
    with (root / file.name.removeprefix(MODEL_FOLDER)).open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            if cancel is not None:
                cancel.raise_if_cancelled()
            digest.update(piece)
            size_bytes += len(piece)
            if size_bytes <= file.size_bytes:
                yield piece
    if (size_bytes, digest.hexdigest()) != (file.size_bytes, file.sha256):
        message = f"`{file.name.removeprefix(MODEL_FOLDER)}` changed after it was checked (rule T22)."
        raise SourceUnavailable(message, "Fetch the model again.", code="T22")


def told(
    pieces: Iterable[bytes], manifest: Manifest, bundled: BundledFile, message: str, progress: Progress
) -> Iterator[bytes]:
    """The pieces of one of a bundle's files, each told as progress of the whole."""
    before = manifest.files[: manifest.files.index(bundled)]
    done, total = sum(each.size_bytes for each in before), max(1, sum(each.size_bytes for each in manifest.files))
    for piece in pieces:
        progress(done / total, message)
        yield piece
        done += len(piece)


def bundle_of(file: Path, manifest: Manifest, bundle_id: str) -> Bundle:
    """The record of a bundle that was read or written to its end."""
    names = {each.name for each in manifest.files}
    model = [each for each in manifest.files if each.name.startswith(MODEL_FOLDER)]
    return Bundle(
        file=str(file),
        id=bundle_id,
        model=manifest.model,
        commit=manifest.commit,
        safety=manifest.safety,
        files=len(model),
        total_bytes=sum(each.size_bytes for each in model),
        has_evidence=_EVIDENCE in names,
        has_lock=_LOCK in names,
        made_at=manifest.made_at,
    )
