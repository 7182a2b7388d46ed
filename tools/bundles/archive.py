"""The archive of a bundle: a plain tar file of which every byte follows from its first entry, the manifest.

The reader computes each header, each padding and the end from the manifest and compares: what another tar program would
overlook or interpret (links, odd names, extensions, a second manifest, something behind the end) cannot be in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import SourceUnavailable
from tools.progress import CancelToken
from tools.snapshot import SnapshotFile, content_commit
from tools.strict_json import BadJson, parse_json

MANIFEST, CHECKSUMS = "manifest.json", "VERIFY.txt"
MODEL_FOLDER = "model/"
"""Where the model's files lie in a bundle."""
RECORD_SUFFIX = ".bundle"
"""Beside an unpacked model `org/name`, the folder `org/name.bundle` has manifest, evidence and lock."""
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_BLOCK = 512
_PIECE_BYTES = 1024 * 1024
_MAX_MANIFEST_BYTES = 16_000_000
_MAX_FILES = 20_000
_MAX_BASE_BYTES = 100
_MAX_PREFIX_BYTES = 155
_OCTAL_BELOW = 8**11
_NEXT_STEP = "Copy the bundle again, or have it made again; nothing of this one was used."


class BundleDamaged(SourceUnavailable):
    """A file that is not a bundle, or not the whole and unchanged one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The bundle cannot be used: {what}.", _NEXT_STEP, code="bundle_damaged")


class BundledFile(BaseModel):
    """One file of a bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Path in the archive: `model/…`, `evidence.json` or `models.lock`."""
    size_bytes: int
    """Size in bytes."""
    sha256: str
    """SHA-256 of the content, 64 hexadecimal digits."""


class Manifest(BaseModel):
    """What a bundle says it holds; its first entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["tameshi-bundle"] = "tameshi-bundle"
    """Tells a bundle from other archives."""
    version: Literal[1] = 1
    """Version of the format."""
    model: str
    """Id of the model, `org/name`, under which it is unpacked."""
    commit: str
    """Full commit on the hub, or `folder-` and the content hash."""
    content: str
    """`folder-` and the content hash of the model's files."""
    safety: Literal["accept", "flag"]
    """Verdict of the file inspection when the bundle was made."""
    made_at: str
    """When the bundle was made, UTC, ISO 8601."""
    files: tuple[BundledFile, ...]
    """All other files but the checksums, in their order."""


def write_archive(stream: BinaryIO, manifest: Manifest, contents: Iterable[tuple[BundledFile, Iterable[bytes]]]) -> str:
    """Write a bundle.

    Args:
        stream: Where to write.
        manifest: What it holds.
        contents: The manifest's files in order, each with its content in pieces.

    Returns:
        The bundle's id: the SHA-256 of its manifest.
    """
    raw = manifest.model_dump_json(indent=1).encode("utf-8")
    checksums = _checksums(manifest, raw)
    for name, content in ((MANIFEST, raw), (CHECKSUMS, checksums)):
        stream.write(_header(name, len(content)) + content + _padding(len(content)))
    for file, pieces in contents:
        stream.write(_header(file.name, file.size_bytes))
        for piece in pieces:
            stream.write(piece)
        stream.write(_padding(file.size_bytes))
    stream.write(bytes(2 * _BLOCK))
    return hashlib.sha256(raw).hexdigest()


def read_archive(
    stream: BinaryIO,
    size_bytes: int,
    take: Callable[[Manifest, BundledFile, Iterator[bytes]], None],
    *,
    begin: Callable[[Manifest], None] = lambda _manifest: None,
    cancel: CancelToken | None = None,
) -> tuple[Manifest, str]:
    """Read a bundle from its first to its last byte, in constant memory.

    Args:
        stream: The bundle.
        size_bytes: Its size.
        take: Called with each file and its content in pieces, all of which it must consume.
        begin: Called once the manifest is known.
        cancel: Stops between pieces.

    Returns:
        The manifest and the bundle's id.

    Raises:
        BundleDamaged: A byte is missing, too many, or another than the manifest says.
    """
    reader = _Reader(stream, cancel)
    raw = reader.first(size_bytes)
    manifest = _manifest(raw)
    checksums = _checksums(manifest, raw)
    if size_bytes != _archive_bytes(manifest, len(raw), len(checksums)):
        raise BundleDamaged("it is shorter or longer than its manifest says")
    reader.header(CHECKSUMS, len(checksums))
    if b"".join(reader.pieces(len(checksums))) != checksums:
        raise BundleDamaged(f"`{CHECKSUMS}` does not fit the manifest")
    begin(manifest)
    for file in manifest.files:
        reader.header(file.name, file.size_bytes)
        digest = hashlib.sha256()
        take(manifest, file, _hashed(reader.pieces(file.size_bytes), digest.update))
        if digest.hexdigest() != file.sha256:
            raise BundleDamaged(f"`{file.name}` is not what the manifest says")
    reader.end()
    return manifest, hashlib.sha256(raw).hexdigest()


def bundled_commit(folder: Path) -> tuple[str, str] | None:
    """What an unpacked model was on the hub.

    Args:
        folder: The model's folder in a mirror.

    Returns:
        The content hash that its files must still have, and the commit that they are then; None when it came in no bundle.
    """
    record = folder.with_name(folder.name + RECORD_SUFFIX) / MANIFEST
    try:
        if record.stat().st_size > _MAX_MANIFEST_BYTES:
            return None
        manifest = _manifest(record.read_bytes())
    except (OSError, BundleDamaged):
        return None
    return (manifest.content, manifest.commit) if _COMMIT.match(manifest.commit) else None


def is_safe_name(name: str) -> bool:
    """Whether a file of that name can be in a bundle: a plain relative path that means the same on every system."""
    prefix, _slash, base = name.rpartition("/")
    short = len(prefix.encode("utf-8", "replace")) <= _MAX_PREFIX_BYTES
    short = short and 0 < len(base.encode("utf-8", "replace")) <= _MAX_BASE_BYTES
    plain = name.isprintable() and not set(name) & set('\\:*?"<>|')
    return (
        short and plain and not any(part.strip() != part or part.endswith(".") or not part for part in name.split("/"))
    )


def _manifest(raw: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate(parse_json(raw, max_depth=4))
    except (BadJson, ValidationError) as error:
        raise BundleDamaged("its manifest is none of this format's") from error
    names = [file.name for file in manifest.files]
    folders = {name[:end].casefold() for name in names for end in range(len(name)) if name[end] == "/"}
    folded = {name.casefold() for name in names}
    if len(names) > _MAX_FILES or len(folded) != len(names) or folders & folded:
        raise BundleDamaged("its manifest names a file twice, or too many")
    if manifest.content != _content(manifest):
        raise BundleDamaged("its manifest does not fit itself")
    for file in manifest.files:
        placed = file.name in {"evidence.json", "models.lock"} or file.name.startswith(MODEL_FOLDER)
        if not placed or not is_safe_name(file.name) or not 0 <= file.size_bytes < 2**60:
            raise BundleDamaged("its manifest names a file that no bundle has")
    return manifest


def _content(manifest: Manifest) -> str:
    """The content hash of the model's files by their hashes."""
    model = [each for each in manifest.files if each.name.startswith(MODEL_FOLDER)]
    return content_commit(
        SnapshotFile(name=each.name.removeprefix(MODEL_FOLDER), size_bytes=each.size_bytes, sha256=each.sha256)
        for each in model
    )


def _checksums(manifest: Manifest, raw: bytes) -> bytes:
    """The list that `sha256sum -c` reads."""
    lines = [f"{hashlib.sha256(raw).hexdigest()}  {MANIFEST}\n"]
    lines += [f"{file.sha256}  {file.name}\n" for file in manifest.files]
    return "".join(lines).encode("utf-8")


def _archive_bytes(manifest: Manifest, *sizes: int) -> int:
    contents = [*sizes, *(file.size_bytes for file in manifest.files)]
    return sum(_BLOCK + size + len(_padding(size)) for size in contents) + 2 * _BLOCK


def _hashed(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece


class _Reader:
    """Reads the parts of an archive and compares what is determined.

    Args:
        stream: The archive.
        cancel: Stops between pieces.
    """

    def __init__(self, stream: BinaryIO, cancel: CancelToken | None) -> None:
        self._stream, self._cancel = stream, cancel

    def first(self, size_bytes: int) -> bytes:
        """The manifest, the only entry whose size its header tells."""
        header = self._exactly(_BLOCK)
        digits = header[124:135]
        length = int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1
        if header != _header(MANIFEST, max(length, 0)) or not 0 < length <= min(size_bytes, _MAX_MANIFEST_BYTES):
            raise BundleDamaged("it does not begin like one")
        return b"".join(self.pieces(length))

    def header(self, name: str, size_bytes: int) -> None:
        """Pass the header of an entry."""
        if self._exactly(_BLOCK) != _header(name, size_bytes):
            raise BundleDamaged(f"the entry of `{name}` is not what the manifest says")

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """The content of an entry, then its padding is passed."""
        left = size_bytes
        while left:
            if self._cancel is not None:
                self._cancel.raise_if_cancelled()
            piece = self._exactly(min(left, _PIECE_BYTES))
            left -= len(piece)
            yield piece
        if any(self._exactly(len(_padding(size_bytes)))):
            raise BundleDamaged("there is something between its files")

    def end(self) -> None:
        """Pass the end of the archive."""
        if any(self._exactly(2 * _BLOCK)) or self._stream.read(1):
            raise BundleDamaged("there is something behind its end")

    def _exactly(self, count: int) -> bytes:
        piece = self._stream.read(count)
        if len(piece) != count:
            raise BundleDamaged("it is cut short")
        return piece


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % _BLOCK)


def _header(name: str, size_bytes: int) -> bytes:
    """The one header that an entry of that name and size has: POSIX ustar, nobody's, of no date."""
    prefix, base = _split(name.encode("utf-8"))
    size = b"%011o\0" % size_bytes if size_bytes < _OCTAL_BELOW else b"\x80" + size_bytes.to_bytes(11, "big")
    fields = [base.ljust(100, b"\0"), b"0000644\0", b"0000000\0", b"0000000\0", size, b"00000000000\0", b" " * 8, b"0"]
    fields += [bytes(100), b"ustar\x0000", bytes(64), b"0000000\0", b"0000000\0", prefix.ljust(155, b"\0"), bytes(12)]
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _split(name: bytes) -> tuple[bytes, bytes]:
    """The name as prefix and rest; `is_safe_name` keeps its last part short enough."""
    if len(name) <= _MAX_BASE_BYTES:
        return b"", name
    prefix, _slash, base = name.rpartition(b"/")
    return prefix, base
