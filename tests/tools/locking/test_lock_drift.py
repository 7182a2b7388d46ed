"""A locked model that is no longer what it was is told so, file by file and by what the change means."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from tools.hub import forget_reachability
from tools.locking.check import check_lock
from tools.locking.drift import check_model, installed_libraries
from tools.locking.records import Lock


def tokenizer_with(files, change):
    content = json.loads(files["tokenizer.json"])
    change(content)
    return json.dumps(content).encode()


def one_more_piece(content):
    content["model"]["vocab"]["extra"] = 20


@pytest.fixture
def state(lock_path, offline):
    """The function that checks an entry without a hub."""
    return lambda entry, sources=offline: check_model(entry, lock_path, sources=sources)


def relu(files):
    return json.dumps(json.loads(files["config.json"]) | {"hidden_act": "relu"}).encode()


def told(state):
    texts = {}
    for change in state.drifts:
        texts[change.file] = " ".join((texts.get(change.file, ""), change.description, *change.details))
    return texts


# --- in a folder ------------------------------------------------------------------------------------------------------


def test_what_did_not_change_is_the_same(tiny_folder, locked, offline, state):
    found = state(locked(str(tiny_folder), offline))
    assert (found.state, found.drifts, found.source, found.libraries) == ("same", (), "folder", ())


def test_the_bundled_model_is_locked_and_found_again(locked, offline, state):
    entry = locked("all-MiniLM-L6-v2", offline)
    assert (entry.fingerprint.vocabulary_size, entry.fingerprint.tensors, entry.licence.spdx) == (
        30_522,
        104,
        "Apache-2.0",
    )
    assert (state(entry).state, state(entry).source) == ("same", "mirror")


@pytest.mark.parametrize(
    ("changes", "file", "says", "risk"),
    [
        ({"tokenizer__json": one_more_piece}, "tokenizer.json", "has 21 pieces instead of 20", "high"),
        ({"config__json": {"hidden_act": "relu"}}, "config.json", "`hidden_act`, the activation function: added, `relu`", "high"),
        ({"config__json": {"transformers_version": "5.0.0"}}, "config.json", "No entry that matters", "low"),
        ({"chat_template__jinja": b"{{ messages }}"}, "chat_template.jinja", "now there is one", "high"),
        ({"README__md": b"---\nlicense: mit\n---\n# Tiny\n"}, "README.md", "is `MIT` instead of `Apache-2.0`", "high"),
        ({"README__md": b"---\nlicense: apache-2.0\n---\n# Other\n"}, "README.md", "content changed, from", "low"),
        ({"LICENSE": b"Permission is hereby granted, free of charge"}, "LICENSE", "added", "high"),
        ({"generation_config__json": b'{"temperature": 0.9}'}, "generation_config.json", "`temperature`", "medium"),
        ({"README__md": None}, "README.md", "No licence is stated any more; it was `Apache-2.0`", "high"),
        ({"tokenizer__json": None}, "tokenizer.json", "missing", "high"),
    ],
)  # fmt: skip
def test_a_change_is_told_by_its_meaning(
    tmp_path, make_files, write, locked, offline, state, changes, file, says, risk
):
    before = make_files()
    folder = write(tmp_path / "tiny", before)
    entry = locked(str(folder), offline)
    made = {}
    for name, change in changes.items():
        if callable(change):
            change = tokenizer_with(before, change)
        elif isinstance(change, dict):
            change = json.dumps(json.loads(before["config.json"]) | change).encode()
        made[name] = change
    shutil.rmtree(folder)
    write(folder, make_files(**made))
    found = state(entry)
    assert found.state == "drifted"
    assert says in told(found)[file]
    assert {change.file: change.risk for change in found.drifts}[file] == risk
    assert "tameshi lock" in found.next_step


def test_weights_of_other_values_and_of_another_type_are_told_apart(
    tmp_path, make_files, write, locked, offline, state
):
    files = make_files()
    folder = write(tmp_path / "tiny", files)
    entry = locked(str(folder), offline)
    tensors = load(files["model.safetensors"])
    write(folder, {"model.safetensors": save({k: v + 1 for k, v in tensors.items()}, {"format": "pt"})})
    assert "Tensors, shapes and types are the same" in told(state(entry))["model.safetensors"]
    write(folder, {"model.safetensors": save({k: v.astype(np.float16) for k, v in tensors.items()}, {"format": "pt"})})
    assert "stored as `F16` instead of `F32`" in told(state(entry))["model.safetensors"]


def test_T15_a_file_replaced_by_a_link_is_told(tiny_folder, tmp_path, locked, offline, state):
    entry = locked(str(tiny_folder), offline)
    shutil.move(tiny_folder / "config.json", tmp_path / "elsewhere.json")
    (tiny_folder / "config.json").symlink_to(tmp_path / "elsewhere.json")
    found = state(entry)
    assert "a link out of the model's folder" in told(found)["config.json"]
    assert found.drifts[0].risk == "high"


def test_T22_the_same_size_and_time_do_not_hide_other_content(tiny_folder, locked, offline, state):
    entry = locked(str(tiny_folder), offline)
    path = tiny_folder / "config.json"
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"hidden_size": 8', b'"hidden_size": 9'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "from `8` to `9`" in told(state(entry))["config.json"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("adapter_model.safetensors", save({"a": np.zeros(1, np.float32)})), ("pytorch_model.bin", pickle.dumps({"a": print})),
     ("modeling_tiny.py", b"import os\n"), ("model-00001-of-00002.safetensors", save({"a": np.zeros(1, np.float32)}))],
)  # fmt: skip
def test_weights_and_programs_that_were_added_are_told(tiny_folder, locked, offline, state, name, content):
    entry = locked(str(tiny_folder), offline)
    (tiny_folder / name).write_bytes(content)
    found = state(entry)
    assert found.state == "drifted"
    assert "It was added." in told(found)[name]
    assert {change.file: change.risk for change in found.drifts}[name] == "high"


def test_weights_that_lay_beside_it_from_the_start_are_no_drift(tiny_folder, locked, offline, state):
    (tiny_folder / "onnx").mkdir()
    (tiny_folder / "onnx" / "model.onnx").write_bytes(b"\x08\x07")
    entry = locked(str(tiny_folder), offline)
    assert entry.other_files == ("onnx/model.onnx",)
    assert state(entry).state == "same"


def test_what_the_inspection_refuses_now_is_said(tiny_folder, locked, offline, state):
    entry = locked(str(tiny_folder), offline)
    (tiny_folder / "model.safetensors").write_bytes(pickle.dumps({"a": print}))
    refusal = state(entry).drifts
    assert any("pickle" in change.description for change in refusal)


def test_a_folder_that_is_not_there_cannot_be_checked(tiny_folder, locked, offline, state):
    entry = locked(str(tiny_folder), offline)
    shutil.rmtree(tiny_folder)
    found = state(entry)
    assert (found.state, found.source) == ("unavailable", None)
    assert "is not there" in found.reason
    assert found.next_step


def test_other_library_versions_are_no_drift(tiny_folder, locked, offline, state):
    entry = locked(str(tiny_folder), offline)
    assert entry.libraries == installed_libraries()
    entry = entry.model_copy(update={"libraries": entry.libraries | {"transformers": "4.0.0"}})
    found = state(entry)
    assert found.state == "same"
    assert [(each.name, each.locked) for each in found.libraries] == [("transformers", "4.0.0")]


def test_one_changed_bit_of_any_file_is_drift_of_that_file(tiny_folder, locked, offline, state):
    (tiny_folder / "LICENSE").write_text("Permission is hereby granted, free of charge")
    entry = locked(str(tiny_folder), offline)
    for file in entry.files:
        path = tiny_folder / file.name
        whole = path.read_bytes()
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        assert file.name in told(state(entry)), file.name
        path.write_bytes(whole)
    assert state(entry).state == "same"


# --- on the hub and in its cache --------------------------------------------------------------------------------------


def test_a_name_that_stands_for_other_content_is_drift(hub, hub_sources, make_files, locked, lock_path):
    files = make_files()
    old = hub.commit("org/tiny", files)
    entry = locked("org/tiny", hub_sources)
    assert (entry.commit, entry.source, entry.pinned) == (old, "hub", False)
    same = check_model(entry, lock_path, sources=hub_sources, ask_hub=True)
    assert (same.state, same.found_commit, same.source) == ("same", old, "hub")
    new = hub.commit("org/tiny", make_files(tokenizer__json=tokenizer_with(files, one_more_piece)))
    found = check_model(entry, lock_path, sources=hub_sources, ask_hub=True)
    assert (found.state, found.found_commit) == ("drifted", new)
    assert [change.kind for change in found.drifts] == ["tokenizer"]
    assert old in found.next_step
    offline = check_model(entry, lock_path, sources=hub_sources)
    assert (offline.state, offline.source) == ("same", "cache")


def test_a_pinned_reference_stays_what_it_is(hub, hub_sources, make_files, locked, lock_path):
    old = hub.commit("org/tiny", make_files())
    entry = locked(f"org/tiny@{old}", hub_sources)
    hub.commit("org/tiny", make_files(README__md=b"# other\n"))
    assert entry.pinned
    assert check_model(entry, lock_path, sources=hub_sources, ask_hub=True).state == "same"


def test_without_the_old_files_the_fingerprint_tells_the_meaning(hub, hub_sources, make_files, locked, lock_path):
    files = make_files()
    hub.commit("org/tiny", files)
    entry = locked("org/tiny", hub_sources)
    shutil.rmtree(hub_sources.cache_dir)
    hub.commit("org/tiny", make_files(tokenizer__json=tokenizer_with(files, one_more_piece)))
    found = check_model(entry, lock_path, sources=hub_sources, ask_hub=True)
    assert told(found)["tokenizer.json"].endswith("The tokenizer has 21 pieces instead of 20.")


def test_the_same_commit_with_other_bytes_is_drift(hub, hub_sources, make_files, locked, lock_path):
    hub.commit("org/tiny", make_files())
    entry = locked("org/tiny", hub_sources)
    hub.repositories["org/tiny"].commits[-1].files["config.json"] = relu(make_files())
    found = check_model(entry, lock_path, sources=hub_sources, ask_hub=True)
    assert (found.state, found.found_commit) == ("drifted", entry.commit)
    assert [change.file for change in found.drifts] == ["config.json"]


def test_a_cache_that_follows_the_branch_is_checked_by_what_it_would_load(
    hub, hub_sources, make_files, locked, lock_path
):
    from tools.fetching import fetch_model

    hub.commit("org/tiny", make_files())
    entry = locked("org/tiny", hub_sources)
    new = hub.commit("org/tiny", make_files(config__json=relu(make_files())))
    fetch_model("org/tiny", sources=hub_sources)
    found = check_model(entry, lock_path, sources=hub_sources)
    assert (found.state, found.source, found.found_commit) == ("drifted", "cache", new)


def test_a_mirror_of_the_same_content_stands_in(hub, hub_sources, make_files, write, locked, lock_path, tmp_path):
    hub.commit("org/tiny", make_files())
    entry = locked("org/tiny", hub_sources)
    write(tmp_path / "mirror" / "org" / "tiny", make_files())
    elsewhere = hub_sources.model_copy(update={"cache_dir": tmp_path / "empty", "mirrors": (tmp_path / "mirror",)})
    found = check_model(entry, lock_path, sources=elsewhere)
    assert (found.state, found.source) == ("same", "mirror")
    assert hub.requests
    asked = len(hub.requests)
    check_model(entry, lock_path, sources=elsewhere)
    assert len(hub.requests) == asked, "without the option the hub is not asked"


@pytest.mark.parametrize(("fault", "expected"), [(500, "unavailable"), (403, "unavailable"), (404, "drifted")])
def test_T21_a_hub_that_fails_is_no_drift_and_a_model_that_vanished_is(
    hub, hub_sources, make_files, locked, lock_path, fault, expected
):
    hub.commit("org/tiny", make_files())
    entry = locked("org/tiny", hub_sources)
    hub.fail("/api/models/org/tiny", fault)
    found = check_model(entry, lock_path, sources=hub_sources, ask_hub=True)
    assert found.state == expected
    assert found.reason
    assert found.next_step


def test_a_hub_that_is_away_is_no_drift(hub, hub_sources, make_files, locked, lock_path):
    hub.commit("org/tiny", make_files())
    entry = locked("org/tiny", hub_sources)
    forget_reachability()
    away = hub_sources.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    found = check_model(entry, lock_path, sources=away, ask_hub=True)
    assert (found.state, found.source) == ("unavailable", None)
    assert "could not be reached" in found.reason


def test_the_worst_model_decides_and_a_missing_one_is_no_failure(tiny_folder, locked, offline, lock_path):
    good = locked(str(tiny_folder), offline)
    away = good.model_copy(update={"reference": str(Path(tiny_folder).with_name("away"))})
    bad = good.model_copy(update={"reference": str(tiny_folder.parent), "files": good.files[:1]})
    assert check_lock(Lock(models=(good,)), lock_path, sources=offline).verdict == "passed"
    assert check_lock(Lock(models=(good, away)), lock_path, sources=offline).verdict == "unavailable"
    assert check_lock(Lock(models=(good, away, bad)), lock_path, sources=offline).verdict == "failed"
