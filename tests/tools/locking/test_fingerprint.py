"""What files mean is read from any files at all, and differences are told in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.file_safety.file_view import FolderView
from tools.lock import read_lock, write_lock
from tools.locking.fingerprint import Fingerprint, fingerprint
from tools.locking.fingerprint_changes import compare_fingerprints
from tools.locking.records import Lock

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("x" * 500),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_KEYS = st.sampled_from(
    ["architectures", "model_type", "max_position_embeddings", "rope_scaling", "text_config", "eos_token", "x"]
)
_CONFIGS = st.dictionaries(_KEYS | st.text(max_size=8), _JSON, max_size=6)
_TOKENIZERS = st.fixed_dictionaries({"model": _JSON | st.fixed_dictionaries({"vocab": _JSON}), "added_tokens": _JSON})


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_CONFIGS, _TOKENIZERS, _CONFIGS)
def test_T08_any_config_has_a_fingerprint_that_a_lock_can_hold(
    tmp_path_factory, lock_path, locked_once, config, tokenizer, other
):
    folder = tmp_path_factory.mktemp("any")
    for name, content in (
        ("config", config),
        ("tokenizer", tokenizer),
        ("tokenizer_config", other),
        ("generation_config", other),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    found = fingerprint(FolderView(folder))
    write_lock(Lock(models=(locked_once.model_copy(update={"fingerprint": found}),)), lock_path)
    assert read_lock(lock_path).models[0].fingerprint == found


@pytest.fixture
def locked_once(tiny_folder, locked, offline):
    return locked(str(tiny_folder), offline)


def test_the_same_files_have_the_same_fingerprint(tiny_folder):
    assert fingerprint(FolderView(tiny_folder)) == fingerprint(FolderView(tiny_folder))


def test_a_fingerprint_says_what_the_files_are(tiny_folder):
    found = fingerprint(FolderView(tiny_folder))
    assert (found.architectures, found.model_type, found.dtype) == (("BertModel",), "bert", "F32")
    assert (found.tensors, found.vocabulary_size, found.context_length) == (16, 20, 12)
    assert found.config["hidden_size"] == 8
    assert "transformers_version" not in found.config


@pytest.mark.parametrize(
    ("before", "after", "kind", "says"),
    [
        ({"parameters": 5, "tensors": 1}, {"parameters": None}, "weights", "can no longer be read"),
        ({"parameters": 5, "tensors": 1}, {"parameters": 7, "tensors": 2}, "weights", "7 parameters instead of 5"),
        ({"parameters": 5, "tensors": 2, "dtype": "F32"}, {"parameters": 5, "tensors": 2, "dtype": "BF16", "tensor_table_sha256": "ab" * 32},
         "weights", "`BF16` instead of `F32`"),
        ({"vocabulary_size": 5}, {"vocabulary_size": None}, "tokenizer", "can no longer be read"),
        ({"vocabulary_size": 5, "vocabulary_sha256": "ab" * 32}, {"vocabulary_size": 5, "vocabulary_sha256": "cd" * 32}, "tokenizer", "other ones"),
        ({"vocabulary_size": 5}, {"vocabulary_size": 5}, "tokenizer", "pieces are the same"),
        ({"special_tokens": {"pad_token": "[PAD]"}}, {"special_tokens": {"pad_token": "<pad>"}}, "tokenizer", "from `[PAD]` to `<pad>`"),
        ({}, {"chat_template_sha256": "ab" * 32}, "chat_template", "now there is one"),
        ({"chat_template_sha256": "ab" * 32}, {}, "chat_template", "is gone"),
        ({"chat_template_sha256": "ab" * 32}, {"chat_template_sha256": "cd" * 32}, "chat_template", "another one"),
        ({"config": {"rope_theta": 1e4}}, {"config": {"rope_theta": 1e6}}, "config", "how positions are told apart"),
        ({"generation": {"temperature": 0.7}}, {"generation": {}}, "generation_defaults", "removed"),
    ],
)  # fmt: skip
def test_differences_are_told_in_words(before, after, kind, says):
    found = compare_fingerprints(Fingerprint(**before), Fingerprint(**after))
    assert says in " ".join(found[kind].lines)
