"""Counts floating-point operations by torch's own counter, and says which of a device's limits a run meets."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count
from worker_workloads import Call, Workload

_MEETS = 0.4
_IMPLAUSIBLE_PERCENT = 115.0
"""A model that computes so much faster than the fastest matrix product says that the product was disturbed."""


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


def drop_implausible_shares(runs: list[dict]) -> bool:
    """Take the shares of all runs away where one is well beyond the limit, and say whether that was so.

    Args:
        runs: Figures of the runs, with `mfu_percent`, `mbu_percent` and `bound` where these are known.
    """
    if not any((run.get("mfu_percent") or 0.0) > _IMPLAUSIBLE_PERCENT for run in runs):
        return False
    for run in runs:
        for name in ("mfu_percent", "mbu_percent", "bound"):
            run.pop(name, None)
    return True


class Work(NamedTuple):
    """What a run had to compute and to read, and the time it took for that."""

    gflop: float | None
    forward_s: float
    read_bytes: int
    read_s: float
    decodes: bool
    """Whether most of the time went into decoding steps."""

    @classmethod
    def of(cls, workload: Workload, calls: list[Call]) -> Work:
        """Of a workload and its timed calls; the operations are counted later."""
        weights, cache = workload.bytes_read()
        total = statistics.median(call.total_s for call in calls)
        forward = statistics.median(call.first_s or call.total_s for call in calls)
        if workload.new_tokens > 1:
            step = (total - forward) / (workload.new_tokens - 1)
            return cls(None, forward, weights + cache, step, total - forward > forward)
        return cls(None, forward, weights, forward, decodes=False)

    def shares(self, limits: dict | None, dtype: str) -> dict:
        """The operations, and with a device's limits the share of them that was reached and what bounds the run."""
        if self.gflop is None or limits is None:
            return {"gflop": self.gflop}
        compute = self.gflop / self.forward_s / limits["matmul_gflop_per_s"][dtype]
        bandwidth = limits["matvec_gb_per_s"].get(dtype)
        reading = None if bandwidth is None else self.read_bytes / 1e9 / self.read_s / bandwidth
        return {
            "gflop": self.gflop,
            "mfu_percent": 100 * compute,
            "mbu_percent": None if reading is None else 100 * reading,
            "bound": bound_of(None if self.decodes else compute, reading),
        }
