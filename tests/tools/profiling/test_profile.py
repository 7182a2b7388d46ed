"""Measuring real models: figures hang together, and what cannot be measured is said."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tools.errors import Cancelled, DeviceError, InvalidArgument, OutOfMemory, UnsafeModel, UnsupportedModel
from tools.fetching import fetch_model
from tools.memory import estimate_memory
from tools.model_sources import ModelSources
from tools.profiling import profile, profile_model
from tools.profiling.isolation import run_worker
from tools.profiling.records import ProfileRun
from tools.profiling.report import noise_verdict
from tools.profiling.worker_watch import WorkerLimits
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)


def test_minilm_is_measured():
    seen = []
    record = profile_model(
        MINILM, device="cpu", batch_sizes=[1, 4], sequence_lengths=[16, 600], sources=OFFLINE,
        progress=lambda fraction, message: seen.append(fraction),
    )  # fmt: skip
    assert (record.task, record.device_kind, record.dtype) == ("feature-extraction", "cpu", "float32")
    short, long = record.runs[:2], record.runs[2:]
    for run in short:
        assert run.latency_min_ms <= run.latency_p50_ms <= run.latency_p95_ms <= run.latency_max_ms
        assert run.throughput_per_s == pytest.approx(1000 * run.batch_size / run.latency_p50_ms, rel=0.01)
        assert run.unit == "texts"
    assert all("512 positions" in run.error and run.latency_p50_ms is None for run in long)
    kinds = {each.kind: each.mib for each in record.memory}
    assert kinds["weights"] == pytest.approx(86.65, abs=0.1)
    assert record.peak_memory_mib >= kinds["runtime"]
    assert abs(record.forecast_error_percent) < 20
    assert record.limit_share_percent > 0
    assert record.energy_j is None
    assert record.energy_note
    assert seen == sorted(seen)
    assert record.model_validate_json(record.model_dump_json()) == record


def test_text_generation_is_measured_token_by_token(tiny_models):
    record = profile_model(str(tiny_models["llama"]), device="cpu", batch_sizes=[2], sequence_lengths=[8], new_tokens=4)
    (run,) = record.runs
    assert record.task == "text-generation"
    assert run.unit == "tokens"
    assert run.time_to_first_token_ms < run.latency_p50_ms * 1.5
    assert run.tokens_per_s == pytest.approx(2000 / run.inter_token_latency_ms, rel=0.01)
    assert {each.kind for each in record.memory} >= {"runtime", "weights", "kv_cache"}


def test_a_recurrent_model_hands_its_state_on(tiny_models, offline):
    record = profile_model(str(tiny_models["mamba"]), device="cpu", batch_sizes=[2], sequence_lengths=[8], new_tokens=4)
    (run,) = record.runs
    assert run.error is None
    assert run.tokens_per_s > 0
    cache = next(each.mib for each in record.memory if each.kind == "kv_cache")
    forecast = estimate_memory(
        str(tiny_models["mamba"]), batch_size=2, sequence_length=8, new_tokens=4, sources=offline
    )
    (state,) = [each for each in forecast.terms if each.name == "kv_cache"]
    assert cache == pytest.approx(state.mib, abs=0.06)
    assert "2 layers of recurrent state" in state.formula


def test_other_heads_run_bare(tiny_models):
    record = profile_model(str(tiny_models["classifier"]), device="cpu", batch_sizes=[1], sequence_lengths=[8])
    assert record.task == "text-classification"


def changed_copy(source: Path, target: Path, change) -> Path:
    shutil.copytree(source, target)
    tensors = load_file(target / "model.safetensors")
    save_file(change(tensors), target / "model.safetensors", metadata={"format": "pt"})
    return target


def test_T10_half_the_tensors_give_no_figures(tiny_models, tmp_path, monkeypatch):
    half = changed_copy(
        tiny_models["bert"], tmp_path / "half", lambda t: {k: v for k, v in t.items() if "layer.1" not in k}
    )
    with pytest.raises((UnsupportedModel, UnsafeModel), match="T10"):
        profile_model(str(half), device="cpu", batch_sizes=[1], sequence_lengths=[8])


@pytest.mark.parametrize("fault", ["half", "extra", "shape", "head"])
def test_T10_worker_itself_refuses_dishonest_loads(tiny_models, tmp_path, fault):
    changes = {
        "half": lambda t: {k: v for k, v in t.items() if "layer.1" not in k},
        "extra": lambda t: {**t, "encoder.layer.9.dense.weight": next(iter(t.values())).copy()},
        "shape": lambda t: {k: (v[:10] if "word_embeddings" in k else v) for k, v in t.items()},
        "head": lambda t: {k: v for k, v in t.items() if "classifier" not in k},
    }
    source = tiny_models["classifier" if fault == "head" else "bert"]
    folder = changed_copy(source, tmp_path / fault, changes[fault])
    job = {
        "kind": "profile", "root": str(folder), "device": "cpu", "dtype": "auto", "threads": 1, "new_tokens": 0,
        "batch_sizes": [1], "sequence_lengths": [8],
    }  # fmt: skip
    with pytest.raises(UnsupportedModel, match="T10"):
        run_worker(job)


def test_T05_files_named_like_modules_are_not_run(tiny_models, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_models["bert"], folder)
    for name in ("torch.py", "json.py", "sitecustomize.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    job = {
        "kind": "profile", "root": str(folder), "device": "cpu", "dtype": "auto", "threads": 1, "new_tokens": 0,
        "batch_sizes": [1], "sequence_lengths": [8],
    }  # fmt: skip
    assert run_worker(job)["runs"]
    assert not (tmp_path / "ran").exists()


def test_T22_files_swapped_after_the_check_are_not_loaded(tiny_models, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_models["bert"], folder)
    snapshot = fetch_model(str(folder))
    profile.check_unchanged(snapshot)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}), encoding="utf-8")
    with pytest.raises(UnsafeModel, match="T22"):
        profile.check_unchanged(snapshot)


def test_T24_out_of_memory_says_need_and_supply(monkeypatch):
    monkeypatch.setattr(profile, "WorkerLimits", lambda: WorkerLimits(memory_mib=700))
    with pytest.raises(OutOfMemory, match="forecast"):
        profile_model(MINILM, device="cpu", batch_sizes=[4096], sequence_lengths=[512], sources=OFFLINE)


def test_cancelling_a_profile_stops_it_soon():
    token = CancelToken()
    threading.Timer(1.5, token.cancel).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        profile_model(MINILM, device="cpu", batch_sizes=[64], sequence_lengths=[512], sources=OFFLINE, cancel=token)
    assert time.monotonic() - start < 6


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_sizes": []},
        {"batch_sizes": [65_536]},
        {"batch_sizes": [1.5]},
        {"sequence_lengths": [10**12]},
        {"batch_sizes": list(range(1, 30))},
        {"dtype": "int4"},
        {"new_tokens": -1},
        {"device": "tpu"},
    ],
)
def test_T37_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(InvalidArgument):
        profile_model(MINILM, sources=OFFLINE, **arguments)


def test_noise_verdict_names_its_figures():
    run = ProfileRun(batch_size=1, sequence_length=8, dtype="float32", latency_p50_ms=10, latency_p95_ms=11)
    assert noise_verdict(0.02, (run,)) == (
        "quiet",
        "other programs kept 0.02 cores busy; p95 was at most 1.10 times p50",
    )
    assert noise_verdict(0.8, (run,))[0] == "noisy"
    assert noise_verdict(0.0, (run.model_copy(update={"latency_p95_ms": 20}),))[0] == "noisy"


def test_T39_a_missing_accelerator_is_said_in_one_sentence(tiny_models):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(DeviceError, match="not visible"):
        profile_model(str(tiny_models["bert"]), device="cuda", batch_sizes=[1], sequence_lengths=[8])


@pytest.mark.gpu
def test_minilm_on_an_accelerator():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    record = profile_model(MINILM, device="cuda", sources=OFFLINE)
    assert record.device_kind == "cuda"
    assert record.device_name == torch.cuda.get_device_name(0)
    assert all(run.error is None and run.peak_memory_mib > 80 for run in record.runs)
    assert any(each.kind == "reserved" for each in record.memory)
