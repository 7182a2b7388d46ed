"""Quantized checkpoints: bytes as they stay in memory, parameters one by one, the number format by its name.

Names, types and shapes of the tensors are those that the methods' own libraries write.
"""

from __future__ import annotations

import json

import pytest

from tools.errors import UnsupportedModel
from tools.memory import estimate_memory
from tools.memory.model_shape import shape_from
from tools.memory.stored_weights import read_stored
from tools.memory.terms import Plan
from tools.model_sources import ModelSources
from tools.weight_files import read_header

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 256, "intermediate_size": 512,
    "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 100, "torch_dtype": "bfloat16",
}  # fmt: skip
LAYER = "model.layers.0.self_attn.q_proj"
IN, OUT = 256, 256
PLAIN = 100 * 256 * 2
"""Bytes of the embedding, which no method touches, in 16 bits."""


def write(folder, tensors, quantization, **model):
    """A model folder with these tensors (type and shape by name) and an embedding."""
    import torch
    from safetensors.torch import save_file

    stated = {"model.embed_tokens.weight": ("bfloat16", [100, 256]), **tensors}
    content = {name: torch.zeros(shape, dtype=getattr(torch, dtype)) for name, (dtype, shape) in stated.items()}
    save_file(content, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({**LLAMA, **model, "quantization_config": quantization}))
    return sum(each.numel() * each.element_size() for each in content.values())


GPTQ = (
    {
        f"{LAYER}.qweight": ("int32", [IN // 8, OUT]),
        f"{LAYER}.qzeros": ("int32", [IN // 128, OUT // 8]),
        f"{LAYER}.scales": ("float16", [IN // 128, OUT]),
        f"{LAYER}.g_idx": ("int32", [IN]),
    },
    {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True},
)
GPTQ_3 = (
    {
        f"{LAYER}.qweight": ("int32", [IN * 3 // 32, OUT]),
        f"{LAYER}.qzeros": ("int32", [IN // 128, OUT * 3 // 32]),
        f"{LAYER}.scales": ("float16", [IN // 128, OUT]),
    },
    {"quant_method": "gptq", "bits": 3, "group_size": 128},
)
AWQ = (
    {
        f"{LAYER}.qweight": ("int32", [IN, OUT // 8]),
        f"{LAYER}.qzeros": ("int32", [IN // 128, OUT // 8]),
        f"{LAYER}.scales": ("float16", [IN // 128, OUT]),
    },
    {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"},
)
BNB_4 = (
    {
        f"{LAYER}.weight": ("uint8", [IN * OUT // 2, 1]),
        f"{LAYER}.weight.absmax": ("uint8", [IN * OUT // 64]),
        f"{LAYER}.weight.nested_absmax": ("float32", [IN * OUT // 64 // 256]),
        f"{LAYER}.weight.nested_quant_map": ("float32", [256]),
        f"{LAYER}.weight.quant_map": ("float32", [16]),
        f"{LAYER}.weight.quant_state.bitsandbytes__nf4": ("uint8", [90]),
    },
    {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
)
BNB_8 = (
    {
        f"{LAYER}.weight": ("int8", [OUT, IN]),
        f"{LAYER}.SCB": ("float32", [OUT]),
        f"{LAYER}.weight_format": ("uint8", []),
    },
    {"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False},
)
FP8 = (
    {
        f"{LAYER}.weight": ("float8_e4m3fn", [OUT, IN]),
        f"{LAYER}.weight_scale_inv": ("float32", [OUT // 128, IN // 128]),
    },
    {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128], "activation_scheme": "dynamic"},
)
CT_PACKED = (
    {
        f"{LAYER}.weight_packed": ("int32", [OUT, IN // 8]),
        f"{LAYER}.weight_scale": ("bfloat16", [OUT, IN // 128]),
        f"{LAYER}.weight_shape": ("int64", [2]),
    },
    {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}}},
    },
)
CT_FLOAT = (
    {f"{LAYER}.weight": ("float8_e4m3fn", [OUT, IN]), f"{LAYER}.weight_scale": ("bfloat16", [OUT, 1])},
    {
        "quant_method": "compressed-tensors",
        "format": "float-quantized",
        "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
    },
)
CT_NVFP4 = (
    {
        f"{LAYER}.weight_packed": ("uint8", [OUT, IN // 2]),
        f"{LAYER}.weight_scale": ("float8_e4m3fn", [OUT, IN // 16]),
        f"{LAYER}.weight_global_scale": ("float32", [1]),
        f"{LAYER}.input_global_scale": ("float32", [1]),
    },
    {
        "quant_method": "compressed-tensors",
        "format": "nvfp4-pack-quantized",
        "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}}},
    },
)
EXPERTS = "model.layers.0.mlp.experts.down_proj"
MXFP4 = (
    {
        f"{EXPERTS}_blocks": ("uint8", [2, OUT, IN // 64, 16]),
        f"{EXPERTS}_scales": ("uint8", [2, OUT, IN // 64]),
        f"{EXPERTS}_bias": ("bfloat16", [2, OUT]),
    },
    {"quant_method": "mxfp4", "modules_to_not_convert": ["model.embed_tokens", "lm_head"]},
)


@pytest.mark.parametrize(
    ("checkpoint", "dtype", "weights"),
    [
        pytest.param(GPTQ, "int4", IN * OUT, id="gptq"),
        pytest.param(GPTQ_3, "int3", IN * OUT, id="gptq-3"),
        pytest.param(AWQ, "int4", IN * OUT, id="awq"),
        pytest.param(BNB_4, "nf4", IN * OUT, id="bitsandbytes-4"),
        pytest.param(BNB_8, "int8", IN * OUT, id="bitsandbytes-8"),
        pytest.param(FP8, "float8", IN * OUT, id="fp8"),
        pytest.param(CT_PACKED, "int4", IN * OUT, id="compressed-int4"),
        pytest.param(CT_FLOAT, "float8", IN * OUT, id="compressed-float8"),
        pytest.param(CT_NVFP4, "nvfp4", IN * OUT, id="compressed-nvfp4"),
        pytest.param(MXFP4, "mxfp4", 2 * OUT * IN // 2 + 2 * OUT, id="mxfp4"),
    ],
)
def test_packed_weights_are_counted_one_by_one_and_stay_as_large_as_in_the_files(tmp_path, checkpoint, dtype, weights):
    family = {"model_type": "gpt_oss", "architectures": ["GptOssForCausalLM"]} if dtype == "mxfp4" else {}
    biases = 2 * OUT * 2 if dtype == "mxfp4" else 0
    size_bytes = write(tmp_path, *checkpoint, **family)
    forecast = estimate_memory(str(tmp_path), sequence_length=16, sources=ModelSources(offline=True))
    assert forecast.dtype == dtype
    assert forecast.parameters == weights + 100 * 256
    term = next(each for each in forecast.terms if each.name == "weights")
    assert term.mib == pytest.approx(size_bytes / 2**20, abs=0.06)
    assert term.formula.endswith(f" {PLAIN + biases} bytes of other tensors) / 2^20")
    assert "load_peak" not in [each.name for each in forecast.terms]
    assert any("stay packed" in line for line in forecast.assumptions)


@pytest.mark.parametrize(("checkpoint", "unpacks"), [(FP8, True), (MXFP4, True), (GPTQ, False), (BNB_4, False)])
def test_what_is_unpacked_without_kernels_is_said_with_its_size(tmp_path, checkpoint, unpacks):
    write(tmp_path, *checkpoint)
    header = read_header(tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    lines = Plan(header, shape_from(config), None, 16, 0).assumptions()
    assert any("unpacks the weights while loading" in line for line in lines) is unpacks


def test_computing_is_in_the_stated_format_and_another_format_counts_unpacked_weights(tmp_path):
    write(tmp_path, *GPTQ)
    header = read_header(tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    kept = Plan(header, shape_from({**config, "torch_dtype": "float32"}), None, 16, 0)
    assert kept.compute_bytes == 4
    unpacked = Plan(header, shape_from(config), "bfloat16", 16, 0)
    weights = next(each for each in unpacked.terms(1) if each.name == "weights")
    assert weights.mib == pytest.approx((IN * OUT + 100 * 256) * 2 / 2**20, abs=0.06)
    assert any("unpacked into bfloat16" in line for line in unpacked.assumptions())


def test_packed_weights_without_a_number_of_bits_are_not_guessed(tmp_path):
    write(tmp_path, GPTQ[0], {"quant_method": "gptq"})
    with pytest.raises(UnsupportedModel, match="how many bits"):
        estimate_memory(str(tmp_path), sources=ModelSources(offline=True))


@pytest.mark.parametrize("bits", [True, -4, 10**30, "4", None, 4.0])
def test_T08_absurd_bits_are_not_believed(tmp_path, bits):
    write(tmp_path, GPTQ[0], {"quant_method": "gptq", "bits": bits, "group_size": [1]})
    header = read_header(tmp_path / "model.safetensors")
    with pytest.raises(UnsupportedModel):
        read_stored(header, shape_from(json.loads((tmp_path / "config.json").read_text())))


def test_an_unknown_method_is_said(tmp_path):
    write(tmp_path, {f"{LAYER}.weight": ("uint8", [OUT, IN])}, {"quant_method": "new-method"})
    forecast = estimate_memory(str(tmp_path), sources=ModelSources(offline=True))
    assert any("`new-method` is not known" in line for line in forecast.assumptions)
