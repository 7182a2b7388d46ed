"""How much the numbers of two sets of tensors differ, read piece by piece from files on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.comparing.pair import LARGE_BYTES, Pair
from tools.comparing.tensor_pieces import TensorReader, decoded
from tools.weight_files import BITS_BY_DTYPE, TensorInfo

if TYPE_CHECKING:
    import numpy as np

TIME_ALLOWED_S = 20.0
"""Tensors that were not reached by then are counted as left out."""
_MOST_NAMED = 2


class NumberDifference(NamedTuple):
    """How two sets of tensors of the same shapes differ."""

    tensors: int
    """Tensors that were compared."""
    changed_tensors: int
    """Those of them that differ."""
    changed_share: float
    """Share of numbers that differ in the tensors that differ, 0 to 1."""
    relative_l2: float | None
    """Length of the difference by the length of the first, over the tensors that differ; absent for types without numbers."""
    largest: float
    """Largest difference of a single number."""
    most_changed: tuple[tuple[str, float], ...]
    """Names and relative differences of the tensors that differ most."""
    not_finite: int
    """Numbers that are infinite or not numbers on either side."""
    only_rounded: bool
    """Whether all differences are those of storing a number in a shorter type."""
    left_out: int
    """Tensors that were not reached in the time allowed."""

    @property
    def complete(self) -> bool:
        """Whether every tensor was compared."""
        return self.left_out == 0


@dataclass
class _Sums:
    numbers: int = 0
    changed: int = 0
    squares: float = 0.0
    difference_squares: float = 0.0
    largest: float = 0.0
    not_finite: int = 0
    measurable: bool = True
    only_rounded: bool = True

    @property
    def relative(self) -> float:
        return math.sqrt(self.difference_squares / self.squares) if self.squares else float(self.difference_squares > 0)

    def add(self, other: _Sums) -> None:
        """Take another tensor's sums in."""
        self.numbers += other.numbers
        self.changed += other.changed
        self.squares += other.squares
        self.difference_squares += other.difference_squares
        self.largest = max(self.largest, other.largest)
        self.not_finite += other.not_finite
        self.measurable &= other.measurable
        self.only_rounded &= other.only_rounded


def compare_numbers(
    pair: Pair, tensors: Mapping[str, tuple[TensorInfo, TensorInfo]], time_allowed_s: float = TIME_ALLOWED_S
) -> NumberDifference:
    """Compare tensors of the same shapes, number by number.

    Args:
        pair: The two versions, both on this machine.
        tensors: The two tensors by the first one's name.
        time_allowed_s: After it no further piece is begun.

    Returns:
        How much they differ.
    """
    reader, until = TensorReader(pair), time.monotonic() + time_allowed_s
    total = _Sums()
    changed: list[tuple[str, float]] = []
    compared = 0
    for position, (name, (old, new)) in enumerate(tensors.items()):
        if old.size_bytes >= LARGE_BYTES:
            pair.progress(0.5 + position / len(tensors) / 2, "Comparing the weights")
        sums = _compare_tensor(reader, old, new, until)
        if sums is None:
            break
        compared += 1
        if sums.changed:
            total.add(sums)
            changed.append((name, sums.relative))
    changed.sort(key=lambda each: -each[1])
    return NumberDifference(
        tensors=compared,
        changed_tensors=len(changed),
        changed_share=total.changed / total.numbers if total.numbers else 0.0,
        relative_l2=total.relative if total.measurable and changed else None,
        largest=total.largest,
        most_changed=tuple(changed[:_MOST_NAMED]) if total.measurable else (),
        not_finite=total.not_finite,
        only_rounded=total.only_rounded and total.measurable,
        left_out=len(tensors) - compared,
    )


def _compare_tensor(reader: TensorReader, old: TensorInfo, new: TensorInfo, until: float) -> _Sums | None:
    """Sums over one tensor; None when the time was over before its end."""
    sums = _Sums(numbers=old.parameters, only_rounded=old.dtype != new.dtype)
    for first, second in reader.pieces(old, new):
        if reader.pair.cancel is not None:
            reader.pair.cancel.raise_if_cancelled()
        if time.monotonic() > until:
            return None
        if old.dtype != new.dtype or first != second:
            _add_piece(sums, first, second, old.dtype, new.dtype)
    return sums


def _add_piece(sums: _Sums, first: bytes, second: bytes, old_type: str, new_type: str) -> None:
    import numpy as np  # noqa: PLC0415 (heavy import, only when numbers are compared)

    before, after = decoded(first, old_type), decoded(second, new_type)
    if before is None or after is None or len(before) != len(after):
        sums.measurable = sums.only_rounded = False
        sums.changed += _changed_bytes(first, second, old_type)
        return
    sums.changed += _changed_bits(first, second, old_type) if old_type == new_type else _changed_values(before, after)
    with np.errstate(all="ignore"):
        difference, kept = after - before, before
        squares, difference_squares = float(np.dot(kept, kept)), float(np.dot(difference, difference))
    if not math.isfinite(squares + difference_squares):  # something is infinite or none, or too large for the type
        finite = np.isfinite(before) & np.isfinite(after)
        sums.not_finite += int(len(finite) - np.count_nonzero(finite))
        kept = before[finite].astype("f8")
        difference = after[finite].astype("f8") - kept
        squares, difference_squares = float(np.dot(kept, kept)), float(np.dot(difference, difference))
    sums.squares += squares
    sums.difference_squares += difference_squares
    sums.largest = max(sums.largest, float(difference.max(initial=0.0)), -float(difference.min(initial=0.0)))
    if sums.only_rounded and BITS_BY_DTYPE[old_type] > BITS_BY_DTYPE[new_type]:
        sums.only_rounded = _is_rounded(before, after, new_type)
    elif sums.only_rounded:
        sums.only_rounded = _is_rounded(after, before, old_type)


def _changed_bits(first: bytes, second: bytes, dtype: str) -> int:
    """Numbers of one type that are not the same to the last bit: zeros of either sign are two, and so are kinds of none."""
    import numpy as np  # noqa: PLC0415 (as above)

    whole = f"u{BITS_BY_DTYPE[dtype] // 8}"
    return int(np.count_nonzero(np.frombuffer(first, whole) != np.frombuffer(second, whole)))


def _changed_values(before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> int:
    import numpy as np  # noqa: PLC0415 (as above)

    same = (before == after) | (np.isnan(before) & np.isnan(after))
    return int(len(same) - np.count_nonzero(same))


def _is_rounded(numbers: np.ndarray[Any, Any], short: np.ndarray[Any, Any], dtype: str) -> bool:
    """Whether the second numbers are the first ones as a shorter type holds them, rounded to the nearest or cut off."""
    import numpy as np  # noqa: PLC0415 (as above)

    with np.errstate(all="ignore"):
        if dtype == "F16":
            return bool(np.array_equal(numbers.astype("f2").astype("f4"), short))
        if dtype == "F32":
            return bool(np.array_equal(numbers.astype("f4"), short))
        if dtype != "BF16":
            return False
        bits = numbers.astype("<f4").view("<u4")
    nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return any(np.array_equal(each.astype("<u4").view("<f4"), short) for each in (nearest, bits & 0xFFFF0000))


def _changed_bytes(first: bytes, second: bytes, dtype: str) -> int:
    """About how many numbers differ where only bytes can be compared."""
    import numpy as np  # noqa: PLC0415 (as above)

    if len(first) != len(second):
        return max(1, min(len(first), len(second)) * 8 // BITS_BY_DTYPE[dtype])
    differing = int(np.count_nonzero(np.frombuffer(first, "u1") != np.frombuffer(second, "u1")))
    return max(1, differing * 8 // max(8, BITS_BY_DTYPE[dtype]))
