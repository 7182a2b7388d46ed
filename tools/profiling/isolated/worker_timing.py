"""Times a loaded model over batch sizes and lengths, with warm-up, exact peaks and the machine's own limit."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import transformers
import worker_noise
from worker_inputs import positions
from worker_loading import JobError, Loaded
from worker_memory import peak_mib, reset_peak, trim
from worker_workloads import Call, Workload, synchronize, unit_of

_MIN_REPEATS = 5
_MAX_REPEATS = 30
_RUN_S = 0.8
_SLOW_RUN_S = 60.0
_DEFAULT_NEW_TOKENS = 16
_PAGE_BYTES = 4096
_MATRIX = {"cpu": 1024, "cuda": 4096}

Report = Callable[[float, str], None]


def measure(job: dict, loaded: Loaded, report: Report) -> dict:
    """Run every combination.

    Args:
        job: `batch_sizes`, `sequence_lengths`, `new_tokens`.
        loaded: The model.
        report: Told before each run.

    Returns:
        The figures as JSON values.
    """
    new_tokens = job["new_tokens"]
    if loaded.task == "text-generation" and not new_tokens:
        new_tokens = _DEFAULT_NEW_TOKENS
    limit_gflops = machine_gflops(loaded)
    first = _first_call_ms(loaded, job, new_tokens)
    _make_resident(loaded)
    before = worker_noise.read()
    runs: list[dict] = []
    shares: list[float] = []
    pairs = [(batch, length) for length in job["sequence_lengths"] for batch in job["batch_sizes"]]
    for place, (batch, length) in enumerate(pairs):
        report(0.3 + 0.65 * place / len(pairs), f"Measuring batch size {batch} with {length} tokens")
        run, gflops = _measure_one(loaded, batch, length, new_tokens)
        runs.append(run)
        shares += [100 * gflops / limit_gflops] if gflops else []
    foreign = worker_noise.foreign_cores(before, worker_noise.read())
    return {
        "task": loaded.task,
        "device_kind": loaded.device.type,
        "foreign_cores": foreign,
        "device_name": torch.cuda.get_device_name(loaded.device) if loaded.device.type == "cuda" else None,
        "dtype": loaded.dtype,
        "load_s": loaded.load_s,
        "first_call_ms": first,
        "new_tokens": new_tokens if loaded.task == "text-generation" else 0,
        "runtime_mib": loaded.runtime_mib,
        "weights_mib": loaded.weights_mib,
        "load_peak_mib": loaded.load_peak_mib,
        "reserved_mib": torch.cuda.max_memory_reserved(loaded.device) / 2**20 if loaded.device.type == "cuda" else None,
        "limit_share_percent": max(shares, default=None),
        "limit_gflops": limit_gflops,
        "runs": runs,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def _first_call_ms(loaded: Loaded, job: dict, new_tokens: int) -> float:
    """The first call of all, on the smallest combination that the model can take."""
    length = min(job["sequence_lengths"])
    limit = positions(loaded.model.config)
    if limit is not None:
        length = max(1, min(length, limit - new_tokens))
    return 1000 * Workload(loaded, min(job["batch_sizes"]), length, new_tokens).call().total_s


def _make_resident(loaded: Loaded) -> None:
    """Read every page of the weights: a short run touches few rows of an embedding, long operation touches them all."""
    if loaded.device.type == "cpu":
        for tensor in loaded.model.parameters():
            tensor.flatten()[:: max(1, _PAGE_BYTES // tensor.element_size())].sum()


def _measure_one(loaded: Loaded, batch: int, length: int, new_tokens: int) -> tuple[dict, float | None]:
    run: dict[str, Any] = {"batch_size": batch, "sequence_length": length, "dtype": loaded.dtype}
    run["unit"] = unit_of(loaded)
    _reset_peak(loaded)
    try:
        workload = Workload(loaded, batch, length, new_tokens)
        calls = _repeat(workload)
    except JobError as error:
        return {**run, "error": f"Not run: {error}."}, None
    except (RuntimeError, MemoryError) as error:
        text = " ".join(str(error).split())
        if "memory" not in text.lower() and not isinstance(error, MemoryError):
            raise
        if loaded.device.type == "cuda":
            torch.cuda.empty_cache()
        return {**run, "error": f"Out of memory: {text[:300]}"}, None
    peak = _peak(loaded)
    gflops = _gflop(workload, batch, length) / min(call.total_s for call in calls)
    return {**run, **_figures(workload, calls, batch), "peak_memory_mib": peak}, gflops


def _repeat(workload: Workload) -> list[Call]:
    """Warm up once, then repeat until the time is used; slow calls are repeated less."""
    warm = workload.call().total_s
    calls: list[Call] = []
    start = time.perf_counter()
    enough = next((count for count in (_MIN_REPEATS, 3) if warm * count < _SLOW_RUN_S), 1)
    while len(calls) < _MAX_REPEATS:
        calls.append(workload.call())
        if len(calls) >= enough and time.perf_counter() - start > _RUN_S:
            break
    return calls


def _figures(workload: Workload, calls: list[Call], batch: int) -> dict[str, Any]:
    times = sorted(1000 * call.total_s for call in calls)
    median = statistics.median(times)
    figures: dict[str, Any] = {
        "repeats": len(times),
        "latency_min_ms": times[0],
        "latency_max_ms": times[-1],
        "latency_p50_ms": median if len(times) >= 3 else None,
        "latency_p95_ms": _quantile(times, 0.95) if len(times) >= _MIN_REPEATS else None,
        "throughput_per_s": 1000 * workload.units / median,
    }
    first = [call.first_s for call in calls if call.first_s is not None]
    if not first:
        return figures
    figures["time_to_first_token_ms"] = 1000 * statistics.median(first)
    figures["cache_mib"] = calls[-1].cache_mib
    steps = [call.steps_s for call in calls if call.steps_s]
    if steps and workload.new_tokens > 1:
        step_s = statistics.median(steps) / (workload.new_tokens - 1)
        figures |= {"inter_token_latency_ms": 1000 * step_s, "tokens_per_s": batch / step_s}
    return figures


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _gflop(workload: Workload, batch: int, length: int) -> float:
    """Work of one call from the sizes of its linear layers and of attention; embeddings are look-ups and count nothing."""
    model = workload.loaded.model
    head = model.get_output_embeddings() if workload.new_tokens else None
    linear = sum(
        module.weight.numel()
        for module in model.modules()
        if type(module).__name__ in ("Linear", "Conv1D") and module is not head
    )
    tokens = length + max(0, workload.new_tokens - 1)
    config = getattr(model.config, "get_text_config", lambda: model.config)()
    width, layers = getattr(config, "hidden_size", 0), getattr(config, "num_hidden_layers", 0)
    heads = 2 * workload.new_tokens * head.weight.numel() if head is not None else 0
    return batch * (2 * linear * tokens + 4 * layers * width * tokens * tokens + heads) / 1e9


def machine_gflops(loaded: Loaded) -> float:
    """The best rate of a large matrix product in the model's number format, in GFLOP/s."""
    size = _MATRIX.get(loaded.device.type, 1024)
    dtype = getattr(torch, loaded.dtype)
    left = torch.rand((size, size)).to(loaded.device, dtype)
    best = math.inf
    for _ in range(6):
        start = time.perf_counter()
        torch.mm(left, left)
        synchronize(loaded)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def _reset_peak(loaded: Loaded) -> None:
    if loaded.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(loaded.device)
    else:
        trim()
        reset_peak()


def _peak(loaded: Loaded) -> float:
    return torch.cuda.max_memory_allocated(loaded.device) / 2**20 if loaded.device.type == "cuda" else peak_mib()
