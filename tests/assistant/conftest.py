"""An assistant with a scripted LLM, the real tools, and a small real model that they can run."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest


def _load(name):
    """A module that stands beside the test folders, under its bare name."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent.parent / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


fakes = _load("fakes")
hash_embedder = _load("hash_embedder")
_load("llm_server")
_load("hub_server")


@pytest.fixture(scope="session")
def routing():
    """Example utterances and linear views over hashed words, so that nothing is embedded for minutes."""
    from assistant.llm.pilot_chat import RouteModel

    model = RouteModel()
    model.embedder = hash_embedder.HashEmbedder()
    model.retrieve("once, so that no test waits for it")
    return model


@pytest.fixture
def make_assistant(data_folder, routing):
    """The function that builds an assistant on the test's data folder; without an LLM the settings name it, a list is a script."""
    from assistant import Assistant, Settings

    built = []

    def make(llm=None, /, *, real_pilot=False, **settings):
        model = fakes.ScriptedChat(script=llm) if isinstance(llm, list) else llm
        assistant = Assistant(Settings(home=data_folder, **{"offline": True, **settings}), llm=model)
        assistant.services.route_model = routing
        if not real_pilot:
            assistant._pilot = fakes.StandIn(routing=routing)
        built.append(assistant)
        return assistant

    yield make
    for assistant in built:
        assistant.close()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A running hub that the settings name, with an empty cache; `hub.cache` is its folder."""
    from hub_server import HubServer

    from tools.hub import forget_reachability

    forget_reachability()
    with HubServer() as server:
        server.cache = tmp_path / "cache"
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(server.cache))
        yield server
    forget_reachability()


@pytest.fixture(scope="session")
def _tiny_template(tmp_path_factory):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("template")
    BertModel(
        BertConfig(
            vocab_size=4000, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder)  # fmt: skip
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(3995))]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizerFast", "model_max_length": 64})
    )
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def tiny_model(tmp_path, _tiny_template):
    """The function that writes a small sound BERT with a model card, and returns its path as text."""

    def write(card="---\nlicense: apache-2.0\n---\n# Tiny\n", name="tiny"):
        folder = tmp_path / name
        folder.mkdir()
        for file, content in _tiny_template.items():
            (folder / file).write_bytes(content)
        (folder / "README.md").write_text(card, encoding="utf-8")
        return str(folder)

    return write
