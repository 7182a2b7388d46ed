"""The questions the other way round: how large a batch, how long a context, which size of memory, which number format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tools.memory.records import DeviceFit, DtypeForecast
from tools.memory.terms import Plan, total_of

MAX_BATCH = 4096
"""Largest batch size that is forecast."""
MAX_LENGTH = 1_048_576
"""Most tokens that are forecast."""
MEMORY_SIZES_GIB = (1, 2, 4, 6, 8, 12, 16, 24, 32, 40, 48, 80, 96, 141, 192)
"""Common sizes of a device's memory, and the small ones of containers."""
DTYPES = ("float32", "bfloat16", "int8", "int4")
"""Number formats that stand side by side."""


def largest_batch(plan: Plan, limit_mib: float) -> int:
    """Largest batch size, up to `MAX_BATCH`, whose total fits; 0 when none does.

    Args:
        plan: The run.
        limit_mib: Memory that is there, in MiB.
    """
    return _largest(MAX_BATCH, lambda batch: total_of(plan.terms(batch)) <= limit_mib)


def longest_sequence(
    plan: Plan, batch_size: int, limit_mib: float
) -> tuple[int | None, Literal["memory", "positions", "search"] | None]:
    """Most tokens of each input whose total fits, and what the next longer one meets.

    Args:
        plan: The run; its new tokens count within the positions where they follow the input.
        batch_size: Inputs processed together.
        limit_mib: Memory that is there, in MiB.

    Returns:
        Tokens, 0 when none fits, and the limit; nothing where the length makes no difference.
    """
    if total_of(plan.terms(batch_size, MAX_LENGTH), on_device=True) == total_of(
        plan.terms(batch_size, 1), on_device=True
    ):
        return None, None
    positions = plan.shape.positions
    after = 0 if plan.shape.reads_source else plan.new_tokens
    most = MAX_LENGTH if positions is None else max(0, min(MAX_LENGTH, positions - after))
    found = _largest(most, lambda length: total_of(plan.terms(batch_size, length)) <= limit_mib)
    if found < most:
        return found, "memory"
    return found, "search" if most == MAX_LENGTH else "positions"


def device_fits(total_mib: float, device_total_mib: float) -> tuple[DeviceFit, ...]:
    """Which common sizes of memory a run fits.

    Args:
        total_mib: Peak of the whole process on a CPU, in MiB.
        device_total_mib: Peak on a GPU, in MiB.
    """
    return tuple(
        DeviceFit(memory_gib=size, fits_gpu=device_total_mib <= size * 1024, fits_host=total_mib <= size * 1024)
        for size in MEMORY_SIZES_GIB
    )


def in_other_dtypes(plan: Plan, batch_size: int) -> tuple[DtypeForecast, ...]:
    """The same run in the usual number formats."""
    found: list[DtypeForecast] = []
    for dtype in DTYPES:
        terms = plan.in_dtype(dtype).terms(batch_size)
        weights = next(term.mib for term in terms if term.name == "weights")
        device = total_of(terms, on_device=True)
        found.append(
            DtypeForecast(dtype=dtype, weights_mib=weights, total_mib=total_of(terms), device_total_mib=device)
        )
    return tuple(found)


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
