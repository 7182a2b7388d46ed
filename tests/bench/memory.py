"""How far the memory forecast is from the kernel's peak, over architectures, number formats and batches.

The sizes are others than those that the forecast's factors were fitted on, and so are some of the families.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.architectures import ARCHITECTURES, build
from tests.bench.home import BenchHome
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.memory import estimate_memory
from tools.memory.measured_here import MeasuredHere
from tools.model_sources import ModelSources
from tools.profiling import profile_model

DTYPES = ("float32", "bfloat16")
RUNS = ((1, 128), (8, 256))
"""Batch size and sequence length; each in a process of its own."""
NEW_TOKENS = 4
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)
MEDIAN, WORST, UNDER = 0.03, 0.10, 0.05


def measure(home: BenchHome) -> list[Result]:
    """Build every architecture, measure every case in a fresh process, and compare."""
    families = list(ARCHITECTURES)[:1] if home.quick else list(ARCHITECTURES)
    first = profile_model(MINILM, device="cpu", batch_sizes=[1], sources=OFFLINE)
    runtime_mib = next(each.mib for each in first.memory if each.kind == "runtime")
    untold: dict[str, float] = {}
    told: dict[str, float] = {}
    for family in families:
        folder = build(family, home.folder / "architectures")
        for dtype in DTYPES:
            for batch, length in RUNS:
                case = f"{family} {dtype} {batch}x{length}"
                untold[case], told[case] = _errors(folder, dtype, batch, length, runtime_mib)
        shutil.rmtree(folder)
    conditions = (
        f"{len(families)} architectures with random weights, {' and '.join(DTYPES)}, batch and tokens "
        f"{' and '.join(f'{b} x {n}' for b, n in RUNS)}; forecast from the files alone against the kernel's peak of a fresh "
        "process each"
    )
    return [
        *_results("memory", "Memory forecast", untold, f"{conditions}, by a machine that has measured no model yet"),
        *_results(
            "memory.told", "Memory forecast after one profile of another model", told,
            f"{conditions}; what the libraries need alone is known from a profile of MiniLM, as in the application",
        ),
    ]  # fmt: skip


def _results(name: str, title: str, errors: dict[str, float], conditions: str) -> list[Result]:
    sizes = [abs(error) for error in errors.values()]
    detail = {case: round(error, 4) for case, error in errors.items()}
    common = {"unit": "share", "n": len(errors), "spread": quantiles(sizes), "conditions": conditions}
    return [
        Result(
            name=f"{name}.median", title=f"{title}: median error", value=rounded(quantile(sizes, 0.5)), goal=MEDIAN,
            detail=detail, **common,
        ),
        Result(name=f"{name}.worst", title=f"{title}: largest error", value=rounded(max(sizes)), goal=WORST, **common),
        Result(
            name=f"{name}.under", title=f"{title}: most that was forecast too little",
            value=rounded(max(0.0, -min(errors.values()))), goal=UNDER, **common,
        ),
    ]  # fmt: skip


def _errors(folder: Path, dtype: str, batch: int, length: int, runtime_mib: float) -> tuple[float, float]:
    """Of the forecast by a machine that measured nothing yet, and of one that knows what the libraries need alone."""
    profile = profile_model(
        str(folder), device="cpu", dtype=dtype, batch_sizes=[batch], sequence_lengths=[length], new_tokens=NEW_TOKENS,
        sources=OFFLINE,
    )  # fmt: skip
    new_tokens = NEW_TOKENS if profile.runs[0].time_to_first_token_ms else 0
    told = estimate_memory(
        str(folder), dtype, batch, length, new_tokens, sources=OFFLINE,
        measured=MeasuredHere(runtime_mib=runtime_mib),
    )  # fmt: skip
    if profile.forecast_total_mib is None or profile.peak_memory_mib is None:
        raise RuntimeError(f"no forecast for {folder.name}")
    return profile.forecast_total_mib / profile.peak_memory_mib - 1, told.total_mib / profile.peak_memory_mib - 1
