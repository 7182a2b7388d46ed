"""How long a profile of the bundled MiniLM takes, three batch sizes, worker and all."""

from __future__ import annotations

import time

from tests.bench.home import BenchHome
from tests.bench.results import Result, quantiles, rounded
from tools.model_sources import ModelSources
from tools.profiling import profile_model

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
BATCH_SIZES = (1, 8, 32)
WALL_S = 12.0
RUNS = 5


def measure(home: BenchHome) -> list[Result]:
    """Profile again and again; each run has a fresh worker process."""
    runs = 1 if home.quick else RUNS
    seconds = [_time_profile() for _ in range(runs)]
    return [
        Result(
            name="profile.wall", title="Profile of MiniLM, batch sizes 1, 8 and 32", value=rounded(max(seconds)),
            unit="s", goal=WALL_S, n=runs, spread=quantiles(seconds),
            conditions="slowest run; sequences of 128 tokens, float32, on the processor, fresh worker for each run, "
            "from the call to the record, no run left out",
        )
    ]  # fmt: skip


def _time_profile() -> float:
    start = time.perf_counter()
    profile = profile_model(MODEL, device="cpu", batch_sizes=BATCH_SIZES, sources=ModelSources(offline=True))
    wall_s = time.perf_counter() - start
    measured = [run.batch_size for run in profile.runs if run.latency_p50_ms is not None]
    if measured != list(BATCH_SIZES):
        raise RuntimeError(f"measured were only the batch sizes {measured}")
    return wall_s
