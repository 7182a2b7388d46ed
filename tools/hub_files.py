"""Files of a repository on the hub: read by ranges before the download, downloaded, and verified."""

from __future__ import annotations

import hashlib
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.errors import SourceUnavailable
from tools.file_safety.file_view import FileEntry
from tools.hub import HubFile, HubListing, _client, api, endpoint_of, translated
from tools.model_sources import ModelSources
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import hash_file

_WHOLE_BYTES = 64_000_000
_SPARE_BYTES = 200_000_000
_STALL_SECONDS = 60.0
_STALL_BYTES = 64_000
_CALL_SECONDS = 10.0


class HubView:
    """A repository's files as the inspection sees them; small ones come into the cache, large ones are read by ranges."""

    remote = True

    def __init__(self, listing: HubListing, sources: ModelSources) -> None:
        """Remember the listing; nothing is asked yet."""
        self._listing, self._sources = listing, sources
        self._sizes = {file.name: file.size_bytes for file in listing.files}
        self._listed = {file.name: file for file in listing.files}
        self._whole: dict[str, bytes] = {}
        self.entries = tuple(FileEntry(name=file.name, size_bytes=file.size_bytes) for file in listing.files)

    def listed(self, name: str) -> HubFile | None:
        """The file as the hub lists it, with its hash; absent when it is not there."""
        return self._listed.get(name)

    def path(self, name: str) -> Path | None:  # noqa: ARG002 (a remote file lies nowhere)
        """No file lies here yet."""
        return None

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Read a range of a file on the hub."""
        size = self._sizes[name]
        length = min(length, max(0, size - offset))
        if length <= 0:
            return b""
        if name not in self._whole and size <= _WHOLE_BYTES and (offset, length) == (0, size):
            self._whole[name] = self._fetch(name, 0, size)
        if name in self._whole:
            return self._whole[name][offset : offset + length]
        return self._fetch(name, offset, length)

    def _fetch(self, name: str, offset: int, length: int) -> bytes:
        listing, endpoint = self._listing, endpoint_of(self._sources)
        url = f"{endpoint}/{listing.id}/resolve/{listing.commit}/{quote(name)}"
        with translated(listing.id, listing.commit):
            headers = {**api(self._sources)._build_hf_headers(), "Range": f"bytes={offset}-{offset + length - 1}"}
            with _client(endpoint).stream(
                "GET", url, headers=headers, timeout=_CALL_SECONDS, follow_redirects=True
            ) as answer:
                _raise_for_status(answer)
                return _exactly(answer, offset, length)


def _raise_for_status(answer: Any) -> None:
    from huggingface_hub.utils import hf_raise_for_status  # noqa: PLC0415 (heavy import, only when needed)

    if answer.status_code >= 400:
        answer.read()
    hf_raise_for_status(answer)


def _exactly(answer: Any, offset: int, length: int) -> bytes:
    """The wanted bytes, also from a server that ignores ranges, and never more than that."""
    skip = offset if answer.status_code == 200 else 0
    wanted = skip + length
    collected = bytearray()
    for piece in answer.iter_bytes():
        collected += piece
        if len(collected) >= wanted:
            break
    if len(collected) < wanted:
        raise SourceUnavailable("The hub sent fewer bytes than it announced.", "Try again.")
    return bytes(collected[skip:wanted])


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise `SourceUnavailable` when the disk that will hold a folder lacks space for a download."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed_bytes + _SPARE_BYTES:
        message = f"The download needs {needed_bytes / 1024**2:.0f} MiB, the disk has {free / 1024**2:.0f} MiB free."
        raise SourceUnavailable(message, "Free some space or move the model cache to a larger disk.", code="disk_full")


def download(
    listing: HubListing,
    file: HubFile,
    sources: ModelSources,
    *,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Path:
    """Download one file into the hub's cache and verify its hash.

    Args:
        listing: The repository at its commit.
        file: Which file.
        sources: Names the hub and its cache.
        progress: Told the fraction of this file.
        cancel: Stops within the file; what was fetched is kept and continued next time.

    Returns:
        Where the file lies; an unfinished or wrong file is never returned.
    """
    import huggingface_hub as hub  # noqa: PLC0415 (heavy import, only when needed)

    _client(endpoint_of(sources))
    watcher = partial(_Watcher, file=file, progress=progress, cancel=cancel)
    with translated(listing.id, listing.commit):
        path = hub.hf_hub_download(
            listing.id,
            file.name,
            revision=listing.commit,
            endpoint=endpoint_of(sources),
            cache_dir=sources.cache_dir,
            token=sources.token,
            etag_timeout=_CALL_SECONDS,
            library_name="tameshi",
            tqdm_class=watcher,  # type: ignore[arg-type]  # called like the class
        )
    return _verified(Path(path), file, cancel)


class _Watcher:
    """Stands in for the library's progress bar: tells the progress, hears the cancel, gives up on a stalled line."""

    def __init__(
        self, *_args: object, file: HubFile, progress: Progress, cancel: CancelToken | None, **options: Any
    ) -> None:
        self._file, self._progress, self._cancel = file, progress, cancel
        self.n = int(options.get("initial") or 0)
        self.total = file.size_bytes
        self._mark = (time.monotonic(), self.n)

    def update(self, count: float | None = 1) -> None:
        """Bytes have arrived."""
        self.n += int(count or 0)
        if self._cancel is not None:
            self._cancel.raise_if_cancelled()
        self._progress(min(1.0, self.n / max(1, self.total)), f"Downloading {self._file.name}")
        since, before = self._mark
        if time.monotonic() - since > _STALL_SECONDS:
            if self.n - before < _STALL_BYTES:
                message = (
                    f"`{self._file.name}` arrives at less than {_STALL_BYTES / _STALL_SECONDS / 1000:.0f} kB a second."
                )
                raise SourceUnavailable(message, "Try again later; what was fetched so far is kept and continued.")
            self._mark = (time.monotonic(), self.n)

    def __enter__(self) -> _Watcher:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held."""

    def __getattr__(self, _name: str) -> Any:
        """Whatever else the library asks of a progress bar does nothing."""
        return lambda *_args, **_options: None


def _verified(path: Path, file: HubFile, cancel: CancelToken | None) -> Path:
    if path.stat().st_size == file.size_bytes and _has_hash(path, file, cancel):
        return path
    blob = path.resolve()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)
    message = f"`{file.name}` did not arrive as the hub lists it; the wrong copy was deleted."
    raise SourceUnavailable(
        message, "Try again; if it happens again, a proxy may be changing downloads.", code="wrong_content"
    )


def _has_hash(path: Path, file: HubFile, cancel: CancelToken | None) -> bool:
    if file.sha256 is not None:
        return hash_file(path.resolve(), cancel) == file.sha256
    if file.git_id is None:
        return True
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == file.git_id
