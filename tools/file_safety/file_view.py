"""A model's files as the inspection sees them: a listing and ranged reads, the same for a folder and for the hub."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from tools.errors import SourceUnavailable

MAX_FILES = 20_000
"""A folder with more entries is not a model."""
_MAX_DEPTH = 12
_SPARSE_FROM_BYTES = 1024 * 1024
_SPARSE_RATIO = 100
_SKIPPED_FOLDERS = {".git", ".cache", "__pycache__"}


class FileEntry(BaseModel):
    """One listed file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Path inside the model, with forward slashes."""
    size_bytes: int
    """Size in bytes; 0 where it cannot be told."""
    trouble: str | None = None
    """Why it is no plain file that may be read; absent for a plain one."""


class FileView(Protocol):
    """What the rules may ask about a model's files."""

    entries: tuple[FileEntry, ...]
    """All files, sorted by name."""
    remote: bool
    """Whether reading costs a request; then only what decides is read."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Read at most `length` bytes of a listed file."""
        ...

    def path(self, name: str) -> Path | None:
        """Where the file lies on this machine; absent for a remote one."""
        ...


class FolderView:
    """The files below a folder; links are followed only inside it or into the hub cache's own store."""

    remote = False

    def __init__(self, root: Path, names: frozenset[str] | None = None) -> None:
        """List a folder.

        Args:
            root: The folder.
            names: Only these files, when given.
        """
        self.root = root.resolve()
        found = sorted(itertools.islice(_walk(self.root, self.root, 0), MAX_FILES + 1), key=lambda entry: entry.name)
        if len(found) > MAX_FILES:
            found = [
                FileEntry(name=".", size_bytes=0, trouble=f"a folder of more than {MAX_FILES} files, not one model")
            ]
        self.entries = tuple(entry for entry in found if names is None or entry.name in names)
        self._plain = {entry.name for entry in self.entries if entry.trouble is None}

    def path(self, name: str) -> Path | None:
        """Where the file lies."""
        return self.root / name if name in self._plain else None

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Read a range; nothing but a listed plain file is ever opened."""
        if name not in self._plain:
            raise SourceUnavailable(f"`{name[:80]}` is not a plain file.", "Use another copy of the model.")
        try:
            with (self.root / name).open("rb") as stream:
                stream.seek(offset)
                return stream.read(length)
        except OSError as error:
            message = f"`{name[:80]}` could not be read ({error.strerror or error})."
            raise SourceUnavailable(message, "Check the disk and the permissions, then try again.") from error


def _walk(root: Path, folder: Path, depth: int) -> Iterator[FileEntry]:
    if depth > _MAX_DEPTH:
        yield FileEntry(name=_name(root, folder), size_bytes=0, trouble="a folder nested too deeply")
        return
    try:
        with os.scandir(folder) as listing:
            for item in listing:
                yield from _entries(root, item, depth)
    except OSError as error:
        message = f"`{folder.name}` could not be listed ({error.strerror or error})."
        raise SourceUnavailable(message, "Check the path and the permissions, then try again.") from error


def _entries(root: Path, item: os.DirEntry[str], depth: int) -> Iterator[FileEntry]:
    path = Path(item.path)
    name = _name(root, path)
    if item.is_symlink():
        yield _linked(root, path, name)
    elif item.is_dir(follow_symlinks=False):
        if item.name not in _SKIPPED_FOLDERS:
            yield from _walk(root, path, depth + 1)
        elif item.name == ".git":
            yield from _programs_of_git(root, path)
    else:
        yield _plain_entry(path, name, item.stat(follow_symlinks=False))


def _programs_of_git(root: Path, git: Path) -> Iterator[FileEntry]:
    """Those files of a repository's own folder that can name or hold programs."""
    hooks = [path for path in (git / "hooks").glob("*") if path.suffix != ".sample"] if not git.is_symlink() else []
    for path in [git / "config", *sorted(hooks)]:
        if path.is_file() and not path.is_symlink() and not path.parent.is_symlink():
            yield FileEntry(name=_name(root, path), size_bytes=path.stat().st_size)


def _plain_entry(path: Path, name: str, status: os.stat_result) -> FileEntry:
    trouble = None
    if not stat.S_ISREG(status.st_mode):
        trouble = f"a {_kind(status.st_mode)}, not a file"
    elif _is_sparse(path, status):
        trouble = f"a sparse file that claims {status.st_size} bytes and holds far fewer"
    return FileEntry(name=name, size_bytes=status.st_size if trouble is None else 0, trouble=trouble)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
    return kinds.get(stat.S_IFMT(mode), "special entry")


def _is_sparse(path: Path, status: os.stat_result) -> bool:
    """Whether almost all of a large file is a hole; file systems that compress do not report holes."""
    if status.st_size < _SPARSE_FROM_BYTES or status.st_blocks * 512 >= status.st_size / _SPARSE_RATIO:
        return False
    held = 0
    with path.open("rb") as stream:
        position = 0
        while position < status.st_size:
            try:
                start = os.lseek(stream.fileno(), position, os.SEEK_DATA)
            except OSError:  # no data after this position
                break
            position = os.lseek(stream.fileno(), start, os.SEEK_HOLE)
            held += position - start
    return held < status.st_size / _SPARSE_RATIO


def _linked(root: Path, path: Path, name: str) -> FileEntry:
    try:
        target = path.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError):
        return FileEntry(name=name, size_bytes=0, trouble="a link that leads nowhere")
    if not target.is_relative_to(root) and not _in_own_store(root, target):
        return FileEntry(name=name, size_bytes=0, trouble="a link out of the model's folder")
    if stat.S_ISDIR(status.st_mode):
        return FileEntry(name=name, size_bytes=0, trouble="a link to a folder")
    return _plain_entry(target, name, status)


def _in_own_store(root: Path, target: Path) -> bool:
    """Whether a link leads from a snapshot of the hub cache to that same model's store of blobs."""
    if root.parent.name != "snapshots" or not root.parent.parent.name.startswith("models--"):
        return False
    return target.parent == root.parent.parent / "blobs"


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
