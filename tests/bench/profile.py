"""What a profile of the bundled MiniLM takes beside a bare script, and whether its figures are the script's.

Both measure the same batch sizes, length and number of calls, in turn, each from a fresh process.
"""

from __future__ import annotations

import contextlib
import json
import math
import statistics
import threading
import time
from pathlib import Path

import psutil

from tests.bench.home import BenchHome
from tests.bench.peers import (
    BATCH_SIZES,
    CONDITIONS,
    REPEATS,
    Spent,
    bare_command,
    in_turn_command,
    own_command,
    paired_ratio,
    profile_arguments,
    run_timed,
)
from tests.bench.results import Result, quantiles, rounded
from tools.mirrors import bundled_folder
from tools.model_sources import ModelSources
from tools.profiling import Profile, profile_model
from tools.profiling.fork_server import ForkServer

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
WALL_S, OF_BARE, LATENCY, PEAK = 12.0, 1.1, 0.02, 0.005
PAIRS = 7
TURNS = 15
_POLL_S = 0.005
_LATE_S = 0.03


def measure(home: BenchHome) -> list[Result]:
    """Run everything in turn, and compare within each turn."""
    pairs = 1 if home.quick else PAIRS
    folder = bundled_folder()
    if folder is None:
        raise RuntimeError("the bundled MiniLM is not there")
    arguments = profile_arguments()
    walls: list[float] = []
    own: list[Spent] = []
    bare: list[Spent] = []
    forked: list[float] = []
    with contextlib.closing(ForkServer()) as server:
        server.warm()
        for number in range(pairs):
            walls.append(_time_adaptive())
            if number % 2:
                bare.append(run_timed(bare_command([str(folder), *arguments]), home.folder))
            own.append(run_timed(own_command([MODEL, *arguments]), home.folder))
            if not number % 2:
                bare.append(run_timed(bare_command([str(folder), *arguments]), home.folder))
            forked.append(_time_forked(server))
    return [
        Result(
            name="profile.wall", title="Profile of MiniLM, batch sizes 1, 8 and 32", value=rounded(max(walls)), unit="s",
            goal=WALL_S, n=pairs, spread=quantiles(walls),
            conditions="slowest run; sequences of 128 tokens, float32, on the processor, as many calls as a steady median needs, "
            "fresh worker for each run, from the call to the record, no run left out",
        ),
        paired_ratio("profile.of_bare_wall", "Profile beside a bare script: wall time", own, bare, OF_BARE),
        _forked_ratio(forked, bare),
        _latency(str(folder), home),
        _latency_of_processes(own, bare),
        _peak(1 if home.quick else PAIRS),
    ]  # fmt: skip


def _forked_ratio(forked: list[float], bare: list[Spent]) -> Result:
    ratios = [ours / theirs.wall_s for ours, theirs in zip(forked, bare, strict=True)]
    return Result(
        name="profile.forked_of_bare_wall", title="Profile from the fork server beside a bare script: wall time",
        value=rounded(statistics.median(ratios)), unit="ratio", goal=OF_BARE, n=len(ratios), spread=quantiles(ratios),
        conditions=f"median of paired ratios; {CONDITIONS}; the application is running, as for a question in its chat",
    )  # fmt: skip


def _latency(folder: str, home: BenchHome) -> Result:
    """How far a median inside the harness is from that of the bare loop beside it."""
    turns = 1 if home.quick else TURNS
    spent = run_timed(in_turn_command([folder, *profile_arguments(), str(turns)]), home.folder)
    by_batch: dict[str, list[float]] = json.loads(spent.output.splitlines()[-1])
    ratios = [ratio for each in by_batch.values() for ratio in each]
    return Result(
        name="profile.latency_ratio", title="Latency inside the harness beside a bare loop: distance of the ratio from 1",
        value=rounded(abs(statistics.median(ratios) - 1)), unit="share", goal=LATENCY, n=len(ratios),
        spread=quantiles(ratios), detail={batch: rounded(statistics.median(each)) for batch, each in by_batch.items()},
        conditions=f"median of paired ratios of medians; {CONDITIONS}; in one process in turn, each with a model of its own; "
        "both pool and normalise as the model's files say, the first of a pair changes",
    )  # fmt: skip


def _latency_of_processes(own: list[Spent], bare: list[Spent]) -> Result:
    """The same across processes, which differ by where their memory lies and by what else the machine did."""
    ratios: list[float] = []
    for ours, theirs in zip(own, bare, strict=True):
        loop = json.loads(theirs.output.splitlines()[-1])["latency_ms"]
        runs = {run["batch_size"]: run["latency_p50_ms"] for run in json.loads(ours.output)["runs"]}
        ratios += [runs[batch] / loop[str(batch)] for batch in BATCH_SIZES]
    return Result(
        name="profile.latency_of_processes", title="Latency in a record beside that of a bare script",
        value=rounded(statistics.median(ratios)), unit="ratio", n=len(ratios), spread=quantiles(ratios),
        conditions=f"median of paired ratios of medians; {CONDITIONS}; each from a process of its own, seconds apart",
    )  # fmt: skip


def _time_adaptive() -> float:
    start = time.perf_counter()
    _checked(profile_model(MODEL, device="cpu", batch_sizes=BATCH_SIZES, sources=ModelSources(offline=True)))
    return time.perf_counter() - start


def _time_forked(server: ForkServer) -> float:
    start = time.perf_counter()
    _checked(
        profile_model(
            MODEL, device="cpu", batch_sizes=BATCH_SIZES, repeats=REPEATS, sources=ModelSources(offline=True),
            executor=server,
        )
    )  # fmt: skip
    return time.perf_counter() - start


def _checked(profile: Profile) -> None:
    measured = [run.batch_size for run in profile.runs if run.latency_p50_ms is not None]
    if measured != list(BATCH_SIZES):
        raise RuntimeError(f"measured were only the batch sizes {measured}")


def _peak(runs: int) -> Result:
    """The reported peak beside the kernel's own, read from outside while the worker lives."""
    errors: list[float] = []
    for _ in range(runs):
        with _Watcher() as watcher:
            profile = profile_model(
                MODEL, device="cpu", batch_sizes=[32], repeats=REPEATS, sources=ModelSources(offline=True),
                progress=watcher.note_progress,
            )  # fmt: skip
        errors.append(abs(profile.peak_memory_mib - watcher.run_peak_mib) / watcher.run_peak_mib)
    return Result(
        name="profile.peak_error", title="Reported peak beside the kernel's VmHWM", value=rounded(max(errors)), unit="share",
        goal=PEAK, n=len(errors), spread=quantiles(errors),
        conditions="largest error; one run of batch size 32; VmHWM of the worker, which starts anew with the run, as another "
        "process read it at the run's end",
    )  # fmt: skip


class _Watcher:
    """Reads VmHWM of this process's child, which the worker starts anew with its run, until the run is over."""

    def __init__(self) -> None:
        self._read: list[tuple[float, float]] = []
        self._run_ended = math.inf
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    @property
    def run_peak_mib(self) -> float:
        """What was read last before the word of the run's end, which can be late by some milliseconds."""
        return next(mib for when, mib in reversed(self._read) if when < self._run_ended - _LATE_S)

    def note_progress(self, _: float, message: str) -> None:
        """Hear that the run is over."""
        if message == "Counting operations":
            self._run_ended = time.monotonic()

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        """Looking for the child reads all processes, which is work beside the measurement: once is enough."""
        own, status = psutil.Process(), None
        while not self._over.wait(_POLL_S):
            if status is None:
                status = next((Path(f"/proc/{child.pid}/status") for child in own.children()), None)
                continue
            try:
                lines = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")]
            except OSError:
                continue
            if lines:
                self._read.append((time.monotonic(), int(lines[0].split()[1]) / 1024))
