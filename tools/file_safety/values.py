"""Looks for values that are not finite in weights, without torch."""

from __future__ import annotations

from pathlib import Path

from tools.file_facts import fact_of
from tools.weight_files import TensorInfo, read_header

MAX_SCANNED_BYTES = 4 * 1024**3
"""Larger files are not scanned: reading them would take longer than the rest of the inspection."""
_CHUNK_ELEMENTS = 8 * 1024 * 1024
_NUMPY_TYPES = {"F16": "<u2", "BF16": "<u2", "F32": "<u4", "F64": "<u8"}
_EXPONENTS = {"F16": 0x7C00, "BF16": 0x7F80, "F32": 0x7F800000, "F64": 0x7FF0000000000000}


def first_not_finite(path: Path) -> str | None:
    """Name of the first tensor with NaN or infinite values; None when there is none or the file is too large to scan.

    Args:
        path: A safetensors file whose header was found sound.

    Returns:
        The tensor's name; the answer is remembered while the file stays unchanged.
    """
    if path.stat().st_size > MAX_SCANNED_BYTES:
        return None

    def scan() -> str | None:
        header = read_header(path)
        offset = 8 + header.header_bytes
        return next((name for name, info in header.tensors.items() if not _is_finite(path, info, offset)), None)

    return fact_of("not-finite", path, scan)


def _is_finite(path: Path, info: TensorInfo, offset: int) -> bool:
    import numpy as np  # noqa: PLC0415 (heavy import, only when needed)

    if info.dtype not in _NUMPY_TYPES or info.parameters == 0:
        return True
    exponent = _EXPONENTS[info.dtype]
    kind = np.dtype(_NUMPY_TYPES[info.dtype])
    remaining, position = info.parameters, offset + info.start
    while remaining:
        count = min(remaining, _CHUNK_ELEMENTS)
        values = np.fromfile(path, kind, count, offset=position)
        if values.size < count or bool(np.any(values & kind.type(exponent) == exponent)):
            return values.size < count
        remaining -= count
        position += count * kind.itemsize
    return True
