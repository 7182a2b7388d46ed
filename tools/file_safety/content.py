"""Recognises what a file is by its content: pickles in all wrappings, other model formats, archives, programs."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import NamedTuple

from tools.file_safety.archives import as_stream, is_object_array, look_into_tar, look_into_tar_head, look_into_zip
from tools.file_safety.file_view import FileView
from tools.file_safety.pickles import imported_names, is_pickle
from tools.safetensors_header import MAX_HEADER_BYTES

HEAD_BYTES = 8192
_NPY = b"\x93NUMPY"
_MAGICS: tuple[tuple[bytes, str], ...] = (
    (b"GGUF", "gguf"),
    (b"lmgg", "gguf"),
    (b"tjgg", "gguf"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"7z\xbc\xaf\x27\x1c", "sealed"),
    (b"Rar!\x1a\x07", "sealed"),
    (b"\x28\xb5\x2f\xfd", "sealed"),
    (b"\x04\x22\x4d\x18", "sealed"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"#!", "program"),
)
_DECOMPRESSORS: tuple[tuple[bytes, Callable[[], object]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(31)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", lzma.LZMADecompressor),
    (b"\x78\x01", zlib.decompressobj),
    (b"\x78\x5e", zlib.decompressobj),
    (b"\x78\x9c", zlib.decompressobj),
    (b"\x78\xda", zlib.decompressobj),
)


class Content(NamedTuple):
    """What a file was recognised as."""

    kind: str
    """pickle · gguf · onnx · keras · hdf5 · nemo · code (of a Keras file) · archive · sealed (cannot be looked into) · program · plain ·
    unread."""
    detail: str
    """What shows it, part of a sentence; empty for plain."""


PLAIN = Content("plain", "")


class _ViewFile(io.RawIOBase):
    """A listed file as a seekable stream, so that an archive's directory is read by ranges."""

    def __init__(self, view: FileView, name: str, size_bytes: int) -> None:
        self._view, self._name, self._size, self._position = view, name, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), max(0, self._size - self._position))
        data = self._view.read(self._name, self._position, wanted) if wanted else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def recognise(view: FileView, name: str, size_bytes: int) -> Content:
    """Recognise a file by its content.

    Args:
        view: The model's files.
        name: Which one.
        size_bytes: Its size.

    Returns:
        What it is; `plain` when nothing dangerous or foreign was recognised.
    """
    head = view.read(name, 0, HEAD_BYTES) if size_bytes else b""
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return Content(*look_into_zip(as_stream(_ViewFile(view, name, size_bytes)), remote=view.remote))
    if head[257:262] == b"ustar":
        return Content(*look_into_tar(as_stream(_ViewFile(view, name, size_bytes))))
    return _head_content(head, name, depth=0)


def has_zip_at_end(view: FileView, name: str, size_bytes: int) -> bool:
    """Whether a file is also a zip archive, whatever it starts with."""
    try:
        return zipfile.is_zipfile(as_stream(_ViewFile(view, name, size_bytes)))
    except (OSError, ValueError):
        return False


def _head_content(head: bytes, name: str, depth: int) -> Content:
    if is_pickle(head) and not _is_weights_by_chance(head):
        names = imported_names(head)
        return Content("pickle", f"pickle instructions{' that import ' + ', '.join(names[:5]) if names else ''}")
    if head.startswith(_NPY):
        objects = Content("pickle", "a NumPy array of Python objects, which is a pickle")
        return objects if is_object_array(head) else PLAIN
    if head[257:262] == b"ustar":
        return Content(*look_into_tar_head(head))
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return Content(kind, f"the content of a {kind} file")
    if _is_onnx(head, name):
        return Content("onnx", "the content of an ONNX file")
    return _compressed_content(head, name, depth)


def _is_weights_by_chance(head: bytes) -> bool:
    """Whether a safetensors file only happens to read as instructions, which its length in front can; such ones import nothing."""
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and length <= MAX_HEADER_BYTES and not imported_names(head)


def _compressed_content(head: bytes, name: str, depth: int) -> Content:
    for magic, make in _DECOMPRESSORS:
        if not head.startswith(magic):
            continue
        try:
            inner = make().decompress(head, HEAD_BYTES)  # type: ignore[attr-defined]  # the three share this signature
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
            continue
        if depth >= 3:
            return Content("sealed", "compressed several times over")
        within = _head_content(inner, name, depth + 1)
        if within.kind != "plain":
            return Content(within.kind, f"{within.detail}, compressed")
        return Content("archive", "a compressed file")
    return PLAIN


def _is_onnx(head: bytes, name: str) -> bool:
    """ONNX has no mark; the first field is a small version number, then the producer or the graph."""
    return name.endswith(".onnx") or (
        head[:1] == b"\x08" and len(head) > 4 and head[1] <= 20 and head[2] in (0x12, 0x3A) and b"onnx" in head[:512]
    )
