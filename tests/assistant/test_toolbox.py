"""The toolbox runs a tool and what it rests on, stores the records, and reports every step."""

from __future__ import annotations

import inspect
import json

import pytest
from pydantic import BaseModel, ConfigDict

from assistant import tool_catalogue
from assistant.agent_tools import DESCRIPTIONS, langchain_tools
from assistant.services import Services
from assistant.settings import Settings
from assistant.tool_catalogue import RECORDS
from assistant.toolbox import CallScope, Toolbox, read_record
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def services(data_folder):
    built = Services(Settings(home=data_folder, offline=True))
    yield built
    built.close()


@pytest.fixture
def run(services):
    """The function that runs a tool and returns its evidence and the events."""
    box = Toolbox(services)

    def call(name, user="local", cancel=None, **arguments):
        events = []
        scope = CallScope(user=user, conversation="c", cancel=cancel or CancelToken())
        return box.run(name, arguments, scope, events.append), events

    return call


def story(events):
    return [(event.kind.removeprefix("tool_"), event.name) for event in events if event.kind != "tool_progress"]


def test_every_tool_has_a_record_a_description_and_a_langchain_tool():
    tools = langchain_tools(lambda name, arguments: ("", None))
    assert list(RECORDS) == [tool.name for tool in tools]
    assert set(DESCRIPTIONS) == set(RECORDS)
    assert all(tool.description == DESCRIPTIONS[tool.name] for tool in tools)


@pytest.mark.parametrize("record", RECORDS.values(), ids=list(RECORDS))
def test_records_are_frozen_and_closed(record):
    assert issubclass(record, BaseModel)
    config: ConfigDict = record.model_config
    assert config.get("frozen") is True
    assert config.get("extra") == "forbid"


@pytest.mark.parametrize("name", RECORDS)
def test_no_tool_takes_a_switch_for_foreign_code(name):
    function = tool_catalogue.function_of(name)
    assert "trust_remote_code" not in inspect.signature(function).parameters


def test_a_record_is_stored_and_reported(run, services):
    evidence, events = run("check_version", model=MINILM)
    assert story(events) == [("started", "check_version"), ("finished", "check_version")]
    assert events[-1].evidence_id == evidence.id == "E1"
    stored = services.store.get("E1", user="local")
    assert stored.arguments == {"model": MINILM}
    assert read_record(stored) == events[-1].record
    assert isinstance(events[-1].record, RECORDS["check_version"])


@pytest.mark.parametrize(
    "name", ["fetch_model", "inspect_files", "estimate_memory", "check_version", "check_documentation"]
)
def test_a_record_survives_being_stored(run, name):
    evidence, events = run(name, model=MINILM)
    assert read_record(evidence) == events[-1].record
    assert json.loads(json.dumps(evidence.record)) == evidence.record


def test_an_expected_failure_is_told_and_nothing_is_stored(run, services):
    evidence, events = run("fetch_model", model="nobody/nothing-here")
    assert evidence is None
    assert story(events) == [("started", "fetch_model"), ("failed", "fetch_model")]
    assert events[-1].message
    assert events[-1].next_step
    assert services.store.find(user="local") == []


def test_a_bug_is_not_swallowed(run, monkeypatch):
    monkeypatch.setattr("tools.version.check_version", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("check_version", model=MINILM)


def test_an_unknown_tool_is_an_expected_failure(run):
    evidence, events = run("rm_rf", model=MINILM)
    assert evidence is None
    assert "rm_rf" in events[-1].message
    assert "fetch_model" in events[-1].next_step


def test_a_cancelled_step_does_not_begin(run, services):
    token = CancelToken()
    token.cancel()
    evidence, events = run("profile_model", model=MINILM, cancel=token)
    assert evidence is None
    assert story(events) == [("started", "profile_model"), ("failed", "profile_model")]
    assert services.store.find(user="local") == []


def test_what_a_comparison_rests_on_is_run_first_and_only_once(run, tiny_model):
    models = [tiny_model(name="one"), tiny_model("---\nlicense: mit\n---\n# Other\n", name="two")]
    needed = ["estimate_memory", "check_documentation"] * 2
    evidence, events = run("compare_models", models=models)
    assert [name for kind, name in story(events) if kind == "finished"] == [*needed, "compare_models"]
    assert evidence.tool == "compare_models"
    _, again = run("compare_models", models=models)
    assert [name for kind, name in story(again) if kind == "finished"] == ["compare_models"]


def test_evidence_of_other_files_does_not_count(run, tiny_model):
    folder = tiny_model()
    run("compare_models", models=[MINILM, folder])
    with open(f"{folder}/README.md", "a", encoding="utf-8") as card:  # noqa: PTH123 (a path as text)
        card.write("\nOne more line.\n")
    run("fetch_model", model=folder)
    _, events = run("compare_models", models=[MINILM, folder])
    assert [n for k, n in story(events) if k == "finished"] == [
        "estimate_memory",
        "check_documentation",
        "compare_models",
    ]


def test_T27_another_users_evidence_does_not_count(run):
    run("compare_models", user="alice", models=[MINILM, MINILM])
    _, events = run("compare_models", user="mallory", models=[MINILM])
    assert ("finished", "estimate_memory") in story(events)


def test_a_plan_of_a_model_without_files_ends_at_the_first_step(run, services):
    evidence, events = run("plan_adoption", model="nobody/nothing-here")
    assert evidence is None
    assert ("failed", "inspect_files") in story(events)
    assert {name for _, name in story(events)} == {"plan_adoption", "inspect_files"}
    assert services.store.find(user="local") == []


def test_a_plan_of_a_model_with_refused_files_says_no_and_fetches_nothing(run, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    evidence, events = run("plan_adoption", model=str(folder))
    assert evidence.record["verdict"] == "no"
    assert story(events) == [
        ("started", "plan_adoption"),
        ("started", "inspect_files"),
        ("finished", "inspect_files"),
        ("finished", "plan_adoption"),
    ]


def test_progress_stays_between_none_and_all(run):
    _, events = run("fetch_model", model=MINILM)
    fractions = [event.fraction for event in events if event.kind == "tool_progress"]
    assert fractions
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1


def test_langchain_gives_the_model_and_no_more():
    seen = []

    def note(name, arguments):
        seen.append((name, arguments))
        return "", None

    profile = next(tool for tool in langchain_tools(note) if tool.name == "profile_model")
    profile.invoke({"model": MINILM, "batch_sizes": [65536], "trust_remote_code": True})
    assert seen == [("profile_model", {"model": MINILM})]
