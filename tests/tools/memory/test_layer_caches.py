"""What layers keep, held against what transformers' own caches hold after real calls."""

from __future__ import annotations

import json

import pytest

from tools.memory.layer_caches import layer_caches, layer_kinds
from tools.memory.model_shape import shape_from

SIZES = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "vocab_size": 50, "max_position_embeddings": 64, "head_dim": 24, "pad_token_id": 0,
}  # fmt: skip
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "n_routed_experts": 4, "num_experts_per_tok": 2}
WINDOW = {"sliding_window": 4}
MAMBA2 = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 8}
DELTA = {
    "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 12,
}  # fmt: skip
LATENT = {
    "kv_lora_rank": 16, "q_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 16, "v_head_dim": 12, "n_group": 1,
    "topk_group": 1, "num_key_value_heads": 4, "moe_intermediate_size": 32, "head_dim": 8,
}  # fmt: skip
GPT = {"n_embd": 64, "n_head": 4, "n_layer": 4, "vocab_size": 50}
FAMILIES = {
    "llama": {},
    "qwen3": {},
    "qwen2": {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2},
    "gpt2": GPT,
    "gpt_bigcode": GPT,
    "mistral": WINDOW,
    "mixtral": WINDOW | EXPERTS,
    "phi3": WINDOW | {"original_max_position_embeddings": 64},
    "gemma2": WINDOW,
    "gemma3_text": WINDOW | {"num_hidden_layers": 7},
    "cohere2": WINDOW,
    "olmo3": WINDOW,
    "exaone4": WINDOW,
    "gpt_oss": WINDOW | EXPERTS,
    "llama4_text": {"attention_chunk_size": 4} | EXPERTS,
    "deepseek_v2": LATENT | EXPERTS,
    "mamba": {"state_size": 8},
    "mamba2": {"num_heads": 8, "head_dim": 16, "state_size": 8, "n_groups": 2, "expand": 2},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 8, "use_mamba_kernels": False} | EXPERTS,
    "bamba": MAMBA2 | {"mamba_n_groups": 1, "attn_layer_indices": [1]},
    "falcon_h1": MAMBA2 | {"mamba_d_ssm": 128},
    "granitemoehybrid": MAMBA2 | {"layer_types": ["mamba", "attention", "mamba", "attention"]},
    "qwen3_next": DELTA | EXPERTS | {"moe_intermediate_size": 32, "shared_expert_intermediate_size": 32},
    "qwen3_5_text": DELTA,
    "lfm2": {"full_attn_idxs": [1, 3], "block_multiple_of": 8},
    "nemotron_h": {
        "hybrid_override_pattern": "M-*E", "mamba_num_heads": 8, "mamba_head_dim": 16, "ssm_state_size": 8, "n_groups": 2,
        "moe_intermediate_size": 32, "moe_shared_expert_intermediate_size": 32,
    } | EXPERTS,
}  # fmt: skip
LISTED = {"layer_types", "layers_block_type", "mlp_layer_types", "no_rope_layers"}
"""Lists that today's files hold and older ones do not."""


@pytest.fixture(scope="module")
def lm():
    """Makes the configuration, as a file would hold it, and the tiny model of a family."""
    transformers = pytest.importorskip("transformers")
    import torch

    def make(family):
        sizes = FAMILIES[family] if FAMILIES[family] is GPT else SIZES | FAMILIES[family]
        config = transformers.AutoConfig.for_model(family, **sizes)
        model = transformers.AutoModelForCausalLM.from_config(config).to(torch.bfloat16).eval()
        return json.loads(config.to_json_string(use_diff=False)), model

    return make


def bytes_kept(model, batch, tokens):
    """What the model's cache holds after a prompt of `tokens` - 1 and one step."""
    import torch

    ids = torch.randint(5, 40, (batch, tokens))
    with torch.no_grad():
        name = "cache_params" if "mamba" in model.config.model_type else "past_key_values"
        first = model(input_ids=ids[:, :-1], use_cache=True)
        second = model(input_ids=ids[:, -1:], use_cache=True, **{name: first[name]})
    total = 0
    for layer in second[name].layers:
        found = [getattr(layer, part, None) for part in ("keys", "values")]
        found += [state for part in ("conv_states", "recurrent_states") for state in getattr(layer, part, {}).values()]
        total += sum(each.nbytes for each in found if each is not None)
    return total


@pytest.mark.parametrize("family", FAMILIES)
def test_the_caches_of_transformers_are_forecast_to_the_byte(lm, family):
    config, model = lm(family)
    caches = layer_caches(config)
    assert caches is not None
    assert sum(each.size_bytes(10, 0, 2) for each in caches) * 3 == bytes_kept(model, batch=3, tokens=10)


@pytest.mark.parametrize("family", [each for each in FAMILIES if each != "granitemoehybrid"])
def test_files_without_a_list_of_layers_mean_the_same(lm, family):
    config, _ = lm(family)
    older = {name: value for name, value in config.items() if name not in LISTED} | FAMILIES[family]
    assert layer_kinds(older) == layer_kinds(config)


def test_shared_layers_keep_nothing():
    config = {**SIZES, "model_type": "gemma3n_text", "num_kv_shared_layers": 2, **WINDOW, "num_hidden_layers": 5}
    assert layer_kinds(config) == ("sliding", "sliding", "sliding", "none", "none")


def test_an_encoder_decoder_keeps_the_source_too():
    config = {
        "is_encoder_decoder": True,
        "d_model": 64,
        "num_layers": 3,
        "num_decoder_layers": 2,
        "num_heads": 4,
        "d_kv": 8,
    }
    own, cross = layer_caches(config)
    assert own.size_bytes(5, 100, 4) == 2 * 2 * 4 * 8 * 5 * 4
    assert cross.size_bytes(5, 100, 4) == 2 * 2 * 4 * 8 * 100 * 4


@pytest.mark.parametrize(
    "config",
    [
        {**SIZES, "layer_types": ["full_attention", "some_attention", "full_attention", "full_attention"]},
        {**SIZES, "layer_types": [{}, [], None, 3]},
        {**SIZES, "model_type": "rwkv"},
        {**SIZES, "num_hidden_layers": 10**9},
        {**SIZES, "num_hidden_layers": -1},
        {**SIZES, "num_attention_heads": None, "num_key_value_heads": None},
        {**SIZES, "layers_block_type": ["mamba"] * 4},
        {},
    ],
)
def test_T08_what_a_configuration_does_not_tell_is_not_guessed(config):
    assert layer_caches(config) is None


def test_the_text_part_of_a_vision_language_model_counts():
    shape = shape_from({"architectures": ["XForConditionalGeneration"], "text_config": {**SIZES, **WINDOW}})
    assert [(each.kind, each.layers) for each in shape.caches] == [("sliding attention", 4)]
