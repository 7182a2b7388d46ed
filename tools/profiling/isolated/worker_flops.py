"""Counts floating-point operations by torch's own counter, and says which of a device's limits a run meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

_MEETS = 0.4


def count_gflop(call: Callable[[], object]) -> float | None:
    """Operations of one call in 10^9; a product of sums counts two for each pair. None where nothing was counted."""
    with FlopCounterMode(display=False, custom_mapping=_attention()) as counter:
        call()
    total = counter.get_total_flops()
    return total / 1e9 if total else None


def _attention() -> dict[Any, Any]:
    """The counter has no formula for the processor's fused attention; it is the same as the GPU's."""
    operation = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", None)

    def count(query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:  # noqa: ARG001
        return sdpa_flop_count(query, key, value)

    return {} if operation is None else {operation: count}


def bound_of(compute_share: float | None, bandwidth_share: float | None) -> str | None:
    """What a run spends its time on.

    Args:
        compute_share: Achieved operations as a share of the device's fastest matrix product.
        bandwidth_share: Achieved reading as a share of the device's bandwidth.

    Returns:
        `compute` or `bandwidth` where that share is at least 40 % and the larger one, otherwise `overhead`.
    """
    if compute_share is None and bandwidth_share is None:
        return None
    compute, bandwidth = compute_share or 0.0, bandwidth_share or 0.0
    if max(compute, bandwidth) < _MEETS:
        return "overhead"
    return "compute" if compute >= bandwidth else "bandwidth"
