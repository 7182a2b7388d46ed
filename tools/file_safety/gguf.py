"""Reads the metadata of GGUF files: counts, texts that are too long, and the chat templates, which other loaders render.

The format: four bytes of mark, version, number of tensors and of entries, then entries of key, type and value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

_MAX_BYTES = 64 * 1024 * 1024
"""Metadata, vocabulary included, is smaller."""
_CHUNK_BYTES = 1024 * 1024
_MAX_ENTRIES = 1_000_000
_MAX_KEY_BYTES = 65_535
_MAX_NESTING = 4
_FIXED_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9

Read = Callable[[int, int], bytes]


class GgufMetadata(NamedTuple):
    """What the metadata holds that can do harm."""

    templates: tuple[str, ...]
    """Chat templates. Untrusted text."""
    trouble: str | None
    """What is wrong with it, part of a sentence; absent when it reads to its end."""


class _Unsound(Exception):
    """The metadata does not read; the message is part of a sentence."""


class _Reader:
    """Values one after the other, fetched in pieces."""

    def __init__(self, read: Read, size_bytes: int) -> None:
        self._read, self._size = read, size_bytes
        self._buffer, self._start = b"", 0
        self.position = 0

    def take(self, count: int) -> bytes:
        self._check(count)
        begin = self.position - self._start
        if begin < 0 or begin + count > len(self._buffer):
            self._start = self.position
            self._buffer = self._read(self.position, max(count, min(_CHUNK_BYTES, self._size - self.position)))
            begin = 0
        self.position += count
        value = self._buffer[begin : begin + count]
        if len(value) != count:
            raise _Unsound("metadata that is cut short")
        return value

    def skip(self, count: int) -> None:
        self._check(count)
        self.position += count

    def number(self, form: str) -> int:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def _check(self, count: int) -> None:
        if count > self._size - self.position:
            raise _Unsound("a text or list that is longer than the file")
        if self.position + count > _MAX_BYTES:
            raise _Unsound(f"metadata of more than {_MAX_BYTES // 1024**2} MiB")


def read_gguf(read: Read, size_bytes: int) -> GgufMetadata:
    """Read the metadata of a GGUF file; the tensors are not touched.

    Args:
        read: Reads a range of the file, given offset and length.
        size_bytes: Length of the whole file.

    Returns:
        Its chat templates and what is wrong with it.
    """
    templates: list[str] = []
    reader = _Reader(read, size_bytes)
    try:
        reader.skip(4)
        version = reader.number("<I")
        if not 2 <= version <= 3:
            # The first version, and those of machines with the other byte order, have other lengths.
            return GgufMetadata((), "a version that is not read here")
        tensors, entries = reader.number("<Q"), reader.number("<Q")
        if tensors > _MAX_ENTRIES or entries > _MAX_ENTRIES:
            return GgufMetadata((), f"absurd counts in its header ({tensors} tensors, {entries} entries)")
        for _ in range(entries):
            key = _text(reader, _MAX_KEY_BYTES)
            kind = reader.number("<I")
            if kind == _STRING and "chat_template" in key:
                templates.append(_text(reader, _MAX_BYTES))
            else:
                _skip_value(reader, kind, 0)
    except _Unsound as error:
        return GgufMetadata(tuple(templates), str(error))
    return GgufMetadata(tuple(templates), None)


def _text(reader: _Reader, most_bytes: int) -> str:
    length = reader.number("<Q")
    if length > most_bytes:
        raise _Unsound("a text or list that is longer than the file")
    return reader.take(length).decode("utf-8", "replace")


def _skip_value(reader: _Reader, kind: int, depth: int) -> None:
    if kind in _FIXED_BYTES:
        reader.skip(_FIXED_BYTES[kind])
    elif kind == _STRING:
        reader.skip(reader.number("<Q"))
    elif kind == _ARRAY and depth < _MAX_NESTING:
        inner, count = reader.number("<I"), reader.number("<Q")
        if inner in _FIXED_BYTES:
            reader.skip(_FIXED_BYTES[inner] * count)
            return
        if count > _MAX_BYTES // 8:
            raise _Unsound("a text or list that is longer than the file")
        for _ in range(count):
            _skip_value(reader, inner, depth + 1)
    else:
        raise _Unsound("values of an unknown kind")
