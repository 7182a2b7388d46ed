"""Forecasts from files alone, checked against formulas and against MiniLM."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.errors import InvalidArgument, UnsafeModel
from tools.memory import estimate_memory, total_of
from tools.memory.model_shape import shape_from
from tools.memory.terms import Plan
from tools.model_sources import ModelSources
from tools.weight_files import TensorInfo, WeightHeader

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32000,
    "hidden_act": "silu",
}


def term(terms, name):
    return next(each for each in terms if each.name == name)


def header(dtype="F32", shards=(4_000_000,)):
    tensors = {
        f"t{n}": TensorInfo(dtype=dtype, shape=(size // 4,), start=0, end=size, file=f"{n}.safetensors")
        for n, size in enumerate(shards)
    }
    count = sum(size // 4 for size in shards)
    return WeightHeader(
        tensors=tensors,
        parameters_by_dtype={dtype: count},
        metadata={},
        header_bytes=10,
        data_bytes=sum(shards),
        files=tuple(f"{n}.safetensors" for n in range(len(shards))),
    )


def test_minilm_terms_add_up():
    forecast = estimate_memory(MINILM, batch_size=32, device_memory_gib=2, sources=OFFLINE)
    assert forecast.dtype == "float32"
    assert forecast.parameters == 22_713_216
    assert term(forecast.terms, "weights").mib == pytest.approx(86.6, abs=0.1)
    assert [each.name for each in forecast.terms] == ["runtime", "weights", "activations"]
    assert forecast.total_mib == pytest.approx(sum(each.mib for each in forecast.terms))
    assert forecast.fits
    assert forecast.margin_mib == pytest.approx(2048 - forecast.total_mib)
    best = forecast.largest_batch_that_fits
    assert estimate_memory(MINILM, batch_size=best, device_memory_gib=2, sources=OFFLINE).fits
    assert not estimate_memory(MINILM, batch_size=best + 1, device_memory_gib=2, sources=OFFLINE).fits


def test_a_cast_peaks_above_the_files_own_format():
    kept = estimate_memory(MINILM, sources=OFFLINE)
    cast = estimate_memory(MINILM, dtype="bfloat16", sources=OFFLINE)
    assert term(cast.terms, "load_peak").mib == pytest.approx(86.6, abs=0.1)
    assert cast.total_mib > kept.total_mib


def test_nothing_fits_a_tiny_device():
    forecast = estimate_memory(MINILM, device_memory_gib=0.1, sources=OFFLINE)
    assert forecast.fits is False
    assert forecast.margin_mib < 0
    assert forecast.largest_batch_that_fits == 0


def test_key_value_cache_counts_grouped_heads():
    plan = Plan(header("BF16"), shape_from(LLAMA), "bfloat16", 1000, 24)
    assert term(plan.terms(4), "kv_cache").mib == pytest.approx(2 * 32 * 8 * 128 * 1024 * 4 * 2 / 2**20)


def test_shards_are_cast_one_after_the_other():
    plan = Plan(header("F32", (8 * 2**20, 16 * 2**20)), shape_from(LLAMA), "bfloat16", 128, 0)
    assert term(plan.terms(1), "load_peak").mib == 16


def test_on_a_device_the_libraries_do_not_count():
    terms = Plan(header(), shape_from(LLAMA), "float32", 128, 0).terms(1)
    assert total_of(terms, on_device=True) < total_of(terms) - 300


def test_T08_absurd_sizes_are_not_believed():
    shape = shape_from({**LLAMA, "num_hidden_layers": 10**30, "hidden_size": True, "vocab_size": -1})
    assert (shape.layers, shape.hidden, shape.vocabulary) == (None, None, None)
    plan = Plan(header(), shape, "float32", 128, 0)
    assert [each.name for each in plan.terms(1)] == ["runtime", "weights"]
    assert any("lower bound" in line for line in plan.assumptions())


def test_T11_length_past_the_claimed_positions_is_said():
    forecast = estimate_memory(MINILM, sequence_length=4096, sources=OFFLINE)
    assert any("512 positions" in line for line in forecast.assumptions)


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 0},
        {"batch_size": 65_536},
        {"batch_size": True},
        {"sequence_length": 0},
        {"sequence_length": 10**12},
        {"new_tokens": -1},
        {"dtype": "float8"},
        {"device_memory_gib": 0},
        {"device_memory_gib": float("nan")},
    ],
)
def test_T37_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(InvalidArgument):
        estimate_memory(MINILM, sources=OFFLINE, **arguments)


def test_torch_is_not_imported():
    code = (
        "import sys; from tools.memory import estimate_memory; from tools.model_sources import ModelSources; "
        f"estimate_memory({MINILM!r}, sources=ModelSources(offline=True)); "
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


def test_of_a_model_on_the_hub_nothing_is_downloaded(hub, hub_sources, make_files, tiny_folder):
    commit = hub.commit("org/tiny", make_files())
    forecast = estimate_memory("org/tiny", sources=hub_sources)
    assert (forecast.model, forecast.commit) == ("org/tiny", commit)
    assert forecast.terms == estimate_memory(str(tiny_folder), sources=OFFLINE).terms
    whole = [headers for _, path, headers in hub.requests if path.endswith(".safetensors") and "range" not in headers]
    assert whole == []
    assert list(hub_sources.cache_dir.rglob("*.safetensors")) == []


def test_T01_refused_files_are_not_forecast(hub, hub_sources, make_files):
    hub.commit("org/pickled", make_files(model__safetensors=None, pytorch_model__bin=b"\x80\x04cos\nsystem\n."))
    with pytest.raises(UnsafeModel):
        estimate_memory("org/pickled", sources=hub_sources)
