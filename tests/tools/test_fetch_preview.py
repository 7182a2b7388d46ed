"""The look before a download: one verdict with the reason, before the bytes."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from tools.errors import AccessDenied, ModelNotFound, SourceUnavailable, UnsafeModel, UnsupportedModel
from tools.fetch_preview import preview_fetch
from tools.fetching import fetch_model

WEIGHTS = "model.safetensors"
OTHER_FRAMEWORKS = {
    "pytorch_model.bin": b"\x80\x02}q\x00.", "tf_model.h5": bytes(30_000), "flax_model.msgpack": bytes(20_000),
    "onnx/model.onnx": bytes(10_000), "openvino/openvino_model.bin": bytes(10_000), "picture.png": bytes(5_000),
}  # fmt: skip


def bytes_sent(hub, name):
    """How many bytes of a file were asked for."""
    total = 0
    for method, path, headers in hub.requests:
        if method == "GET" and path.endswith(name):
            first, _, last = headers["range"].removeprefix("bytes=").partition("-")
            total += int(last) - int(first) + 1
    return total


def about(preview):
    return [(reason.about, reason.forbids) for reason in preview.reasons]


def test_a_sound_model_is_go_with_its_figures_and_without_its_weights(hub, hub_sources, make_larger_files):
    files = make_larger_files(vocabulary=40_000)
    commit = hub.commit("org/larger", files)
    started = time.perf_counter()
    preview = preview_fetch("org/larger", sources=hub_sources)
    assert time.perf_counter() - started < 1.0
    assert (preview.verdict, preview.reasons, preview.commit) == ("go", (), commit)
    assert (preview.needed_files, preview.needed_bytes) == (len(files), sum(map(len, files.values())))
    assert preview.download_bytes == preview.needed_bytes
    assert preview.parameters == 40_000 * 64 + sum_of_other_parameters(files)
    assert preview.memory_forecast_mib > 0
    assert (preview.licence, preview.safety, preview.access) == ("Apache-2.0", "accept", "open")
    assert bytes_sent(hub, WEIGHTS) <= 65_536 < len(files[WEIGHTS])
    assert not hub_sources.cache_dir.exists()
    fetch_model("org/larger", sources=hub_sources)
    assert preview_fetch("org/larger", sources=hub_sources).download_bytes == 0


def sum_of_other_parameters(files):
    header = json.loads(files[WEIGHTS][8 : 8 + int.from_bytes(files[WEIGHTS][:8], "little")])
    shapes = [entry["shape"] for name, entry in header.items() if name not in {"__metadata__", EMBEDDING}]
    return sum(shape[0] * (shape[1] if len(shape) == 2 else 1) for shape in shapes)


EMBEDDING = "embeddings.word_embeddings.weight"


def test_the_same_weights_for_other_frameworks_stay_where_they_are(hub, hub_sources, make_larger_files):
    files = make_larger_files()
    hub.commit("org/many", files | OTHER_FRAMEWORKS)
    preview = preview_fetch("org/many", sources=hub_sources)
    assert (preview.needed_files, preview.unneeded_files) == (len(files), len(OTHER_FRAMEWORKS))
    assert preview.unneeded_bytes == sum(map(len, OTHER_FRAMEWORKS.values()))
    assert (preview.verdict, preview.safety) == ("go_but", "flag")
    snapshot = fetch_model("org/many", sources=hub_sources)
    assert {file.name for file in snapshot.files} == set(files)


@pytest.mark.parametrize(
    ("changes", "reason", "error"),
    [
        ({WEIGHTS: None, "pytorch_model.bin": b"\x80\x02cos\nsystem\nq\x00."}, "safety", UnsafeModel),
        ({"config.json": b"{"}, "safety", UnsafeModel),
        ({WEIGHTS: None, "model.gguf": b"GGUF\x03\x00\x00\x00" + bytes(16)}, "weights", UnsupportedModel),
    ],
)  # fmt: skip
def test_what_the_fetch_would_refuse_is_no(hub, hub_sources, make_larger_files, changes, reason, error):
    files = {name: content for name, content in (make_larger_files() | changes).items() if content is not None}
    hub.commit("org/bad", files)
    preview = preview_fetch("org/bad", sources=hub_sources)
    assert (preview.verdict, about(preview)[0]) == ("no", (reason, True))
    assert preview.reasons[0].found
    assert preview.next_step == preview.reasons[0].next_step != ""
    with pytest.raises(error) as caught:
        fetch_model("org/bad", sources=hub_sources)
    assert caught.value.message == preview.reasons[0].found


def test_T21_a_disk_without_space_is_no(hub, hub_sources, make_larger_files, monkeypatch):
    hub.commit("org/larger", make_larger_files())
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))
    preview = preview_fetch("org/larger", sources=hub_sources)
    assert (preview.verdict, about(preview)[0], preview.disk_free_bytes) == ("no", ("disk", True), 1000)
    with pytest.raises(SourceUnavailable, match="MiB free"):
        fetch_model("org/larger", sources=hub_sources)
    assert not list(hub_sources.cache_dir.rglob("*.safetensors"))


def test_too_little_memory_and_an_unclear_licence_are_told_first(hub, hub_sources, make_larger_files):
    files = make_larger_files()
    files["README.md"] = b"---\nlicense: cc-by-nc-4.0\n---\n# x\n"
    hub.commit("org/larger", files)
    preview = preview_fetch("org/larger", sources=hub_sources, device_memory_gib=0.1)
    assert (preview.verdict, about(preview)) == ("go_but", [("memory", False), ("licence", False)])
    assert preview.memory_forecast_mib > preview.memory_there_mib == 102.4
    assert preview.licence == "CC-BY-NC-4.0"


def test_T20_a_gated_model_is_no_without_and_but_with_a_login(hub, hub_sources, make_larger_files):
    hub.commit("org/larger", make_larger_files())
    hub.restrict("org/larger", "hf_secret", gated="manual")
    without = preview_fetch("org/larger", sources=hub_sources)
    assert (without.verdict, about(without), without.access) == ("no", [("access", True)], "gated")
    assert "hf auth login" in without.next_step
    with pytest.raises(AccessDenied):
        fetch_model("org/larger", sources=hub_sources)
    granted = preview_fetch("org/larger", sources=hub_sources.model_copy(update={"token": "hf_secret"}))
    assert (granted.verdict, about(granted)) == ("go_but", [("access", False)])


def test_what_is_here_already_can_be_looked_at_too(tiny_folder, offline):
    preview = preview_fetch(str(tiny_folder), sources=offline)
    assert (preview.source, preview.download_bytes, preview.access) == ("folder", 0, None)
    with pytest.raises(ModelNotFound):
        preview_fetch("./nowhere", sources=offline)
