"""Two versions of a model's files side by side: which files differ, and their texts and JSON, read at most once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tools.file_safety.file_view import FileView
from tools.file_safety.inspected import Inspected
from tools.hub import HubFile
from tools.hub_access.files import HubView
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import hash_file

LARGE_BYTES = 20_000_000
"""From here on a file or a tensor takes long enough to be told in the progress."""
MAX_TEXT_BYTES = 2_000_000
"""Longer texts are compared by their hash alone."""
MAX_REMOTE_BYTES = 24_000_000
"""Larger files on the hub are not downloaded only to be compared."""


class Pair:
    """The files of two versions."""

    def __init__(
        self,
        before: FileView,
        after: FileView,
        cancel: CancelToken | None = None,
        progress: Progress = ignore_progress,
    ) -> None:
        self.before, self.after, self.cancel, self.progress = Inspected(before), Inspected(after), cancel, progress

    @property
    def remote(self) -> bool:
        """Whether reading costs requests on either side."""
        return self.before.view.remote or self.after.view.remote

    def names(self) -> list[str]:
        """Every file of either version, sorted."""
        return sorted(self.before.plain.keys() | self.after.plain.keys())

    def differing(self) -> list[str]:
        """Names of the files that were added, removed or have other content, sorted."""
        sizes = {name: each.size_bytes for model in (self.before, self.after) for name, each in model.plain.items()}
        total, done, found = max(1, sum(sizes.values())), 0, list[str]()
        for name in self.names():
            if sizes[name] >= LARGE_BYTES:
                self.progress(done / total / 2, "Comparing the files")
            if self.differs(name):
                found.append(name)
            done += sizes[name]
        return found

    def in_both(self, name: str) -> bool:
        """Whether both versions have the file."""
        return name in self.before.plain and name in self.after.plain

    def differs(self, name: str) -> bool:
        """Whether a file was added, removed or has other content; nothing is downloaded to find out."""
        if not self.in_both(name):
            return True
        if self.before.plain[name].size_bytes != self.after.plain[name].size_bytes:
            return True
        return not _same_content(self.before.view, self.after.view, name, self.cancel)

    def sizes(self, name: str) -> tuple[int, int]:
        """Sizes of a file that both versions have, in bytes."""
        return self.before.plain[name].size_bytes, self.after.plain[name].size_bytes

    def readable(self, name: str, max_bytes: int) -> bool:
        """Whether the file is small enough in both versions to be read whole."""
        limit = min(max_bytes, MAX_REMOTE_BYTES) if self.remote else max_bytes
        return self.in_both(name) and max(self.sizes(name)) <= limit

    def raw(self, name: str) -> tuple[bytes, bytes]:
        """The file's bytes in both versions."""
        first, second = (model.view.read(name, 0, model.plain[name].size_bytes) for model in (self.before, self.after))
        return first, second

    def texts(self, name: str) -> tuple[str, str]:
        """The file's two texts; what is no UTF-8 is replaced."""
        first, second = self.raw(name)
        return first.decode("utf-8", "replace"), second.decode("utf-8", "replace")

    def json(self, name: str) -> tuple[Any, Any]:
        """The file's two contents.

        Raises:
            BadJson: One of them is not acceptable JSON.
        """
        return self.before.json(name), self.after.json(name)


def _same_content(first: FileView, second: FileView, name: str, cancel: CancelToken | None) -> bool:
    """Whether two files of the same size are the same, by the hashes that are known without a download."""
    one, other = _source(first, name), _source(second, name)
    if isinstance(one, Path) and isinstance(other, Path):
        return one.samefile(other) or hash_file(one, cancel) == hash_file(other, cancel)
    if isinstance(one, HubFile) and isinstance(other, HubFile):
        if one.sha256 is not None or other.sha256 is not None:
            return one.sha256 == other.sha256
        return one.git_id is not None and one.git_id == other.git_id
    local, listed = (one, other) if isinstance(one, Path) else (other, one)
    if isinstance(local, Path) and isinstance(listed, HubFile) and (listed.sha256 or listed.git_id):
        return hash_file(local, cancel) == listed.sha256 if listed.sha256 else _git_id(local) == listed.git_id
    size = next(entry.size_bytes for entry in first.entries if entry.name == name)
    return first.read(name, 0, size) == second.read(name, 0, size)


def _source(view: FileView, name: str) -> Path | HubFile | None:
    path = view.path(name)
    if path is not None:
        return path
    return view.listed(name) if isinstance(view, HubView) else None


def _git_id(path: Path) -> str:
    """Git's name of a small file's content; the hub gives no other for one."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()
