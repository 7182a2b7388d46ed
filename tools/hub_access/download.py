"""Downloads the needed files of a model into the hub's cache: a few at a time, all of them or none as a snapshot."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tools.errors import SourceUnavailable
from tools.hub import HubFile, HubListing
from tools.hub_access.cache import (
    blob_path,
    cache_folder,
    held_alone,
    is_whole,
    not_writable,
    note_revision,
    part_path,
    publish,
    sweep_if_free,
)
from tools.hub_access.transfer import place, transfer
from tools.model_sources import ModelSources
from tools.progress import CancelToken, Progress

_AT_A_TIME = 4
_SPARE_BYTES = 200_000_000
_TICK_S = 0.25
_QUIET_S = 2.0
_MIB = 1024 * 1024


def download_snapshot(
    listing: HubListing,
    names: Sequence[str],
    revision: str,
    sources: ModelSources,
    *,
    known: Callable[[str], bytes | None],
    progress: Progress,
    cancel: CancelToken | None = None,
) -> Path:
    """Download files into the cache, verify their hashes, and make the snapshot appear when all are there.

    Args:
        listing: The repository at its commit.
        names: Which files.
        revision: Branch or tag that was asked for; the cache notes which commit it was.
        sources: Names the hub and its cache.
        known: Tells the content of a file that was read from the hub already.
        progress: Told the share that is here, in [0, 1]; always from the caller's thread.
        cancel: Stops; what was fetched is kept and continued next time.

    Returns:
        The snapshot's folder.

    Raises:
        SourceUnavailable: The disk has no space, or the hub did not deliver.
        AccessDenied: Gated or private.
    """
    needed = set(names)
    wanted = [file for file in listing.files if file.name in needed]
    folder = cache_folder(listing.id, sources)
    snapshot = folder / "snapshots" / listing.commit
    if all(is_whole(snapshot / file.name, file, cancel) for file in wanted):
        with contextlib.suppress(SourceUnavailable):  # a cache that only others may write to serves as well
            note_revision(folder, listing, revision)
            sweep_if_free(folder)
        return snapshot
    with held_alone(folder, progress, cancel):
        missing = _missing(folder, wanted, cancel)
        check_space(folder, sum(_rest_bytes(folder, file) for file in missing))
        missing = [file for file in missing if not _placed(file, folder, known(file.name))]
        _Download(listing, missing, folder, sources).run(progress, cancel)
        return publish(folder, listing, wanted, revision)


def missing_bytes(listing: HubListing, names: Sequence[str], sources: ModelSources) -> int:
    """Bytes of the named files that have not come yet, by size alone."""
    folder, needed = cache_folder(listing.id, sources), set(names)
    return sum(_rest_bytes(folder, file) for file in listing.files if file.name in needed)


def _rest_bytes(folder: Path, file: HubFile) -> int:
    blob = blob_path(folder, file)
    if _size_bytes(blob) == file.size_bytes:
        return 0
    return max(0, file.size_bytes - _size_bytes(part_path(blob)))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise `SourceUnavailable` when the disk that will hold a folder lacks space for a download."""
    free = free_bytes(folder)
    if needed_bytes and free < needed_bytes + _SPARE_BYTES:
        message = f"The download needs {needed_bytes / _MIB:.0f} MiB, the disk has {free / _MIB:.0f} MiB free."
        raise SourceUnavailable(message, "Free some space or move the model cache to a larger disk.", code="disk_full")


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk that holds, or will hold, a folder."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return shutil.disk_usage(existing).free


def _missing(folder: Path, wanted: Sequence[HubFile], cancel: CancelToken | None) -> list[HubFile]:
    """The files that have to come; what lies there under a hash that is not its own is removed."""
    missing: dict[Path, HubFile] = {}
    for file in wanted:
        blob = blob_path(folder, file)
        if is_whole(blob, file, cancel):
            continue
        try:
            blob.unlink(missing_ok=True)
        except OSError as error:
            raise not_writable(blob, error) from error
        missing[blob] = file
    return sorted(missing.values(), key=lambda each: each.size_bytes)


def _placed(file: HubFile, folder: Path, content: bytes | None) -> bool:
    return content is not None and place(file, folder, content)


class _Download:
    """Some files on their way, counted together.

    Args:
        listing: The repository at its commit.
        files: What has to come.
        folder: The model's folder in the cache.
        sources: Names the hub.
    """

    def __init__(self, listing: HubListing, files: Sequence[HubFile], folder: Path, sources: ModelSources) -> None:
        self._listing, self._files, self._folder, self._sources = listing, files, folder, sources
        self._total = sum(file.size_bytes for file in files)
        self._lock = threading.Lock()
        self._came = 0
        self._wait_s, self._waits_until = 0.0, 0.0
        self._stage, self._told_at = (-1, False), 0.0
        self._stop = CancelToken()

    def run(self, progress: Progress, cancel: CancelToken | None) -> None:
        """Bring all; the first failure ends the others, whose parts are kept."""
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="hub-download") as pool:
            running = {pool.submit(self._bring, file) for file in self._files}
            try:
                while running:
                    done, running = wait(running, _TICK_S, FIRST_EXCEPTION)
                    self._tell(progress)
                    if cancel is not None:
                        cancel.raise_if_cancelled()
                    _raise_first(done)
            finally:
                self._stop.cancel()
                for each in running:
                    each.cancel()

    def _bring(self, file: HubFile) -> None:
        transfer(
            self._listing, file, self._folder, self._sources,
            arrived=self._count, tell=self._waits, cancel=self._stop,
        )  # fmt: skip

    def _count(self, count: int) -> None:
        with self._lock:
            self._came += count

    def _waits(self, seconds: float) -> None:
        self._wait_s, self._waits_until = seconds, time.monotonic() + seconds

    def _tell(self, progress: Progress) -> None:
        came = self._came
        waiting = self._wait_s >= 1 and time.monotonic() < self._waits_until
        if waiting:
            message = f"The hub asks us to wait {self._wait_s:.0f} s"
        else:
            message = f"Downloading: {came // _MIB} of {self._total / _MIB:.0f} MiB"
        share, now = min(1.0, came / max(1, self._total)), time.monotonic()
        stage = (int(100 * share), waiting)
        if stage != self._stage or now - self._told_at > _QUIET_S:  # a log gets a line for each
            self._stage, self._told_at = stage, now
            progress(share, message)


def _raise_first(done: set[Future[None]]) -> None:
    failures: list[BaseException] = [error for each in done if (error := each.exception()) is not None]
    if failures:
        raise failures[0]
