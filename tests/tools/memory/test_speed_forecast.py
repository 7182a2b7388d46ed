"""The speed forecast: grows with the work, covers what it says, and adds up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.device_limits import DeviceLimits
from tools.memory.model_shape import shape_from
from tools.memory.speed_forecast import forecast_speed
from tools.weight_files import TensorInfo, WeightHeader

LIMITS = DeviceLimits(
    copy_gb_per_s=30, matvec_gb_per_s={"float32": 20, "bfloat16": 20}, matmul_gflop_per_s={"float32": 200, "bfloat16": 400},
    call_us=6, probe_s=0.4,
)  # fmt: skip
HIDDEN, INNER, LAYERS, WORDS = 64, 256, 3, 1000
SIZES = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": INNER}
BERT = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": WORDS, **SIZES}
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": WORDS, "rope_theta": 1e4, **SIZES}


def header_of(*, experts: int = 0) -> WeightHeader:
    """Heads of a file with the layers of such a model."""
    shapes = {"model.embed_tokens.weight": (WORDS, HIDDEN)}
    for layer in range(LAYERS):
        stem = f"model.layers.{layer}"
        shapes |= {f"{stem}.self_attn.{part}_proj.weight": (HIDDEN, HIDDEN) for part in "qkvo"}
        inner = [f"{stem}.mlp.experts.{each}" for each in range(experts)] or [f"{stem}.mlp"]
        for name in inner:
            shapes |= {f"{name}.up_proj.weight": (INNER, HIDDEN), f"{name}.down_proj.weight": (HIDDEN, INNER)}
    tensors, place = {}, 0
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        tensors[name] = TensorInfo(dtype="F32", shape=shape, start=place, end=place + size)
        place += size
    return WeightHeader(
        tensors=tensors, parameters_by_dtype={"F32": place // 4}, metadata={}, header_bytes=100, data_bytes=place,
        files=("model.safetensors",),
    )  # fmt: skip


def forecast(config=BERT, *, header=None, limits=LIMITS, **changes):
    settings = {"dtype": "float32", "batch_size": 1, "sequence_length": 128} | changes
    return forecast_speed(header or header_of(), shape_from(config), limits, **settings)


@given(batch=st.integers(1, 512), more=st.integers(1, 64), length=st.integers(1, 4096))
def test_more_work_never_takes_less_time(batch, more, length):
    base = forecast(batch_size=batch, sequence_length=length).latency_ms
    assert forecast(batch_size=batch + more, sequence_length=length).latency_ms >= base
    assert forecast(batch_size=batch, sequence_length=length + more).latency_ms >= base


@given(new_tokens=st.integers(2, 200))
def test_a_generation_is_its_first_token_and_its_steps(new_tokens):
    found = forecast(LLAMA, new_tokens=new_tokens)
    total = found.time_to_first_token_ms + (new_tokens - 1) * found.inter_token_latency_ms
    assert found.latency_ms == pytest.approx(total, rel=0.001)


def test_the_terms_add_up():
    found = forecast()
    terms = [float(part.rsplit(" ", 1)[1]) for part in found.formula.split(" + ")]
    assert sum(terms) == pytest.approx(found.latency_ms, rel=0.02)


def test_a_faster_device_is_forecast_faster():
    twice = LIMITS.model_copy(
        update={"matmul_gflop_per_s": {"float32": 400}, "matvec_gb_per_s": {"float32": 40}, "call_us": 3.0}
    )
    assert forecast(limits=twice).latency_ms == pytest.approx(forecast().latency_ms / 2, rel=0.001)


def test_a_token_passes_few_of_many_experts():
    config = LLAMA | {"num_experts_per_tok": 2}
    dense = forecast(LLAMA, batch_size=64).latency_ms
    many = forecast(config, header=header_of(experts=16), batch_size=64).latency_ms
    assert dense < many < 4 * dense


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (BERT | {"is_encoder_decoder": True}, {}),
        ({"architectures": ["MambaForCausalLM"], "model_type": "mamba", "num_hidden_layers": 3, "hidden_size": 64}, {}),
        (BERT, {"dtype": "float16"}),
        (BERT, {"limits": LIMITS.model_copy(update={"call_us": None})}),
        (BERT, {"limits": LIMITS.model_copy(update={"matvec_gb_per_s": {}})}),
        ({"architectures": ["BertModel"], "model_type": "bert"}, {}),
    ],
)
def test_what_is_not_covered_has_no_forecast(config, changes):
    assert forecast(config, **changes) is None


def test_models_of_several_parts_have_no_forecast():
    header = header_of()
    part = TensorInfo(dtype="F32", shape=(4, 4), start=0, end=64)
    mixed = header.model_copy(update={"tensors": {**header.tensors, "vision_tower.layers.0.proj.weight": part}})
    assert forecast(header=mixed) is None
