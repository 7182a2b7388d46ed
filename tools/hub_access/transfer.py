"""Brings one file of the hub into the cache: goes on where it was cut, gives up on a line that stalls, checks the hash."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from tools.errors import SourceUnavailable
from tools.hub import HubFile, HubListing
from tools.hub_access.cache import blob_path, hashing, not_writable, part_path
from tools.hub_access.files import open_file
from tools.hub_access.patience import INTERRUPTED, patiently, pause
from tools.model_sources import ModelSources
from tools.progress import CancelToken

STALL_SECONDS = 30.0
"""A line that brings less than `STALL_BYTES` in this time is given up."""
STALL_BYTES = 64_000
_MOST_CUTS = 5
_PAUSE_S = 0.1
_LONGEST_WAIT_S = 120.0
_PIECE_BYTES = 1024 * 1024


class Part:
    """A file that is arriving, and the hash of what is there.

    Args:
        path: Where it lies until it is whole.
        file: What it must become.
    """

    def __init__(self, path: Path, file: HubFile) -> None:
        self._path, self._file = path, file
        self._stream: BinaryIO = path.open("r+b" if path.exists() else "w+b")
        self._digest: Any = hashing(file)
        self.size_bytes = 0
        while piece := self._stream.read(_PIECE_BYTES):
            self._digest.update(piece)
            self.size_bytes += len(piece)
        if self.size_bytes > file.size_bytes:
            self.restart()

    def restart(self) -> None:
        """Forget what came."""
        self._stream.seek(0)
        self._stream.truncate()
        self._digest, self.size_bytes = hashing(self._file), 0

    def append(self, piece: bytes) -> None:
        """Add what came next."""
        try:
            self._stream.write(piece)
        except OSError as error:
            raise not_writable(self._path, error) from error
        self._digest.update(piece)
        self.size_bytes += len(piece)

    @property
    def is_right(self) -> bool:
        """Whether what is there has the hash that the hub lists."""
        return self._digest.hexdigest() == (self._file.sha256 or self._file.git_id)

    def finish(self, blob: Path) -> None:
        """Move it to its place when it is what the hub lists; else delete it and raise."""
        self.close()
        if not self.is_right:
            self._path.unlink(missing_ok=True)
            raise wrong_content(self._file)
        self._path.replace(blob)

    def close(self) -> None:
        """Keep what came for the next time."""
        try:
            self._stream.close()
        except OSError as error:  # what was still in memory did not fit on the disk
            raise not_writable(self._path, error) from error


def transfer(
    listing: HubListing,
    file: HubFile,
    folder: Path,
    sources: ModelSources,
    *,
    arrived: Callable[[int], None],
    tell: Callable[[float], None],
    cancel: CancelToken,
) -> None:
    """Bring one file among the blobs of a model's folder.

    Args:
        listing: The repository at its commit.
        file: Which file.
        folder: The model's folder in the cache, which the caller holds.
        sources: Names the hub.
        arrived: Told how many bytes came; a negative number when some have to come again.
        tell: Told the seconds that the hub asks us to wait.
        cancel: Stops between pieces; what came is kept.

    Raises:
        SourceUnavailable: The line stalled or was cut too often, the hub stayed busy, or the content is not what it lists.
        AccessDenied: Gated or private.
    """
    blob = blob_path(folder, file)
    part = _opened(blob, file)
    resumed = part.size_bytes
    try:
        arrived(resumed)
        _complete(listing, file, part, sources, arrived=arrived, tell=tell, cancel=cancel)
        if resumed and not part.is_right:  # what lay there was not the beginning of this file
            arrived(-part.size_bytes)
            part.restart()
            _complete(listing, file, part, sources, arrived=arrived, tell=tell, cancel=cancel)
        part.finish(blob)
    finally:
        part.close()


def place(file: HubFile, folder: Path, content: bytes) -> bool:
    """Put content that is here already among the blobs of a model's folder; False when it is not what the hub lists."""
    blob = blob_path(folder, file)
    part = _opened(blob, file)
    try:
        part.restart()
        if len(content) == file.size_bytes:
            part.append(content)
        right = part.is_right
        if right:
            part.finish(blob)
        else:
            part.restart()
        return right
    finally:
        part.close()


def _complete(
    listing: HubListing, file: HubFile, part: Part, sources: ModelSources, *,
    arrived: Callable[[int], None], tell: Callable[[float], None], cancel: CancelToken,
) -> None:  # fmt: skip
    """Receive the rest, however often the line is cut, as long as something comes in between."""
    cuts = 0
    while part.size_bytes < file.size_bytes:
        before = part.size_bytes
        cut = _gone_on(listing, file, part, sources, arrived=arrived, tell=tell, cancel=cancel)
        cuts = 1 if part.size_bytes > before else cuts + 1
        if cut is not None and cuts > _MOST_CUTS:
            raise cut
        if cut is not None:
            pause(_PAUSE_S * 2**cuts, cancel)


def _opened(blob: Path, file: HubFile) -> Part:
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        return Part(part_path(blob), file)
    except OSError as error:
        raise not_writable(blob, error) from error


def _gone_on(
    listing: HubListing, file: HubFile, part: Part, sources: ModelSources, *,
    arrived: Callable[[int], None], tell: Callable[[float], None], cancel: CancelToken,
) -> SourceUnavailable | None:  # fmt: skip
    """Receive as much as comes; returns the failure when the line was lost."""

    def receive() -> None:
        with open_file(listing, file.name, sources, start=part.size_bytes) as answer:
            if part.size_bytes and answer.status_code != 206:
                arrived(-part.size_bytes)
                part.restart()
            _check_answer(answer, listing, file, part)
            _receive(answer, file, part, arrived, cancel)

    try:
        patiently(receive, longest_s=_LONGEST_WAIT_S, tell=tell, cancel=cancel)
    except SourceUnavailable as failure:
        if failure.code != INTERRUPTED:
            raise
        return failure
    return None if part.size_bytes == file.size_bytes else _too_short(file)


def _check_answer(answer: Any, listing: HubListing, file: HubFile, part: Part) -> None:
    """Whether what is about to come can be the rest of the file."""
    announced = answer.headers.get("Content-Length", "")
    rest = file.size_bytes - part.size_bytes
    if announced.isdigit() and int(announced) != rest:
        if "html" in answer.headers.get("Content-Type", "") and not file.name.endswith(".html"):
            message = f"What answered in the hub's place for `{listing.id}` is not a hub."
            raise SourceUnavailable(message, "Check the hub's address and whether a proxy asks for a login.")
        part.restart()
        raise wrong_content(file)
    begins = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if answer.status_code == 206 and begins != str(part.size_bytes):
        raise wrong_content(file)


def _receive(answer: Any, file: HubFile, part: Part, arrived: Callable[[int], None], cancel: CancelToken) -> None:
    since, came = time.monotonic(), 0
    for piece in answer.iter_raw():
        cancel.raise_if_cancelled()
        if part.size_bytes + len(piece) > file.size_bytes:
            part.restart()
            raise wrong_content(file)
        part.append(piece)
        arrived(len(piece))
        came += len(piece)
        if time.monotonic() - since > STALL_SECONDS:
            if came < STALL_BYTES:
                message = f"`{file.name}` arrives at less than {STALL_BYTES / STALL_SECONDS / 1000:.0f} kB a second."
                raise SourceUnavailable(message, "Try again later; what was fetched so far is kept and continued.")
            since, came = time.monotonic(), 0


def _too_short(file: HubFile) -> SourceUnavailable:
    message = f"The hub sent fewer bytes of `{file.name}` than it lists."
    return SourceUnavailable(message, "Try again; what was fetched so far is kept and continued.", code=INTERRUPTED)


def wrong_content(file: HubFile) -> SourceUnavailable:
    """What to say of a file that is not what the hub lists."""
    message = f"`{file.name}` did not arrive as the hub lists it; the wrong copy was deleted."
    return SourceUnavailable(
        message, "Try again; if it happens again, a proxy may be changing downloads.", code="wrong_content"
    )
