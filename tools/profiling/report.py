"""Makes the record of a measurement out of the worker's figures."""

from __future__ import annotations

import math
from typing import Any, Literal

from tools.profiling.device import cpu_name
from tools.profiling.records import MemoryByKind, MemoryKind, Profile, ProfileRun
from tools.snapshot import Snapshot

_FOREIGN_CORES = 0.15
_SPREAD = 1.25
_NOT_CHECKED = (
    "quality of the answers: inputs were random tokens",
    "many users at once, queues and network",
    "long operation: heat, memory growth, other programs",
    "text processing before and after the model",
)


def build_profile(
    snapshot: Snapshot, record: dict[str, Any], job: dict[str, Any], forecast_mib: float | None, wall_s: float
) -> Profile:
    """Build the record.

    Args:
        snapshot: What was loaded.
        record: The worker's figures.
        job: What the worker was asked.
        forecast_mib: Forecast peak of the largest run.
        wall_s: Seconds the worker took.

    Returns:
        The record.
    """
    runs = tuple(
        ProfileRun(**{key: value for key, value in run.items() if key != "cache_mib"}) for run in record["runs"]
    )
    kind: Literal["cpu", "cuda"] = "cuda" if record["device_kind"] == "cuda" else "cpu"
    peaks = [run.peak_memory_mib for run in runs if run.peak_memory_mib is not None]
    peak = max([*peaks, record["load_peak_mib"] or 0.0])
    noise, reason = noise_verdict(record["foreign_cores"], runs)
    name = record["device_name"] or cpu_name()
    error = 100 * (forecast_mib - peak) / peak if forecast_mib and peak else None
    return Profile(
        model=snapshot.model,
        commit=snapshot.commit,
        task=record["task"],
        device_name=name,
        device_kind=kind,
        dtype=record["dtype"],
        threads=record["threads"],
        runs=tuple(_rounded(run) for run in runs),
        import_s=_short(record["import_s"]),
        load_s=_short(record["load_s"]),
        first_call_ms=_short(record["first_call_ms"]),
        memory=_memory(record, peaks, kind),
        peak_memory_mib=_short(peak),
        limit_share_percent=None if (share := record["limit_share_percent"]) is None else _short(share),
        forecast_total_mib=forecast_mib,
        forecast_error_percent=None if error is None else round(error, 1),
        noise=noise,
        noise_reason=reason,
        conditions=_conditions(record, job, name),
        not_checked=_NOT_CHECKED,
        isolation=tuple(record["isolation"]),
        wall_s=_short(wall_s),
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
        "reserved": record["reserved_mib"] or 0.0,
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
        "random token ids, waiting threads do not spin, one warm-up call per run, wall-clock time per call"
    )


def _rounded(run: ProfileRun) -> ProfileRun:
    return run.model_copy(update={name: _short(value) for name, value in run if isinstance(value, float)})


def _short(value: float) -> float:
    """Four significant digits: more would claim a precision that a timing does not have."""
    if not value or not math.isfinite(value):
        return value
    return round(value, 3 - math.floor(math.log10(abs(value))))
