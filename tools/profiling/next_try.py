"""The one thing to try next for speed, from what bounds the run that took longest."""

from __future__ import annotations

from collections.abc import Sequence

from tools.device_limits import DeviceLimits
from tools.profiling.records import ProfileRun, Variant

_WORTH = 1.15
"""A gain below this is not worth a change."""
_CLOSE = 0.99
"""Cosine similarity from which answers count as the same for advice."""


def next_try(
    runs: Sequence[ProfileRun], limits: DeviceLimits | None, variants: Sequence[Variant], dtype: str
) -> str | None:
    """What to try, with the figure that it rests on.

    Args:
        runs: The runs measured.
        limits: What the device reached in the probe.
        variants: Settings already tried; a clear winner among them is the advice.
        dtype: Number format of the runs.

    Returns:
        A sentence; None when nothing can be said.
    """
    winner = _winner(variants)
    if winner is not None:
        return (
            f"Use {winner.setting}: measured {winner.speedup:.2f} times as fast here, "
            f"with a cosine similarity of at least {winner.lowest_cosine:.4f} to float32."
        )
    longest = longest_run(runs)
    if longest is None or longest.bound is None or limits is None:
        return None
    faster = _faster_format(limits, dtype)
    if longest.bound == "compute":
        if faster is not None:
            return _try_format(*faster)
        return "Arithmetic is the limit: shorter inputs or a smaller model help, a larger batch does not."
    if longest.bound == "bandwidth":
        if dtype == "float32":
            return (
                "Try bfloat16: reading the weights is the limit, and it halves them; a larger batch shares the reading."
            )
        return "Try a larger batch or an 8-bit version: reading the weights is the limit, and a batch shares it."
    return _against_overhead(runs, longest, faster)


def longest_run(runs: Sequence[ProfileRun]) -> ProfileRun | None:
    """The run whose call took longest."""
    ran = [run for run in runs if run.latency_p50_ms is not None]
    return max(ran, key=lambda run: run.latency_p50_ms or 0.0, default=None)


def _winner(variants: Sequence[Variant]) -> Variant | None:
    good = [
        each
        for each in variants
        if each.speedup is not None
        and (each.speedup_low or each.speedup) > _WORTH
        and (each.lowest_cosine or 0.0) >= _CLOSE
        and not (each.flips_percent or 0.0) > 1.0
    ]
    return max(good, key=lambda each: each.speedup or 0.0, default=None)


def _faster_format(limits: DeviceLimits, dtype: str) -> tuple[str, float] | None:
    rates = limits.matmul_gflop_per_s
    here = rates.get(dtype)
    name = max((each for each in rates if each != dtype), key=lambda each: rates[each], default=None)
    if here is None or name is None or rates[name] < _WORTH * here:
        return None
    return name, rates[name] / here


def _against_overhead(runs: Sequence[ProfileRun], longest: ProfileRun, faster: tuple[str, float] | None) -> str:
    most = max(run.batch_size for run in runs)
    gains = _batching_gain(runs, longest)
    if gains is None or gains >= _WORTH:
        return f"Try batch sizes above {most}: small operations and calls take the time here, and a batch shares them."
    if faster is not None:
        return _try_format(*faster)
    return "Try `compile`: small operations and calls take the time here, and a larger batch no longer helps."


def _try_format(name: str, ratio: float) -> str:
    return f"Try {name}: a matrix product is {ratio:.1f} times as fast in it on this device."


def _batching_gain(runs: Sequence[ProfileRun], longest: ProfileRun) -> float | None:
    """How much more is finished a second at the largest batch than at the one before it; None with one batch size."""
    same = [r for r in runs if r.sequence_length == longest.sequence_length and r.throughput_per_s]
    ordered = sorted(same, key=lambda run: run.batch_size)
    if len(ordered) < 2:
        return None
    return (ordered[-1].throughput_per_s or 0.0) / (ordered[-2].throughput_per_s or 1.0)
