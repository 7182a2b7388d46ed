"""Reads tensors of weight files on this machine piece by piece, as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tools.comparing.pair import Pair
from tools.weight_files import BITS_BY_DTYPE, TensorInfo

if TYPE_CHECKING:
    import numpy as np

_PIECE_NUMBERS = 1 << 17
"""A piece of each version, and what is worked out of them, fit a processor's cache."""
_NUMPY_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4",
    "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


class TensorReader:
    """Reads pieces of the tensors of two versions.

    Files are read and not mapped: one that is cut short meanwhile then ends in an error instead of a crash.
    """

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self._starts: dict[tuple[bool, str], int] = {}

    def pieces(self, old: TensorInfo, new: TensorInfo, most: int | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Pieces of two tensors of the same shape, side by side.

        Args:
            old: The tensor before.
            new: The tensor after.
            most: Most numbers that are read; all when absent.
        """
        total = old.parameters if most is None else min(most, old.parameters)
        for start in range(0, total, _PIECE_NUMBERS):
            count = min(_PIECE_NUMBERS, total - start)
            yield self._read(True, old, start, count), self._read(False, new, start, count)

    def _read(self, first: bool, tensor: TensorInfo, start: int, count: int) -> bytes:
        model = self.pair.before if first else self.pair.after
        key = (first, tensor.file)
        if key not in self._starts:
            self._starts[key] = 8 + int.from_bytes(model.view.read(tensor.file, 0, 8), "little")
        bits = BITS_BY_DTYPE[tensor.dtype]
        begin, end = start * bits // 8, (start + count) * bits // 8
        return model.view.read(tensor.file, self._starts[key] + tensor.start + begin, end - begin)


def decoded(raw: bytes, dtype: str) -> np.ndarray[Any, Any] | None:
    """The numbers of a piece; None for types that have no plain form here.

    Args:
        raw: The bytes.
        dtype: The format's name of the type.
    """
    import numpy as np  # noqa: PLC0415 (heavy import, only when numbers are compared)

    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    if dtype not in _NUMPY_TYPES:
        return None
    numbers = np.frombuffer(raw, _NUMPY_TYPES[dtype])
    return numbers.astype("f4" if dtype in {"F16", "F32"} else "f8", copy=False)
