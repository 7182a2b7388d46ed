"""How far the speed forecast, made from the files and the machine's probe, is from the measured time, over six models.

Their sizes are others than those that the forecast's factors were fitted on, and so are some of the families.
"""

from __future__ import annotations

import shutil

from tests.bench.architectures import build
from tests.bench.home import BenchHome
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.model_sources import ModelSources
from tools.profiling import Profile, profile_model

FAMILIES = ("bert", "llama", "qwen3", "gpt_neox", "vit")
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
DTYPES = ("float32", "bfloat16")
BATCHES, LENGTH, NEW_TOKENS = (1, 8), 128, 16
MEDIAN, WORST = 0.15, 0.30


def measure(home: BenchHome) -> list[Result]:
    """Profile every model, whose record holds the forecast beside the measurement, and compare."""
    errors = {f"MiniLM {name}": error for name, error in _errors(MINILM).items()}
    for family in () if home.quick else FAMILIES:
        folder = build(family, home.folder / "architectures")
        errors |= {f"{family} {name}": error for name, error in _errors(str(folder)).items()}
        shutil.rmtree(folder)
    sizes = [abs(error) for error in errors.values()]
    conditions = (
        f"MiniLM and {len(FAMILIES)} architectures with random weights, {' and '.join(DTYPES)}, batches of "
        f"{' and '.join(map(str, BATCHES))}, {LENGTH} tokens, {NEW_TOKENS} new ones where text is generated; forecast of the "
        "whole call against its median time, the probe made right before"
    )
    common = {"unit": "share", "n": len(errors), "spread": quantiles(sizes), "conditions": conditions}
    detail = {name: round(error, 4) for name, error in errors.items()}
    return [
        Result(
            name="speed.median", title="Speed forecast: median error", value=rounded(quantile(sizes, 0.5)), goal=MEDIAN,
            detail=detail, **common,
        ),
        Result(name="speed.worst", title="Speed forecast: largest error", value=rounded(max(sizes)), goal=WORST, **common),
    ]  # fmt: skip


def _errors(model: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for dtype in DTYPES:
        profile = profile_model(
            model, device="cpu", dtype=dtype, batch_sizes=BATCHES, sequence_lengths=[LENGTH], new_tokens=NEW_TOKENS,
            sources=ModelSources(offline=True),
        )  # fmt: skip
        found |= {f"{dtype} {run.batch_size}": _error(profile, place) for place, run in enumerate(profile.runs)}
    return found


def _error(profile: Profile, place: int) -> float:
    run = profile.runs[place]
    if run.forecast_latency_ms is None or run.latency_p50_ms is None:
        raise RuntimeError(f"no forecast for {profile.model}")
    return run.forecast_latency_ms / run.latency_p50_ms - 1
