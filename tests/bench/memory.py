"""How far the memory forecast is from the kernel's peak, over architectures, number formats and batches.

The sizes are others than those that the forecast's factors were fitted on, and so are some of the families.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.architectures import ARCHITECTURES, build
from tests.bench.home import BenchHome
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.model_sources import ModelSources
from tools.profiling import profile_model

DTYPES = ("float32", "bfloat16")
RUNS = ((1, 128), (8, 256))
"""Batch size and sequence length; each in a process of its own."""
MEDIAN, WORST, UNDER = 0.03, 0.10, 0.05


def measure(home: BenchHome) -> list[Result]:
    """Build every architecture, measure every case in a fresh process, and compare."""
    families = list(ARCHITECTURES)[:1] if home.quick else list(ARCHITECTURES)
    errors: dict[str, float] = {}
    for family in families:
        folder = build(family, home.folder / "architectures")
        for dtype in DTYPES:
            for batch, length in RUNS:
                errors[f"{family} {dtype} {batch}x{length}"] = _error(folder, dtype, batch, length)
        shutil.rmtree(folder)
    sizes = [abs(error) for error in errors.values()]
    conditions = (
        f"{len(families)} architectures with random weights, {' and '.join(DTYPES)}, batch and tokens "
        f"{' and '.join(f'{b} x {n}' for b, n in RUNS)}; forecast from the files alone against the kernel's peak of a fresh "
        "process each"
    )
    detail = {name: round(error, 4) for name, error in errors.items()}
    common = {"unit": "share", "n": len(errors), "spread": quantiles(sizes), "conditions": conditions}
    return [
        Result(
            name="memory.median", title="Memory forecast: median error", value=rounded(quantile(sizes, 0.5)), goal=MEDIAN,
            detail=detail, **common,
        ),
        Result(name="memory.worst", title="Memory forecast: largest error", value=rounded(max(sizes)), goal=WORST, **common),
        Result(
            name="memory.under", title="Memory forecast: most that was forecast too little",
            value=rounded(max(0.0, -min(errors.values()))), goal=UNDER, **common,
        ),
    ]  # fmt: skip


def _error(folder: Path, dtype: str, batch: int, length: int) -> float:
    profile = profile_model(
        str(folder), device="cpu", dtype=dtype, batch_sizes=[batch], sequence_lengths=[length], new_tokens=4,
        sources=ModelSources(offline=True),
    )  # fmt: skip
    if profile.forecast_error_percent is None:
        raise RuntimeError(f"no forecast for {folder.name}")
    return profile.forecast_error_percent / 100
