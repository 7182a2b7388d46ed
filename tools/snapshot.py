"""An immutable set of a model's files with their hashes: what was fetched, and therefore what is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import SourceUnavailable
from tools.file_facts import fact_of
from tools.progress import CancelToken, Progress, ignore_progress

Source = Literal["hub", "cache", "mirror", "folder"]
"""Where the files of a snapshot came from."""

_CHUNK_BYTES = 4 * 1024 * 1024


class SnapshotFile(BaseModel):
    """One file of a snapshot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Path inside the snapshot, with forward slashes."""
    size_bytes: int
    """Size in bytes."""
    sha256: str
    """SHA-256 of the content, 64 hexadecimal digits."""


class Snapshot(BaseModel):
    """A model's files, pinned to one commit or content hash, and where they lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference: `org/name`, `org/name@revision`, or the folder as the user wrote it."""
    commit: str
    """Full commit on the hub; for folders and mirrors without one `folder-` and 12 hexadecimal digits of the content hash."""
    source: Source
    """Where the files came from."""
    root: str
    """Absolute path of the folder that holds the files."""
    files: tuple[SnapshotFile, ...]
    """The files a tool may read, sorted by name; anything else in the folder is not part of the snapshot."""
    total_bytes: int
    """Sum of the sizes, in bytes."""
    safety: Literal["accept", "flag", "refuse"]
    """Verdict of the file inspection made before the files were handed out; `refuse` never gets this far."""
    fetched_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When this snapshot was taken, UTC."""
    note: str = ""
    """What the reader should know about the source, for example why the hub was not used."""


def hash_file(path: Path, cancel: CancelToken | None = None) -> str:
    """SHA-256 of a file, remembered for as long as its path, size and times stay the same.

    Args:
        path: The file; links are followed.
        cancel: Asked between pieces of a large file.

    Returns:
        64 hexadecimal digits.
    """

    def digest() -> str:
        found = hashlib.sha256()
        with path.open("rb") as stream:
            while piece := stream.read(_CHUNK_BYTES):
                if cancel is not None:
                    cancel.raise_if_cancelled()
                found.update(piece)
        return found.hexdigest()

    try:
        return fact_of("sha256", path.resolve(), digest)  # one fact for all links to a file of the hub's cache
    except OSError as error:
        message = f"`{path.name}` could not be read ({error.strerror or error})."
        raise SourceUnavailable(message, "Check the disk and the permissions, then try again.") from error


def hash_files(
    root: Path,
    names: Iterable[str],
    *,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> tuple[SnapshotFile, ...]:
    """Hash the named files below a folder, sorted by name.

    Args:
        root: The folder.
        names: Paths below it, with forward slashes.
        progress: Told about each file.
        cancel: Stops between pieces.

    Returns:
        One entry per file.
    """
    ordered = sorted(names)
    files: list[SnapshotFile] = []
    for position, name in enumerate(ordered):
        progress(position / max(1, len(ordered)), f"Hashing {name}")
        path = root / name
        sha256 = hash_file(path, cancel)
        files.append(SnapshotFile(name=name, size_bytes=path.stat().st_size, sha256=sha256))
    return tuple(files)


def content_commit(files: Iterable[SnapshotFile]) -> str:
    """The content hash that stands for a commit where there is none: `folder-` and 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda each: each.name):
        digest.update(f"{file.name}\0{file.sha256}\n".encode("utf-8", "surrogatepass"))
    return f"folder-{digest.hexdigest()[:12]}"


def changed_files(snapshot: Snapshot) -> tuple[str, ...]:
    """Names of the snapshot's files that no longer have the recorded content; empty when all is as it was.

    Call it right before loading: what was checked must be what is loaded.
    """
    root = Path(snapshot.root)
    changed: list[str] = []
    for file in snapshot.files:
        path = root / file.name
        if not path.is_file() or path.stat().st_size != file.size_bytes or hash_file(path) != file.sha256:
            changed.append(file.name)
    return tuple(changed)
