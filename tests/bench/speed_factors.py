"""Fits the factors of the speed forecast on this machine and prints them; `tools/memory/speed_forecast.py` holds the result.

The models have other sizes than those of the bench, and so are most of the families.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

from tests.bench.architectures import build_sized
from tools.file_safety.file_view import FolderView
from tools.memory.model_shape import read_shape
from tools.memory.speed_forecast import IdealTimes
from tools.model_sources import ModelSources
from tools.profiling import Profile, profile_model
from tools.weight_files import snapshot_tensors

DTYPES, BATCHES, LENGTHS, NEW_TOKENS = ("float32", "bfloat16"), (1, 6), (48, 200), 12
_WORDS = {"vocab_size": 16000, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 1024}
_SMALL = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 8, "num_attention_heads": 6}
_WIDE = {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 4, "num_attention_heads": 16}
_MIDDLE = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "num_attention_heads": 12}
_GROUPED = {"num_key_value_heads": 4, "head_dim": 64}
_DECODER, _ENCODER = "AutoModelForCausalLM", "AutoModel"
MODELS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("llama", _DECODER, _WORDS | _SMALL),
    ("llama", _DECODER, _WORDS | _WIDE | _GROUPED),
    ("qwen3", _DECODER, _WORDS | _MIDDLE | _GROUPED | {"tie_word_embeddings": True}),
    ("olmo2", _DECODER, _WORDS | _MIDDLE),
    ("gpt_neox", _DECODER, _WORDS | _SMALL),
    ("gpt_neox", _DECODER, _WORDS | _WIDE),
    ("phi", _DECODER, _WORDS | _MIDDLE),
    ("stablelm", _DECODER, _WORDS | _SMALL | {"num_key_value_heads": 6}),
    ("gpt2", _DECODER, {"vocab_size": 16000, "n_embd": 384, "n_layer": 8, "n_head": 6}),
    ("gpt2", _DECODER, {"vocab_size": 16000, "n_embd": 768, "n_layer": 5, "n_head": 12}),
    ("opt", _DECODER, _WORDS | _MIDDLE | {"ffn_dim": 2048, "word_embed_proj_dim": 768}),
    ("bert", _ENCODER, _WORDS | _SMALL),
    ("bert", _ENCODER, _WORDS | _WIDE),
    ("roberta", _ENCODER, _WORDS | _MIDDLE | {"max_position_embeddings": 1026}),
    ("modernbert", _ENCODER, _WORDS | _SMALL | {"intermediate_size": 576}),
    ("vit", "AutoModelForImageClassification", _SMALL),
    ("vit", "AutoModelForImageClassification", _MIDDLE),
)


class _Sample(NamedTuple):
    ideal_s: dict[str, float]
    measured_s: float
    what: str


Samples = dict[tuple[str, str], list[_Sample]]
"""By pass and number format."""


def collect(folder: Path) -> Samples:
    """Build and profile every model.

    Args:
        folder: Where the models are written for a while.
    """
    samples: Samples = defaultdict(list)
    for family, auto, sizes in MODELS:
        model = build_sized(family, auto, sizes, folder)
        for dtype in DTYPES:
            profile = profile_model(
                str(model), device="cpu", dtype=dtype, batch_sizes=BATCHES, sequence_lengths=LENGTHS,
                new_tokens=NEW_TOKENS, sources=ModelSources(offline=True),
            )  # fmt: skip
            _add(samples, profile, model)
        shutil.rmtree(model)
        print(f"{family} {sizes.get('hidden_size') or sizes['n_embd']} measured", file=sys.stderr)
    return samples


def _add(samples: Samples, profile: Profile, folder: Path) -> None:
    view = FolderView(folder)
    shape, limits = read_shape(view), profile.limits
    ideal = None if limits is None else IdealTimes.read(snapshot_tensors(view), shape, limits, profile.dtype)
    if ideal is None:
        raise RuntimeError(f"not covered: {folder.name}")
    for run in profile.runs:
        tokens, what = shape.tokens_of(run.sequence_length), f"{folder.name} {run.batch_size}x{run.sequence_length}"
        forward_ms = run.time_to_first_token_ms or run.latency_p50_ms
        if forward_ms:
            sample = _Sample(ideal.forward_s(run.batch_size, tokens), forward_ms / 1000, what)
            samples["forward", profile.dtype].append(sample)
        if run.inter_token_latency_ms:
            step = ideal.step_s(run.batch_size, tokens + NEW_TOKENS // 2)
            samples["step", profile.dtype].append(_Sample(step, run.inter_token_latency_ms / 1000, what))


def fit(samples: list[_Sample]) -> dict[str, float]:
    """The non-negative factors with the least squared relative error.

    Args:
        samples: Ideal parts and the measured whole.
    """
    names = list(samples[0].ideal_s)
    rows = np.array([[each.ideal_s[name] / each.measured_s for name in names] for each in samples])
    scale = rows.max(axis=0)
    scale[scale == 0] = 1.0
    factors, _ = nnls(rows / scale, np.ones(len(samples)))
    return {name: float(f"{factor:.3g}") for name, factor in zip(names, factors / scale, strict=True)}


def main() -> None:
    """Collect, fit, print."""
    with tempfile.TemporaryDirectory() as folder:
        samples = collect(Path(folder))
    for key, found in samples.items():
        factors = fit(found)
        errors = {
            each.what: sum(factors[name] * value for name, value in each.ideal_s.items()) / each.measured_s - 1
            for each in found
        }
        sizes = sorted(abs(error) for error in errors.values())
        print(*key, json.dumps(factors))
        print(f"  median {sizes[len(sizes) // 2]:.3f}, worst {max(errors.items(), key=lambda item: abs(item[1]))}")


if __name__ == "__main__":
    main()
