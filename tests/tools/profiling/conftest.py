"""Tiny real models, written by transformers into a folder once a session."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tools.profiling.zoo import BUILD

ISOLATED = Path(__file__).parents[3] / "tools" / "profiling" / "isolated"


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


@pytest.fixture(scope="session")
def worker():
    """The worker's own functions in this process: loading, workloads, a child of it, its error, and judging shares."""
    sys.path.append(str(ISOLATED))
    import worker_child
    import worker_errors
    import worker_flops
    import worker_loading
    import worker_workloads

    yield SimpleNamespace(
        load=lambda root: worker_loading.load({"kind": "profile", "root": str(root), "device": "cpu", "dtype": "auto"}),
        Workload=worker_workloads.Workload,
        unit_of=worker_workloads.unit_of,
        in_child=worker_child.in_child,
        JobError=worker_errors.JobError,
        drop_implausible_shares=worker_flops.drop_implausible_shares,
    )
    sys.path.remove(str(ISOLATED))


@pytest.fixture(scope="session")
def task_models(tmp_path_factory):
    """A tiny model of a real architecture by name, with its tokenizer or processor: the folder, written when first asked for."""
    import torch

    root = tmp_path_factory.mktemp("task-models")

    def folder(name: str) -> Path:
        if not (root / name).exists():
            torch.manual_seed(0)
            build, *readers = BUILD[name]
            model = build()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(0.15 * torch.randn_like(parameter))  # fresh models say one token for ever
            model.save_pretrained(root / name)
            for reader in readers:
                reader().save_pretrained(root / name)
        return root / name

    return folder
