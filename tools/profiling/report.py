"""Makes the record of a measurement out of the worker's figures."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from tools.device_limits import DeviceLimits
from tools.profiling.device import cpu_name
from tools.profiling.next_try import longest_run, next_try
from tools.profiling.records import (
    LargestThatFits,
    MemoryByKind,
    MemoryKind,
    MemoryStage,
    Profile,
    ProfileRun,
    Variant,
)
from tools.snapshot import Snapshot

_Record = TypeVar("_Record", bound=BaseModel)

_FOREIGN_CORES = 0.15
_SPREAD = 1.25
_NOT_CHECKED = (
    "quality of the answers: inputs were made up",
    "many users at once, queues and network",
    "long operation: heat, memory growth, other programs",
    "text processing before and after the model",
)
_LIMITS_NOT_CHECKED = "the limits of this device: other programs disturbed their measurement"


def build_profile(
    snapshot: Snapshot,
    record: dict[str, Any],
    job: dict[str, Any],
    forecast_mib: float | None,
    wall_s: float,
    *,
    executor: Literal["local", "ray"] = "local",
    ended_early: str | None = None,
) -> Profile:
    """Build the record.

    Args:
        snapshot: What was loaded.
        record: The worker's figures; of one that ended early, those it had sent by then.
        job: What the worker was asked.
        forecast_mib: Forecast peak of the largest run.
        wall_s: Seconds the worker took.
        executor: Where the worker ran.
        ended_early: Why it stopped before its end.

    Returns:
        The record.
    """
    runs = tuple(_run(run) for run in record["runs"])
    kind: Literal["cpu", "cuda"] = "cuda" if record["device_kind"] == "cuda" else "cpu"
    peaks = [run.peak_memory_mib for run in runs if run.peak_memory_mib is not None]
    peak = max([*peaks, record["load_peak_mib"] or 0.0])
    noise, reason = noise_verdict(record["foreign_cores"], runs)
    name = record["device_name"] or cpu_name()
    error = 100 * (forecast_mib - peak) / peak if forecast_mib and peak else None
    limits = None if record.get("limits") is None else _limits(record["limits"])
    variants = tuple(_short_figures(Variant(**each)) for each in record.get("variants") or ())
    longest = longest_run(runs)
    return Profile(
        model=snapshot.model,
        commit=snapshot.commit,
        task=record["task"],
        device_name=name,
        device_kind=kind,
        dtype=record["dtype"],
        threads=record["threads"],
        runs=runs,
        import_s=_short(record["import_s"]),
        load_s=_short(record["load_s"]),
        first_call_ms=_short(record["first_call_ms"]),
        memory=_memory(record, peaks, kind),
        memory_stages=tuple(_short_figures(MemoryStage(**each)) for each in record.get("stages") or () if each),
        peak_memory_mib=_short(peak),
        limits=limits,
        variants=variants,
        largest=tuple(_short_figures(LargestThatFits(**each)) for each in record.get("largest") or ()),
        limit_share_percent=max((run.mfu_percent for run in runs if run.mfu_percent is not None), default=None),
        bound=None if longest is None else longest.bound,
        try_next=next_try(runs, limits, variants, record["dtype"]),
        energy_j=sum(energies) if (energies := [run.energy_j for run in runs if run.energy_j is not None]) else None,
        energy_note=record.get("energy_note") or "The energy counter was not read.",
        forecast_total_mib=forecast_mib,
        forecast_error_percent=None if error is None else round(error, 1),
        noise=noise,
        noise_reason=reason,
        conditions=_conditions(record, job, name),
        not_checked=(*_NOT_CHECKED, *((_LIMITS_NOT_CHECKED,) if record.get("limits_disturbed") else ())),
        isolation=tuple(record.get("isolation") or ()),
        ended_early=ended_early,
        executor=executor,
        wall_s=_short(wall_s),
    )


def _run(figures: dict[str, Any]) -> ProfileRun:
    return _short_figures(ProfileRun(**{key: value for key, value in figures.items() if key != "cache_mib"}))


def _limits(figures: dict[str, Any]) -> DeviceLimits:
    def rates(name: str) -> dict[str, float]:
        return {dtype: _short(value) for dtype, value in figures[name].items()}

    return DeviceLimits(
        copy_gb_per_s=_short(figures["copy_gb_per_s"]),
        matvec_gb_per_s=rates("matvec_gb_per_s"),
        matmul_gflop_per_s=rates("matmul_gflop_per_s"),
        call_us=_short(figures["call_us"]),
        probe_s=_short(figures["probe_s"]),
    )


def noise_verdict(foreign_cores: float | None, runs: tuple[ProfileRun, ...]) -> tuple[Literal["quiet", "noisy"], str]:
    """Whether other work disturbed the measurement, and the figures the verdict rests on."""
    spreads = [run.latency_p95_ms / run.latency_p50_ms for run in runs if run.latency_p95_ms and run.latency_p50_ms]
    spread = max(spreads, default=None)
    load = "other programs' load is not known here"
    if foreign_cores is not None:
        load = f"other programs kept {foreign_cores:.2f} cores busy"
    parts = [load] if spread is None else [load, f"p95 was at most {spread:.2f} times p50"]
    noisy = (foreign_cores or 0.0) > _FOREIGN_CORES or (spread or 1.0) > _SPREAD
    return ("noisy" if noisy else "quiet"), "; ".join(parts)


def _memory(record: dict[str, Any], peaks: list[float], kind: str) -> tuple[MemoryByKind, ...]:
    """On CPU of the whole process; on GPU of the device's allocator, which the libraries' own memory is no part of."""
    base = record["runtime_mib"] if kind == "cpu" else 0.0
    weights = record["weights_mib"]
    cache = max((run.get("cache_mib") or 0.0 for run in record["runs"]), default=0.0)
    values: dict[MemoryKind, float] = {
        "runtime": record["runtime_mib"],
        "weights": weights,
        "load_peak": max(0.0, (record["load_peak_mib"] or 0.0) - base - weights),
        "kv_cache": cache,
        "activations": max(0.0, max(peaks, default=0.0) - base - weights - cache),
        "reserved": max(0.0, (record["reserved_mib"] or 0.0) - max(peaks, default=0.0)),
    }
    optional = ("kv_cache", "reserved")
    return tuple(
        MemoryByKind(kind=name, mib=_short(value)) for name, value in values.items() if value or name not in optional
    )


def _conditions(record: dict[str, Any], job: dict[str, Any], name: str) -> str:
    versions = ", ".join(f"{library} {version}" for library, version in record["versions"].items())
    sizes = "/".join(str(value) for value in job["batch_sizes"])
    lengths = "/".join(str(value) for value in job["sequence_lengths"])
    new = f", {record['new_tokens']} new tokens" if record["new_tokens"] else ""
    return (
        f"{name}, {record['threads']} threads, {record['dtype']}, {versions}; batch {sizes}, {lengths} tokens{new}; "
        f"{record.get('inputs_note') or 'random token ids'}, one warm-up call per run, "
        "wall-clock time per call"
    )


def _short_figures(record: _Record) -> _Record:
    return record.model_copy(update={name: _short(value) for name, value in record if isinstance(value, float)})


def _short(value: float) -> float:
    """Four significant digits: more would claim a precision that a timing does not have."""
    if not value or not math.isfinite(value):
        return value
    return round(value, 3 - math.floor(math.log10(abs(value))))
