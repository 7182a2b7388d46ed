"""Small real models, and a real hub on loopback."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from tools.hub import forget_reachability
from tools.mirrors import bundled_folder
from tools.model_sources import ModelSources

pytest.register_assert_rewrite("tests.tools.file_verdicts")


def _hub_module():
    path = Path(__file__).parent.parent / "hub_server.py"
    spec = importlib.util.spec_from_file_location("hub_server", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["hub_server"] = module
    spec.loader.exec_module(module)
    return module


TINY_CONFIG = {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 2, "vocab_size": 20, "max_position_embeddings": 12, "type_vocab_size": 2, "transformers_version": "4.50.0",
}  # fmt: skip
TINY_CARD = """---
license: apache-2.0
language: en
base_model: org/base
---
# Tiny

## Direct Use
Small tests of the tools.

## Bias, Risks, and Limitations
[More Information Needed]
"""


def tiny_tensors(config=None, dtype=np.float32):
    """Tensors of a two-layer BERT."""
    sizes = config or TINY_CONFIG
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    tensors = {
        "embeddings.word_embeddings.weight": (sizes["vocab_size"], hidden),
        "embeddings.position_embeddings.weight": (sizes["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (2, hidden),
        "embeddings.LayerNorm.weight": (hidden,),
    }
    for layer in range(sizes["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            tensors[f"{prefix}.attention.self.{part}.weight"] = (hidden, hidden)
        tensors[f"{prefix}.attention.output.dense.weight"] = (hidden, hidden)
        tensors[f"{prefix}.intermediate.dense.weight"] = (inner, hidden)
        tensors[f"{prefix}.output.dense.weight"] = (hidden, inner)
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in tensors.items()}


def tiny_files(**changes):
    """The files of a small sound model; changes replace or (None) remove files, with `__` for `.`."""
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "model": {"type": "WordPiece", "vocab": {f"t{each}": each for each in range(20)}},
    }
    files = {
        "config.json": json.dumps(TINY_CONFIG).encode(),
        "tokenizer.json": json.dumps(tokenizer).encode(),
        "tokenizer_config.json": b'{"model_max_length": 12}',
        "README.md": TINY_CARD.encode(),
        "model.safetensors": save(tiny_tensors(), {"format": "pt"}),
    }
    for name, content in changes.items():
        files[name.replace("__", ".")] = content
    return {name: content for name, content in files.items() if content is not None}


def larger_files(mark="", vocabulary=8_000):
    """The files of a sound model whose weights take a few megabytes to fetch; a mark makes them others."""
    config = {**TINY_CONFIG, "hidden_size": 64, "intermediate_size": 128, "vocab_size": vocabulary}
    weights = save(tiny_tensors(config), {"format": "pt", "mark": mark})
    return tiny_files(config__json=json.dumps(config).encode(), model__safetensors=weights)


def write_files(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def tiny_folder(tmp_path):
    """A folder with a small sound model."""
    return write_files(tmp_path / "tiny", tiny_files())


@pytest.fixture
def offline():
    """Sources without a hub: only what comes with the installation."""
    return ModelSources(offline=True)


@pytest.fixture
def hub():
    """A running hub."""
    forget_reachability()
    with _hub_module().HubServer() as server:
        yield server
    forget_reachability()


@pytest.fixture
def hub_sources(hub, tmp_path):
    """Sources that name the running hub and an empty cache."""
    return ModelSources(endpoint=hub.endpoint, cache_dir=tmp_path / "cache")


@pytest.fixture(scope="session")
def bundled_copy(tmp_path_factory):
    """A writable copy of the bundled model without its large weights."""
    folder = tmp_path_factory.mktemp("bundled") / "copy"
    shutil.copytree(bundled_folder(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    return folder


@pytest.fixture
def make_files():
    """The function that makes a small model's files."""
    return tiny_files


@pytest.fixture
def make_larger_files():
    """The function that makes the files of a model of a few megabytes."""
    return larger_files


@pytest.fixture
def write():
    """The function that writes files into a folder."""
    return write_files
