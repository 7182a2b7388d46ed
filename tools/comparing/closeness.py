"""How close the numbers of two models are, from a sample of their matrices: further training moves them little."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tools.comparing.pair import Pair
from tools.comparing.tensor_pieces import TensorReader, decoded
from tools.weight_files import TensorInfo

_MOST_MATRICES = 24
_MOST_NUMBERS = 16_384
_FLOATS = {"F64", "F32", "F16", "BF16"}


def closeness_of(pair: Pair, tensors: Sequence[tuple[TensorInfo, TensorInfo]]) -> float | None:
    """Median cosine similarity of a sample of matrices; vectors are left out, which are alike in all models.

    Args:
        pair: The two models, both on this machine.
        tensors: Tensors that stand in the same place in both.

    Returns:
        From -1 to 1, near 0 for models that were trained apart; None when there is nothing to compare.
    """
    matrices = [
        (one, other)
        for one, other in tensors
        if len(one.shape) == 2 and one.shape == other.shape and {one.dtype, other.dtype} <= _FLOATS
    ]
    step = max(1, len(matrices) // _MOST_MATRICES)
    reader = TensorReader(pair)
    found = [_cosine(reader, one, other) for one, other in matrices[::step][:_MOST_MATRICES]]
    known = [each for each in found if each is not None]
    return statistics.median(known) if known else None


def _cosine(reader: TensorReader, one: TensorInfo, other: TensorInfo) -> float | None:
    import numpy as np  # noqa: PLC0415 (heavy import, only when numbers are compared)

    raw = next(reader.pieces(one, other, _MOST_NUMBERS), None)
    if raw is None:
        return None
    first, second = decoded(raw[0], one.dtype), decoded(raw[1], other.dtype)
    if first is None or second is None or len(first) != len(second):
        return None
    with np.errstate(all="ignore"):
        first, second = first.astype("f8"), second.astype("f8")
        cosine = float(np.dot(first, second) / (np.linalg.norm(first) * np.linalg.norm(second)))
    return cosine if np.isfinite(cosine) else None
