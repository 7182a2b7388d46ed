"""What a forward pass holds, by how the layers are built: the names of the tensors and the configuration tell."""

from __future__ import annotations

import pytest

from tools.memory.activations import activations, read_build
from tools.memory.model_shape import shape_from
from tools.memory.terms import RUNTIME_MIB, Plan, total_of
from tools.weight_files import TensorInfo, WeightHeader

BERT = {"architectures": ["BertModel"], "hidden_size": 100, "intermediate_size": 400, "num_attention_heads": 4}
LLAMA = {
    "architectures": ["LlamaForCausalLM"], "hidden_size": 100, "intermediate_size": 300, "num_hidden_layers": 2,
    "num_attention_heads": 4, "vocab_size": 50, "rope_parameters": {"rope_theta": 10000.0}, "hidden_act": "silu",
}  # fmt: skip


def header_of(sizes_bytes, dtype="F32"):
    tensors = {
        name: TensorInfo(dtype=dtype, shape=(size // 4,), start=0, end=size, file="model.safetensors")
        for name, size in sizes_bytes.items()
    }
    total = sum(sizes_bytes.values())
    return WeightHeader(
        tensors=tensors, parameters_by_dtype={dtype: total // 4}, metadata={}, header_bytes=10, data_bytes=total,
        files=("model.safetensors",),
    )  # fmt: skip


def held(config, names=("layer.0.weight",), tokens=10, batch=2, number_bytes=4):
    shape = shape_from(config)
    build = read_build(shape, header_of(dict.fromkeys(names, 4)))
    found = activations(shape, build, tokens, batch, number_bytes)
    return {each.formula.rsplit(" ", 2)[-1]: each.numbers for each in found}


def test_all_grow_with_the_batch_and_all_but_the_scores_with_the_length():
    config = {**LLAMA, "attn_logit_softcapping": 50.0}
    assert sum(held(config, batch=4).values()) == 2 * sum(held(config, batch=2).values())
    short, long = held(config, tokens=10), held(config, tokens=30)
    assert long["scores"] == 9 * short["scores"]
    assert long["states"] == 3 * short["states"]


def test_a_model_that_generates_needs_the_logits_of_one_token_and_a_masked_one_those_of_all():
    assert held(LLAMA)["logits"] == 2 * 50
    assert held({**LLAMA, "architectures": ["BertForMaskedLM"]})["logits"] == 2 * 10 * 50
    assert "logits" not in held(BERT)


@pytest.mark.parametrize(
    ("names", "changes", "factor"),
    [
        (["layer.0.dense.weight"], {}, 2),
        (["layer.0.mlp.gate_proj.weight"], {}, 3),
        (["layer.0.mlp.gate_up_proj.weight"], {}, 3),
        (["layer.0.dense.weight"], {"hidden_act": "gelu_new"}, 10),
    ],
)
def test_the_feed_forward_part_holds_what_its_kind_needs(names, changes, factor):
    assert held({**BERT, **changes}, names)["layers"] == 2 * 10 * factor * 400


def test_a_token_passes_several_experts():
    assert held({**LLAMA, "num_experts_per_tok": 2})["layers"] == 2 * held(LLAMA)["layers"]
    narrow = {**LLAMA, "num_experts_per_tok": 4, "moe_intermediate_size": 100}
    assert held(narrow)["layers"] == 2 * 10 * 3 * 400
    assert held({**LLAMA, "num_experts_per_tok": 10**6})["layers"] == held(LLAMA)["layers"]


def test_queries_in_one_tensor_with_keys_and_values_stay_with_the_cache():
    fused = held(LLAMA, ["h.0.attn.c_attn.weight"])
    assert fused["cache"] == 2 * 10 * 2 * 100
    assert "cache" not in held(LLAMA)


def test_a_scan_writes_the_state_of_every_token_in_float32():
    mamba = {
        "architectures": ["MambaForCausalLM"], "model_type": "mamba", "hidden_size": 100, "expand": 2, "state_size": 16,
        "conv_kernel": 4, "num_hidden_layers": 2, "vocab_size": 50,
    }  # fmt: skip
    assert held(mamba)["scan"] == 2 * 10 * 4 * 200 * 16
    assert held(mamba, number_bytes=2)["scan"] == 2 * held(mamba)["scan"]
    assert "scan" not in held({**mamba, "model_type": "mamba2", "num_heads": 4, "head_dim": 50})


def test_no_width_no_forecast():
    shape = shape_from({"architectures": ["X"]})
    assert activations(shape, read_build(shape, header_of({"a": 4})), 10, 1, 4) is None


def test_experts_that_lie_one_by_one_are_joined_beside_their_files():
    mib = 2**20
    names = {f"layers.{layer}.experts.{expert}.w": mib for layer in range(2) for expert in range(3)}
    header = header_of({"embed": 4 * mib, **names})
    kept = Plan(header, shape_from(LLAMA), "float32", 10, 0).terms(1)
    cast = Plan(header, shape_from(LLAMA), "bfloat16", 10, 0).terms(1)
    assert {each.name: each.mib for each in kept}["joined_experts"] == 6 + 3
    assert {each.name: each.mib for each in cast}["load_peak"] == 10 + 2 * 3
    assert total_of(kept) - total_of(kept, on_device=True) == pytest.approx(RUNTIME_MIB + 9)


def test_experts_in_one_tensor_need_no_copy():
    terms = Plan(header_of({"layers.0.experts.gate_up_proj": 2**20}), shape_from(LLAMA), "float32", 10, 0).terms(1)
    assert "joined_experts" not in {each.name for each in terms}
