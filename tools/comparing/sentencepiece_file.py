"""Reads the pieces out of a SentencePiece model without its library: of the protocol buffer only what is compared.

A message is a row of fields, each a key (number and wire type) and a value. The model's field 1 is a piece (1 text, 2 score,
3 type), its field 3 says how text is normalised.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAX_MODEL_BYTES = 24_000_000
"""Larger than any vocabulary in use."""
_MAX_PIECES = 2_000_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PIECE, _NORMALIZER = 1, 3
_TEXT, _SCORE, _TYPE = 1, 2, 3
_ORDINARY = 1


class BadSentencePiece(ValueError):
    """Bytes that are no SentencePiece model; the message continues a sentence whose subject is the file."""


class SentencePieces(NamedTuple):
    """What decides how a SentencePiece model cuts text."""

    numbers: dict[str, int]
    """Number of each piece."""
    scores: dict[str, float]
    """Score of each piece."""
    special: dict[str, int]
    """Pieces that are no ordinary ones, with their type."""
    normalizer: bytes
    """How text is normalised, as it is written."""


def read_pieces(raw: bytes) -> SentencePieces:
    """Read the pieces of a SentencePiece model.

    Args:
        raw: The whole file. Untrusted.

    Raises:
        BadSentencePiece: It is none.
    """
    found = SentencePieces({}, {}, {}, b"")
    for field, value in _fields(raw):
        if field == _NORMALIZER and isinstance(value, bytes):
            found = found._replace(normalizer=value)
        elif field == _PIECE and isinstance(value, bytes):
            if len(found.numbers) >= _MAX_PIECES:
                raise BadSentencePiece("has too many pieces")
            _add_piece(found, dict(_fields(value)))
    if not found.numbers:
        raise BadSentencePiece("has no pieces")
    return found


def _add_piece(found: SentencePieces, piece: dict[int, bytes | int]) -> None:
    text, score, kind = piece.get(_TEXT), piece.get(_SCORE), piece.get(_TYPE, _ORDINARY)
    if not isinstance(text, bytes):
        raise BadSentencePiece("has a piece without a text")
    name = text.decode("utf-8", "replace")
    number = len(found.numbers)
    while name in found.numbers:  # bytes that are no text of their own
        name = f"{name}#{number}"
    found.numbers[name] = number
    if isinstance(score, bytes):
        found.scores[name] = struct.unpack("<f", score)[0]
    if isinstance(kind, int) and kind != _ORDINARY:
        found.special[name] = kind


def _fields(raw: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Numbers and values of a message's fields."""
    position = 0
    while position < len(raw):
        key, position = _varint(raw, position)
        wire = key & 7
        if wire == _VARINT:
            value, position = _varint(raw, position)
            yield key >> 3, value
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(wire, -1)
        if wire == _BYTES:
            length, position = _varint(raw, position)
        if length < 0 or position + length > len(raw):
            raise BadSentencePiece("is not a SentencePiece model")
        yield key >> 3, raw[position : position + length]
        position += length


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(raw[position : position + 10]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, position + count + 1
    raise BadSentencePiece("is not a SentencePiece model")
