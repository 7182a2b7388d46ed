"""A forecast rests on what was measured on this very machine, with these very libraries, where something was."""

from __future__ import annotations

import importlib.metadata

import pytest
from pydantic import BaseModel

from assistant.evidence import EvidenceStore
from assistant.measured_here import measured_here
from assistant.services import Services
from assistant.settings import Settings
from assistant.toolbox import CallScope, Toolbox
from tools.memory import estimate_memory
from tools.model_sources import ModelSources
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
VERSIONS = ", ".join(f"{library} {importlib.metadata.version(library)}" for library in ("torch", "transformers"))


class _Profile(BaseModel):
    """What is read of a measurement."""

    model: str = MINILM
    commit: str = "folder-1"
    device_kind: str = "cpu"
    executor: str = "local"
    ended_early: str | None = None
    memory: tuple[dict, ...] = ({"kind": "runtime", "mib": 333.0}, {"kind": "weights", "mib": 87.0})
    forecast_error_percent: float | None = 1.5
    limits: dict | None = None
    runs: tuple[dict, ...] = ()
    conditions: str = f"a processor, 2 threads, float32, {VERSIONS}; batch 1, 128 tokens"


@pytest.fixture
def store(tmp_path):
    opened = EvidenceStore(f"sqlite:///{tmp_path / 'e.sqlite3'}")
    yield opened
    opened.close()


def add(store, user="local", **changes):
    record = _Profile(**changes)
    return store.add(record, user=user, conversation="c", tool="profile_model", arguments={"model": record.model})


def test_nothing_was_measured(store):
    found = measured_here(store, "local")
    assert found.runtime_mib is None
    assert found.forecasts == ()


def test_the_newest_measurement_gives_the_runtime_and_all_give_errors(store):
    add(store, memory=({"kind": "runtime", "mib": 400.0},), commit="folder-2", forecast_error_percent=-3.0)
    add(store)
    found = measured_here(store, "local")
    assert found.runtime_mib == 333.0
    assert [(each.commit, each.error_percent) for each in found.forecasts] == [("folder-1", 1.5), ("folder-2", -3.0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"device_kind": "cuda"},
        {"executor": "ray"},
        {"ended_early": "cancelled"},
        {"user": "another"},
    ],
)
def test_what_was_measured_elsewhere_or_by_another_does_not_count(store, changes):
    add(store, **changes)
    assert measured_here(store, "local").forecasts == ()
    assert measured_here(store, "local").runtime_mib is None


PROBE = {
    "copy_gb_per_s": 30.0, "matvec_gb_per_s": {"float32": 20.0}, "matmul_gflop_per_s": {"float32": 200.0}, "call_us": 6.0,
    "probe_s": 0.4,
}  # fmt: skip


def test_the_newest_probe_gives_a_speed_forecast_with_its_own_error(store):
    add(store, limits=PROBE | {"call_us": 60.0})
    add(
        store,
        limits=PROBE,
        runs=(
            {"forecast_latency_ms": 12.0, "latency_p50_ms": 10.0},
            {"forecast_latency_ms": 8.8, "latency_p50_ms": 10.0},
            {"forecast_latency_ms": None, "latency_p50_ms": 10.0},
        ),
    )
    found = measured_here(store, "local")
    assert found.limits.call_us == 6.0
    assert found.speed_error_percent == pytest.approx(16.0)
    forecast = estimate_memory(MINILM, batch_size=8, sources=ModelSources(offline=True), measured=found)
    assert forecast.speed.latency_ms > 0
    assert forecast.speed_error_percent == 16.0
    faster = found.model_copy(update={"limits": None})
    assert estimate_memory(MINILM, sources=ModelSources(offline=True), measured=faster).speed is None


def test_another_version_of_a_library_has_another_size(store):
    add(store, conditions="a processor, 2 threads, float32, torch 1.0.0+cpu, transformers 4.0.0; batch 1")
    found = measured_here(store, "local")
    assert found.runtime_mib is None
    assert len(found.forecasts) == 1


def test_the_forecast_of_a_conversation_uses_it_and_says_so(data_folder):
    services = Services(Settings(home=data_folder, offline=True))
    add(services.store)
    scope = CallScope(user="local", conversation="c", cancel=CancelToken())
    evidence = Toolbox(services).run("estimate_memory", {"model": MINILM}, scope, lambda event: None)
    services.close()
    assert evidence is not None
    assert evidence.record["terms"][0]["mib"] == 333.0
    assert "on this machine" in evidence.record["terms"][0]["source"]
    assert (evidence.record["own_error_percent"], evidence.record["own_error_basis"]) == (1.5, "other_models")
