"""How large a batch, how long a context, which memory and which number format; and what was measured on this machine."""

from __future__ import annotations

import pytest

from tools.memory import MeasuredHere, estimate_memory
from tools.memory.measured_here import PastForecast
from tools.memory.model_shape import shape_from
from tools.memory.reverse import MEMORY_SIZES_GIB, longest_sequence
from tools.memory.terms import Plan, total_of
from tools.model_sources import ModelSources
from tools.weight_files import TensorInfo, WeightHeader

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)
LLAMA = {
    "architectures": ["LlamaForCausalLM"], "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 16,
    "num_attention_heads": 16, "vocab_size": 32000, "max_position_embeddings": 8192, "rope_theta": 10000.0,
}  # fmt: skip


def plan_of(config, new_tokens=0):
    size = 64 * 2**20
    tensor = TensorInfo(dtype="BF16", shape=(size // 2,), start=0, end=size, file="model.safetensors")
    header = WeightHeader(
        tensors={"t": tensor}, parameters_by_dtype={"BF16": size // 2}, metadata={}, header_bytes=10, data_bytes=size,
        files=("model.safetensors",),
    )  # fmt: skip
    return Plan(header, shape_from(config), None, 128, new_tokens)


@pytest.mark.parametrize("batch", [1, 4])
def test_the_longest_context_fits_and_one_token_more_does_not(batch):
    plan = plan_of(LLAMA)
    length, limit = longest_sequence(plan, batch, 700)
    assert limit == "memory"
    assert 0 < length < 8192
    assert total_of(plan.terms(batch, length)) <= 700 < total_of(plan.terms(batch, length + 1))


def test_the_models_own_positions_end_the_context_and_new_tokens_count_within_them():
    assert longest_sequence(plan_of(LLAMA), 1, 10**6) == (8192, "positions")
    assert longest_sequence(plan_of(LLAMA, new_tokens=192), 1, 10**6) == (8000, "positions")
    assert longest_sequence(plan_of({**LLAMA, "max_position_embeddings": None}), 1, 10**9) == (1_048_576, "search")


def test_where_nothing_fits_no_length_does():
    assert longest_sequence(plan_of(LLAMA), 1, 300) == (0, "memory")


def test_of_images_the_length_makes_no_difference():
    vit = {
        "architectures": ["ViTModel"],
        "hidden_size": 64,
        "intermediate_size": 128,
        "image_size": 224,
        "patch_size": 16,
    }
    assert longest_sequence(plan_of(vit), 1, 10**6) == (None, None)


def test_sizes_of_memory_and_number_formats_stand_side_by_side():
    forecast = estimate_memory(MINILM, batch_size=512, sequence_length=512, sources=OFFLINE)
    assert [each.memory_gib for each in forecast.devices] == list(MEMORY_SIZES_GIB)
    assert forecast.device_total_mib < forecast.total_mib
    smallest = next(each for each in forecast.devices if each.fits_gpu)
    assert forecast.smallest_device_gib == smallest.memory_gib
    assert forecast.smallest_host_gib >= forecast.smallest_device_gib
    weights = {each.dtype: each.weights_mib for each in forecast.by_dtype}
    assert list(weights) == ["float32", "bfloat16", "int8", "int4"]
    assert weights["float32"] == pytest.approx(2 * weights["bfloat16"], abs=0.2)
    assert weights["int8"] == pytest.approx(2 * weights["int4"], abs=0.2)
    same = next(each for each in forecast.by_dtype if each.dtype == forecast.dtype)
    assert (same.total_mib, same.device_total_mib) == (forecast.total_mib, forecast.device_total_mib)


def test_without_a_memory_to_fit_there_is_no_answer_how_long():
    forecast = estimate_memory(MINILM, sources=OFFLINE)
    assert (forecast.longest_sequence_that_fits, forecast.longest_sequence_limit) == (None, None)
    within = estimate_memory(MINILM, device_memory_gib=4, sources=OFFLINE)
    assert (within.longest_sequence_that_fits, within.longest_sequence_limit) == (512, "positions")


def test_a_runtime_measured_here_takes_the_constants_place():
    usual = estimate_memory(MINILM, sources=OFFLINE)
    here = estimate_memory(MINILM, sources=OFFLINE, measured=MeasuredHere(runtime_mib=301.25))
    term = here.terms[0]
    assert (term.name, term.mib) == ("runtime", 301.2)
    assert "on this machine" in term.source
    assert usual.total_mib - here.total_mib == pytest.approx(usual.terms[0].mib - 301.2)
    assert here.device_total_mib == usual.device_total_mib


def test_the_error_is_this_models_own_where_it_was_measured_else_the_median_of_all():
    commit = estimate_memory(MINILM, sources=OFFLINE).commit
    others = (PastForecast("a", -4.0), PastForecast("b", 1.0), PastForecast("c", 2.0))
    none, some, same = (
        estimate_memory(MINILM, sources=OFFLINE, measured=MeasuredHere(forecasts=forecasts))
        for forecasts in ((), others, (*others, PastForecast(commit, -1.5)))
    )
    assert (none.own_error_percent, none.own_error_basis, none.own_error_count) == (None, None, None)
    assert (some.own_error_percent, some.own_error_basis, some.own_error_count) == (2.0, "other_models", 3)
    assert (same.own_error_percent, same.own_error_basis, same.own_error_count) == (-1.5, "same_model", 1)
