"""Files of a repository on the hub, read by ranges before anything is downloaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.errors import SourceUnavailable, ToolError
from tools.file_safety.file_view import FileEntry
from tools.hub import HubFile, HubListing, api, endpoint_of, guarded_client, translated
from tools.hub_access.patience import BUSY, INTERRUPTED, patiently
from tools.model_sources import ModelSources

_WHOLE_BYTES = 64_000_000
_SMALL_BYTES = 2_000_000
_HEAD_BYTES = 65_536
_AT_A_TIME = 8
_CALL_SECONDS = 10.0
_PATIENCE_S = 2.0


class HubView:
    """A repository's files as the inspection sees them; small ones are read whole, large ones by ranges."""

    remote = True

    def __init__(self, listing: HubListing, sources: ModelSources) -> None:
        """Remember the listing; nothing is asked yet."""
        self._listing, self._sources = listing, sources
        self._sizes = {file.name: file.size_bytes for file in listing.files}
        self._listed = {file.name: file for file in listing.files}
        self._heads: dict[str, bytes] = {}
        self.entries = tuple(FileEntry(name=file.name, size_bytes=file.size_bytes) for file in listing.files)

    def listed(self, name: str) -> HubFile | None:
        """The file as the hub lists it, with its hash; absent when it is not there."""
        return self._listed.get(name)

    def path(self, name: str) -> Path | None:  # noqa: ARG002 (a remote file lies nowhere)
        """No file lies here yet."""
        return None

    def warm(self, names: Sequence[str]) -> None:
        """Read what an inspection will read of these files, several at a time: small ones whole, the heads of weights."""
        wanted = {
            name: size if (size := self._sizes[name]) <= _SMALL_BYTES else _HEAD_BYTES
            for name in names
            if name not in self._heads and (self._sizes[name] <= _SMALL_BYTES or name.endswith(".safetensors"))
        }

        def read(name: str) -> None:
            with contextlib.suppress(ToolError):  # said when the file is really needed
                self._heads[name] = self._fetch(name, 0, wanted[name], longest_s=0.0)

        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="hub-read") as pool:
            list(pool.map(read, (name for name in wanted if wanted[name])))

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Read a range of a file on the hub."""
        size = self._sizes[name]
        length = min(length, max(0, size - offset))
        if length <= 0:
            return b""
        head = self._heads.get(name, b"")
        if offset + length <= len(head):
            return head[offset : offset + length]
        if size <= _WHOLE_BYTES and (offset, length) == (0, size):
            self._heads[name] = self._fetch(name, 0, size)
            return self._heads[name]
        return self._fetch(name, offset, length)

    def whole(self, name: str) -> bytes | None:
        """A file's content when it was read to its end; it was not compared with its hash yet."""
        content = self._heads.get(name)
        return content if content is not None and len(content) == self._sizes[name] else None

    def _fetch(self, name: str, offset: int, length: int, longest_s: float = _PATIENCE_S) -> bytes:
        def ask() -> bytes:
            last = offset + length - 1
            with open_file(self._listing, name, self._sources, start=offset, end=last) as answer:
                return _exactly(answer, offset, length)

        return patiently(ask, longest_s=longest_s, codes=(BUSY, INTERRUPTED))


@contextlib.contextmanager
def open_file(
    listing: HubListing, name: str, sources: ModelSources, *, start: int = 0, end: int | None = None
) -> Iterator[Any]:
    """Open a file of a repository for reading while it arrives.

    Args:
        listing: The repository at its commit.
        name: Which file.
        sources: Names the hub.
        start: First byte that is wanted.
        end: Last byte that is wanted; absent means to the end.

    Yields:
        The answer, of a status below 400; its body is as it lies on the hub, never compressed on the way.
    """
    endpoint = endpoint_of(sources)
    url = f"{endpoint}/{listing.id}/resolve/{listing.commit}/{quote(name)}"
    with translated(listing.id, listing.commit):
        headers = {**api(sources)._build_hf_headers(), "Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end}"
        with guarded_client(endpoint).stream(
            "GET", url, headers=headers, timeout=_CALL_SECONDS, follow_redirects=True
        ) as answer:
            raise_for_status(answer)
            yield answer


def raise_for_status(answer: Any) -> None:
    """Raise the library's error for an answer of a status that is one; its body is read for the reason."""
    from huggingface_hub.utils import hf_raise_for_status  # noqa: PLC0415 (heavy import, only when needed)

    if answer.status_code >= 400:
        answer.read()
    hf_raise_for_status(answer)


def _exactly(answer: Any, offset: int, length: int) -> bytes:
    """The wanted bytes, also from a server that ignores ranges, and never more than that."""
    skip = offset if answer.status_code == 200 else 0
    wanted = skip + length
    collected = bytearray()
    for piece in answer.iter_raw():
        collected += piece
        if len(collected) >= wanted:
            break
    if len(collected) < wanted:
        raise SourceUnavailable("The hub sent fewer bytes than it announced.", "Try again.", code=INTERRUPTED)
    return bytes(collected[skip:wanted])
