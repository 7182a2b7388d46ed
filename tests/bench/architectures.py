"""Models of real architectures with random weights, a few tens of millions of parameters each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DECODER = {
    "hidden_size": 640, "intermediate_size": 1728, "num_hidden_layers": 6, "num_attention_heads": 10, "num_key_value_heads": 5,
    "head_dim": 64, "vocab_size": 24000, "max_position_embeddings": 2048, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2,
}  # fmt: skip
ENCODER = {
    "hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 10, "num_attention_heads": 8, "vocab_size": 24000,
    "max_position_embeddings": 514,
}  # fmt: skip
EXPERTS = {"num_hidden_layers": 4, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 512}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    # family: how it is built, and its sizes
    "llama": ("AutoModelForCausalLM", DECODER),
    "qwen3": ("AutoModelForCausalLM", DECODER | {"tie_word_embeddings": True}),
    "gemma3_text": ("AutoModelForCausalLM", DECODER | {"sliding_window": 128}),
    "mistral": ("AutoModelForCausalLM", DECODER | {"sliding_window": 128}),
    "phi3": ("AutoModelForCausalLM", DECODER),
    "gpt_neox": ("AutoModelForCausalLM", ENCODER | {"max_position_embeddings": 2048}),
    "qwen3_moe": ("AutoModelForCausalLM", DECODER | EXPERTS),
    "mamba": ("AutoModelForCausalLM", {"hidden_size": 640, "num_hidden_layers": 8, "vocab_size": 24000}),
    "bert": ("AutoModel", ENCODER),
    "modernbert": ("AutoModel", ENCODER | {"intermediate_size": 768, "num_hidden_layers": 12, "pad_token_id": 0}),
    "xlm-roberta": ("AutoModelForSequenceClassification", ENCODER | {"vocab_size": 100_000}),
    "electra": ("AutoModelForTokenClassification", ENCODER | {"embedding_size": 512}),
    "t5": ("AutoModelForSeq2SeqLM", {"d_model": 640, "d_kv": 64, "d_ff": 1280, "num_layers": 5, "num_heads": 10,
           "decoder_start_token_id": 0}),
    "vit": ("AutoModelForImageClassification", {"hidden_size": 512, "intermediate_size": 2048, "num_attention_heads": 8}),
}  # fmt: skip


def build(family: str, folder: Path) -> Path:
    """Write a model of this family in the bench's size; its folder."""
    return build_sized(family, *ARCHITECTURES[family], folder)


def build_sized(family: str, auto: str, sizes: dict[str, Any], folder: Path) -> Path:
    """Write a model with random weights.

    Args:
        family: The `model_type`.
        auto: How it is built.
        sizes: Keys of its configuration.
        folder: Where its folder is made.

    Returns:
        Its folder, which has the family's name.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(family, **sizes)
    target = folder / family
    getattr(transformers, auto).from_config(config).save_pretrained(target)
    return target
