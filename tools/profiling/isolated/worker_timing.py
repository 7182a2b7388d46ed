"""Times a loaded model over batch sizes and lengths: adaptive repeats, exact peaks, and the share of the device's limits."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
import transformers
import worker_noise
from worker_energy import EnergyCounter
from worker_errors import JobError
from worker_flops import Work, count_gflop, drop_implausible_shares
from worker_inputs import positions
from worker_largest import measure_largest
from worker_loading import Loaded
from worker_memory import peak_mib, split_mib
from worker_peaks import give_back, peak_of, start_peak
from worker_probe import better_of, probe
from worker_reply import Report
from worker_statistics import is_tight, median_interval, quantile
from worker_variants import measure_variants
from worker_workloads import Call, Workload, unit_of

_MIN_REPEATS = 5
_ENOUGH_REPEATS = 20
_MAX_REPEATS = 200
_TIGHT = 0.02
_RUN_S = 0.8
_SLOW_RUN_S = 60.0
_DEFAULT_NEW_TOKENS = 16
_PAGE_BYTES = 4096
_FOREIGN_CORES = 0.15
_ALL_PERCENT = 100.0


def measure(job: dict, loaded: Loaded, report: Report) -> dict:
    """Run every combination.

    Args:
        job: `batch_sizes`, `sequence_lengths`, `new_tokens`, `vary`, and `repeats`, which is absent for as many as it needs.
        loaded: The model.
        report: Told before each run, and given each run's figures.

    Returns:
        The figures as JSON values.
    """
    new_tokens = (job["new_tokens"] or _DEFAULT_NEW_TOKENS) if loaded.generates else 0
    stages = [
        _stage("runtime", loaded.runtime_split, loaded.runtime_mib),
        _stage("load", split_mib(), loaded.load_peak_mib),
    ]
    report.progress(0.28, "Measuring the limits of this device")
    limits = probe(loaded.device, getattr(torch, loaded.dtype))
    start_peak(loaded)
    first = _first_call_ms(loaded, job, new_tokens)
    stages.append(_stage("first_call", split_mib(), peak_mib()))
    _make_resident(loaded)
    known = _known(loaded, limits) | {"first_call_ms": first, "new_tokens": new_tokens}
    report.part(**known, stages=stages, runs=[])
    before = worker_noise.read()
    runs = _Runs(job, loaded, new_tokens, limits)
    runs.measure_all(report)
    after, foreign = split_mib(), worker_noise.foreign_cores(before, worker_noise.read())
    reserved = torch.cuda.max_memory_reserved(loaded.device) / 2**20 if loaded.device.type == "cuda" else None
    report.progress(0.8, "Counting operations")
    start_peak(loaded)  # what the counter and a second probe need is in no run's peak
    runs.count_work()
    if (foreign or 0.0) > _FOREIGN_CORES or any((run.get("mfu_percent") or 0.0) > _ALL_PERCENT for run in runs.done):
        report.progress(0.8, "Measuring the limits of this device again")
        runs.judge_again(probe(loaded.device, getattr(torch, loaded.dtype)))
    disturbed = runs.forget_disturbed_limits()
    variants, largest = _vary(job, runs, report)
    peaks = [run["peak_memory_mib"] for run in runs.done if run.get("peak_memory_mib")]
    if loaded.device.type == "cpu" and peaks:
        stages.append(_stage("runs", after, max(peaks)))
    return {
        **known,
        "limits": runs.limits,
        "limits_disturbed": disturbed,
        "stages": [stage for stage in stages if stage],
        "foreign_cores": foreign,
        "reserved_mib": reserved,
        "energy_note": runs.energy.note,
        "inputs_note": runs.inputs_note,
        "runs": runs.done,
        "variants": variants,
        "largest": largest,
    }


def _known(loaded: Loaded, limits: dict | None) -> dict:
    return {
        "task": loaded.task,
        "device_kind": loaded.device.type,
        "device_name": torch.cuda.get_device_name(loaded.device) if loaded.device.type == "cuda" else None,
        "dtype": loaded.dtype,
        "load_s": loaded.load_s,
        "runtime_mib": loaded.runtime_mib,
        "weights_mib": loaded.weights_mib,
        "load_peak_mib": loaded.load_peak_mib,
        "reserved_mib": None,
        "limits": limits,
        "foreign_cores": None,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def _stage(name: str, split: tuple[float, float] | None, peak: float | None) -> dict:
    if split is None:
        return {}
    return {"stage": name, "anonymous_mib": split[0], "file_mib": split[1], "peak_mib": max(peak or 0.0, sum(split))}


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


class _Runs:
    """The runs of a job, one after another."""

    def __init__(self, job: dict, loaded: Loaded, new_tokens: int, limits: dict | None) -> None:
        self.loaded, self.new_tokens, self.limits, self.repeats = loaded, new_tokens, limits, job.get("repeats")
        self.pairs = [(batch, length) for length in job["sequence_lengths"] for batch in job["batch_sizes"]]
        self.energy = EnergyCounter(loaded.device.type, loaded.device.index or 0)
        self.done: list[dict] = []
        self.inputs_note: str | None = None
        self._work: list[tuple[dict, Work]] = []

    def measure_all(self, report: Report) -> None:
        for place, (batch, length) in enumerate(self.pairs):
            report.progress(0.3 + 0.5 * place / len(self.pairs), f"Measuring batch size {batch} with {length} tokens")
            run = self._measure_one(batch, length)
            self.done.append(run)
            report.part(runs=[run])

    def _measure_one(self, batch: int, length: int) -> dict:
        run: dict[str, Any] = {"batch_size": batch, "sequence_length": length, "dtype": self.loaded.dtype}
        run["unit"] = unit_of(self.loaded)
        start_peak(self.loaded)
        try:
            workload = Workload(self.loaded, batch, length, self.new_tokens)
            self.inputs_note = workload.inputs_note
            start_j = self.energy.joules()
            calls = repeat(workload, self.repeats)
            end_j = self.energy.joules()
        except JobError as error:
            return {**run, "error": f"Not run: {error}."}
        except (RuntimeError, MemoryError) as error:
            give_back(self.loaded, error)
            return {**run, "error": f"Out of memory: {' '.join(str(error).split())[:300]}"}
        run |= _memory(self.loaded) | _figures(workload, calls, batch)
        if start_j is not None and end_j is not None:
            run["energy_j"] = (end_j - start_j) / (len(calls) + 1)  # the warm-up call is within
        self._work.append((run, Work.of(workload, calls)))
        return run

    def count_work(self) -> None:
        """Count the operations once a length, on the smallest batch: the work grows with the batch in proportion."""
        gflop_of_one: dict[int, float | None] = {}
        for place, (run, work) in enumerate(self._work):
            batch, length = run["batch_size"], run["sequence_length"]
            if length not in gflop_of_one:
                smallest = min(each["batch_size"] for each, _ in self._work if each["sequence_length"] == length)
                counted = count_gflop(Workload(self.loaded, smallest, length, self.new_tokens).prefill)
                gflop_of_one[length] = None if counted is None else counted / smallest
            one = gflop_of_one[length]
            self._work[place] = run, work._replace(gflop=None if one is None else one * batch)
        self._judge()

    def judge_again(self, limits: dict | None) -> None:
        """Take the better of two probes: a device that was disturbed during the first one reaches more than it said."""
        self.limits = better_of(self.limits, limits)
        self._judge()

    def forget_disturbed_limits(self) -> bool:
        """Drop limits that a run went well beyond."""
        disturbed = drop_implausible_shares(self.done)
        self.limits = None if disturbed else self.limits
        return disturbed

    def _judge(self) -> None:
        for run, work in self._work:
            run |= work.shares(self.limits, self.loaded.dtype)


def repeat(workload: Workload, repeats: int | None) -> list[Call]:
    """Warm up once, then repeat until the median's interval is tight or the time is used; slow calls are repeated less."""
    warm = workload.call().total_s
    if repeats is not None:
        return [workload.call() for _ in range(repeats)]
    calls: list[Call] = []
    start = time.perf_counter()
    enough = next((count for count in (_MIN_REPEATS, 3) if warm * count < _SLOW_RUN_S), 1)
    while len(calls) < _MAX_REPEATS:
        calls.append(workload.call())
        if len(calls) < enough:
            continue
        if time.perf_counter() - start > _RUN_S:
            break
        if len(calls) % _ENOUGH_REPEATS == 0 and is_tight([call.total_s for call in calls], _TIGHT):
            break
    return calls


def _figures(workload: Workload, calls: list[Call], batch: int) -> dict[str, Any]:
    times = [1000 * call.total_s for call in calls]
    median = statistics.median(times)
    low, high = median_interval(times) if len(times) >= _MIN_REPEATS else (None, None)
    figures: dict[str, Any] = {
        "repeats": len(times),
        "latency_min_ms": min(times),
        "latency_max_ms": max(times),
        "latency_p50_ms": median if len(times) >= 3 else None,
        "latency_p50_low_ms": low,
        "latency_p50_high_ms": high,
        "latency_p95_ms": quantile(times, 0.95) if len(times) >= _MIN_REPEATS else None,
        "latency_p99_ms": quantile(times, 0.99) if len(times) >= _ENOUGH_REPEATS else None,
        "throughput_per_s": 1000 * workload.units / median,
    }
    return figures | _token_figures(calls, batch)


def _token_figures(calls: list[Call], batch: int) -> dict[str, Any]:
    first = [call.first_s for call in calls if call.first_s is not None]
    if not first:
        return {}
    figures: dict[str, Any] = {
        "time_to_first_token_ms": 1000 * statistics.median(first),
        "cache_mib": calls[-1].cache_mib,
    }
    averages = [statistics.fmean(call.steps_s) for call in calls if call.steps_s]
    if averages:
        step_s, steps = statistics.median(averages), [step for call in calls for step in call.steps_s]
        figures |= {"inter_token_latency_ms": 1000 * step_s, "tokens_per_s": batch / step_s}
        if len(steps) >= _ENOUGH_REPEATS:
            figures["inter_token_latency_p95_ms"] = 1000 * quantile(steps, 0.95)
    return figures


def _vary(job: dict, runs: _Runs, report: Report) -> tuple[list[dict], list[dict]]:
    """The sweeps that were asked for, on the largest combination that ran."""
    wanted = job.get("vary") or []
    ran = [(run["batch_size"], run["sequence_length"]) for run in runs.done if not run.get("error")]
    if not wanted or not ran:
        return [], []
    batch, length = max(ran, key=lambda pair: pair[0] * pair[1])

    def make(loaded: Loaded, batch: int, length: int) -> Workload:
        return Workload(loaded, batch, length, runs.new_tokens)

    return (
        measure_variants(wanted, runs.loaded, (batch, length), make, report),
        measure_largest(wanted, runs.loaded, (batch, length), make, report),
    )


def _memory(loaded: Loaded) -> dict[str, float]:
    """The peak of a run that has just ended; what of it are pages of files hardly changes meanwhile."""
    peak, split = peak_of(loaded), split_mib()
    if split is None or loaded.device.type == "cuda":
        return {"peak_memory_mib": peak}
    return {"peak_memory_mib": peak, "peak_anonymous_mib": peak - split[1], "peak_file_mib": split[1]}
