"""The tool `profile_model`: runs a model in the isolated worker and measures what it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tools.device_limits import DeviceLimits
from tools.errors import InvalidArgument, OutOfMemory, ToolError, UnsafeModel, UnsupportedModel
from tools.fetching import fetch_model
from tools.file_safety.file_view import FolderView
from tools.memory import MemoryForecast, estimate_memory, total_of
from tools.memory.measured_here import MeasuredHere
from tools.memory.model_shape import read_shape
from tools.memory.speed_forecast import forecast_speed
from tools.model_sources import ModelSources
from tools.profiling.device import cpu_threads, resolve_device
from tools.profiling.executors import FRESH_PROCESSES, Executor
from tools.profiling.records import Profile
from tools.profiling.report import build_profile
from tools.profiling.worker_watch import WorkerLimits
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import Snapshot, changed_files
from tools.weight_files import snapshot_tensors

DTYPES = ("auto", "float32", "bfloat16", "float16")
"""Number formats a run can use."""
_MAX_BATCH = 4096
_MAX_LENGTH = 1_048_576
_MAX_RUNS = 24
_MAX_REPEATS = 10_000
VARIED = ("dtype", "attention", "compile", "quantization", "batch_size", "sequence_length")
"""Settings that can be varied beside the runs."""


def profile_model(
    model: str,
    device: str = "auto",
    dtype: str = "auto",
    batch_sizes: Sequence[int] = (1, 8, 32),
    sequence_lengths: Sequence[int] = (128,),
    new_tokens: int = 0,
    vary: Sequence[str] = (),
    *,
    repeats: int | None = None,
    executor: Executor = FRESH_PROCESSES,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    measured: MeasuredHere = MeasuredHere(),  # noqa: B008 (as above)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Profile:
    """Really run a model on this machine and measure it; takes seconds to minutes.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        dtype: `auto` (that of the files), `float32`, `bfloat16` or `float16`.
        batch_sizes: Inputs processed together, 1 to 4096 each; at most 24 combinations with the lengths.
        sequence_lengths: Tokens of each input, 1 to 1048576 each.
        new_tokens: Tokens to generate, for models that generate text; 0 takes 16 there.
        vary: What else to try on the largest run: `dtype`, `attention`, `compile` and `quantization` each beside the
            answers in float32; `batch_size` and `sequence_length` search the largest that runs.
        repeats: Timed calls a run, 1 to 10000; as many as a steady median needs when absent.
        executor: Where the worker runs.
        sources: Where models may come from.
        measured: What earlier measurements on this machine say, for the forecast beside the measurement.
        progress: Told about each step.
        cancel: Kills the worker.

    Returns:
        The measurement.

    Raises:
        InvalidArgument: A value is out of its range.
        UnsafeModel: The files were refused or changed.
        UnsupportedModel: The model cannot be run, or loading would not give the model of the files.
        OutOfMemory: Loading, or every run, needed more memory than there was.
        WorkerFailed: The worker crashed or ran out of time.
        Cancelled: The caller stopped it.
    """
    batches, lengths = _counts("batch_sizes", batch_sizes, _MAX_BATCH), _counts("sequence_lengths", sequence_lengths)
    _check(dtype, len(batches) * len(lengths), new_tokens)
    _check_more(vary, repeats)
    target = resolve_device(device)
    snapshot = fetch_model(model, sources=sources, progress=_scaled(progress, 0.0, 0.1), cancel=cancel)
    check_unchanged(snapshot)
    foresee = partial(_forecast, snapshot, sources=sources, measured=measured)
    forecast = foresee(dtype, max(batches), max(lengths), new_tokens)
    needed = None if forecast is None else total_of(forecast.terms, on_device=target != "cpu")
    job = {
        "kind": "profile",
        "root": snapshot.root,
        "device": target,
        "fall_back": device == "auto",
        "dtype": dtype,
        "batch_sizes": batches,
        "sequence_lengths": lengths,
        "new_tokens": new_tokens,
        "vary": list(vary),
        "repeats": repeats,
        "threads": cpu_threads(),
    }
    told = _scaled(progress, 0.1, 1.0)
    with executor.lease(target, progress=told, cancel=cancel):
        start = time.monotonic()
        record, ended_early = _run(executor, job, needed, told, cancel)
        wall_s = record.get("wall_s") or time.monotonic() - start
    _raise_if_nothing_ran(record, needed)
    best = _largest_that_ran(record)
    if best is not None:
        forecast = foresee(record["dtype"], *best, record["new_tokens"])
    on_device = record["device_kind"] == "cuda"
    needed = None if forecast is None else total_of(forecast.terms, on_device=on_device)
    record["runs"] = _with_speed_forecast(snapshot, record)
    return build_profile(snapshot, record, job, needed, wall_s, executor=executor.name, ended_early=ended_early)


def _run(
    executor: Executor, job: dict[str, Any], needed: float | None, progress: Progress, cancel: CancelToken | None
) -> tuple[dict[str, Any], str | None]:
    """The worker's record; of one that ended early what it had measured, and why it ended."""
    try:
        return executor.run(job, WorkerLimits(), needed_mib=needed, progress=progress, cancel=cancel), None
    except ToolError as error:
        if not any(not run.get("error") for run in error.partial.get("runs", ())):
            raise
        return error.partial, error.message


def check_unchanged(snapshot: Snapshot) -> None:
    """Raise when the files are no longer those that were checked (rule T22)."""
    changed = changed_files(snapshot)
    if changed:
        raise UnsafeModel(
            f"`{changed[0][:80]}` changed after it was checked (rule T22).", "Fetch the model again.", code="T22"
        )


def _counts(name: str, values: Sequence[int], largest: int = _MAX_LENGTH) -> list[int]:
    counts = list(dict.fromkeys(values))
    if not counts or any(type(value) is not int or not 1 <= value <= largest for value in counts):
        raise InvalidArgument(
            f"`{name}` has a value outside 1 to {largest}.", f"Give whole numbers from 1 to {largest}."
        )
    return counts


def _check(dtype: str, runs: int, new_tokens: int) -> None:
    if dtype not in DTYPES:
        raise InvalidArgument(f"`{dtype[:40]}` is not a number format to run in.", f"Use one of {', '.join(DTYPES)}.")
    if runs > _MAX_RUNS:
        raise InvalidArgument(f"{runs} combinations are more than {_MAX_RUNS}.", "Give fewer sizes or lengths.")
    if type(new_tokens) is not int or not 0 <= new_tokens <= _MAX_LENGTH:
        raise InvalidArgument(f"`new_tokens` is outside 0 to {_MAX_LENGTH}.", "Give a smaller number.")


def _check_more(vary: Sequence[str], repeats: int | None) -> None:
    unknown = next((each for each in vary if each not in VARIED), None)
    if unknown is not None:
        raise InvalidArgument(f"`{unknown[:40]}` cannot be varied.", f"Use some of {', '.join(VARIED)}.")
    if repeats is not None and not (type(repeats) is int and 1 <= repeats <= _MAX_REPEATS):
        raise InvalidArgument(
            f"`repeats` is outside 1 to {_MAX_REPEATS}.", f"Give a whole number from 1 to {_MAX_REPEATS}."
        )


def _scaled(progress: Progress, low: float, high: float) -> Progress:
    return lambda fraction, message: progress(low + (high - low) * fraction, message)


def _forecast(
    snapshot: Snapshot,
    dtype: str,
    batch: int,
    length: int,
    new_tokens: int,
    *,
    sources: ModelSources,
    measured: MeasuredHere,
) -> MemoryForecast | None:
    """The forecast beside the measurement; a model whose need cannot be forecast can still be measured."""
    try:
        forecast = estimate_memory(
            snapshot.model,
            None if dtype == "auto" else dtype,
            batch,
            length,
            new_tokens,
            sources=sources,
            measured=measured,
        )
    except ToolError:
        return None
    return forecast if forecast.commit == snapshot.commit else None


def _with_speed_forecast(snapshot: Snapshot, record: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs with what the speed forecast says of each, from the files and this machine's probe alone."""
    if record["device_kind"] != "cpu" or not record.get("limits"):
        return record["runs"]
    view, limits = FolderView(Path(snapshot.root)), DeviceLimits(**record["limits"])
    header, shape = snapshot_tensors(view), read_shape(view)

    def forecast_ms(run: dict[str, Any]) -> float | None:
        found = forecast_speed(
            header,
            shape,
            limits,
            dtype=run["dtype"],
            batch_size=run["batch_size"],
            sequence_length=run["sequence_length"],
            new_tokens=record["new_tokens"],
        )
        return None if found is None else found.latency_ms

    return [run if run.get("error") else {**run, "forecast_latency_ms": forecast_ms(run)} for run in record["runs"]]


def _largest_that_ran(record: dict[str, Any]) -> tuple[int, int] | None:
    ran = [(run["batch_size"], run["sequence_length"]) for run in record["runs"] if not run.get("error")]
    return max(ran, key=lambda pair: pair[0] * pair[1], default=None)


def _raise_if_nothing_ran(record: dict[str, Any], needed: float | None) -> None:
    errors = [run.get("error") for run in record["runs"]]
    if not all(errors):
        return
    if any(error.startswith("Out of memory") for error in errors):
        text = f"about {needed:,.0f} MiB were forecast for the largest run" if needed else "the need was not forecast"
        raise OutOfMemory(f"Every run failed. {errors[0]} ({text}).", "Use smaller batch sizes or shorter inputs.")
    raise UnsupportedModel(f"No run was possible. {errors[0]}", "Choose lengths the model can take.")
