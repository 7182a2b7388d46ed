"""A measurement that was made before answers again, as long as nothing that matters differs."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from assistant.llm.turn_schema import read_turn
from assistant.services import Services
from assistant.settings import Settings
from assistant.toolbox import CallScope, Toolbox
from tools.progress import CancelToken


@pytest.fixture
def folder(tiny_model):
    """A small model that a test may change."""
    return Path(tiny_model())


@pytest.fixture
def measure(data_folder, folder):
    """The function that asks for a small measurement, and gives its evidence and the last event."""
    services = Services(Settings(home=data_folder, offline=True))
    box = Toolbox(services)

    def call(user="local", **settings):
        events = []
        scope = CallScope(user=user, conversation="c", cancel=CancelToken())
        arguments = {"model": str(folder), "device": "cpu", "batch_sizes": [1], "sequence_lengths": [8]} | settings
        evidence = box.run("profile_model", arguments, scope, events.append)
        return evidence, events[-1]

    yield call
    services.close()


def test_the_same_call_is_answered_by_the_stored_measurement(measure):
    first, event = measure()
    assert event.age_s is None
    again, event = measure(batch_sizes=(1,), dtype="auto")  # a default that is written out is the same setting
    assert again.id == first.id
    assert event.age_s >= 0
    assert event.record.runs[0].latency_p50_ms == first.record["runs"][0]["latency_p50_ms"]


def test_force_measures_again(measure):
    first, _ = measure()
    again, event = measure(force=True)
    assert again.id != first.id
    assert event.age_s is None
    assert measure()[0].id == again.id  # the newest one answers


def test_other_settings_users_files_and_versions_are_measured(measure, folder, monkeypatch):
    first, _ = measure()
    assert measure(sequence_lengths=[9])[0].id != first.id
    assert measure(user="other")[1].age_s is None
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-6}), encoding="utf-8")
    changed, event = measure()
    assert event.age_s is None
    assert changed.commit != first.commit
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0")
    assert measure()[1].age_s is None


@pytest.mark.parametrize(
    ("question", "again"),
    [
        ("measure org/model again", True),
        ("re-measure org/model please", True),
        ("org/model をもう一度測って", True),
        ("org/model を測り直してほしい", True),
        ("measure org/model", False),
        ("org/model の速度を測って", False),
    ],
)
def test_a_new_measurement_is_asked_for_in_words(question, again):
    arguments = read_turn(question).complete("profile_model", {})
    assert arguments.get("force", False) is again
    assert "force" not in read_turn(question).complete("estimate_memory", {})
