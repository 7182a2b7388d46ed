"""Tiny real models, written by transformers into a folder once a session."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory):
    """Folders of tiny models by name: `llama` and the recurrent `mamba` (generate), `bert` (embeds), `classifier`."""
    import torch
    import transformers

    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("models")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    bert = transformers.BertConfig(**sizes, vocab_size=64, max_position_embeddings=64)
    llama = transformers.LlamaConfig(
        **sizes, num_key_value_heads=2, vocab_size=64, max_position_embeddings=64, tie_word_embeddings=True
    )
    mamba = transformers.MambaConfig(hidden_size=32, state_size=8, num_hidden_layers=2, vocab_size=64)
    made = {
        "llama": transformers.LlamaForCausalLM(llama),
        "mamba": transformers.MambaForCausalLM(mamba),
        "bert": transformers.BertModel(bert),
        "classifier": transformers.BertForSequenceClassification(bert),
    }
    for name, model in made.items():
        model.save_pretrained(root / name)
    return {name: root / name for name in made}
