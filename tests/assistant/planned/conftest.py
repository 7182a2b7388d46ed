"""A plan of the bundled model, made once by the real tools, and a copy of it for each test."""

from __future__ import annotations

import sqlite3

import pytest
from typer.testing import CliRunner

from assistant import Assistant, Settings
from assistant.advice.plan_records import AdoptionPlan
from assistant.cli import app
from assistant.evidence import Turn
from assistant.planning import resolve_call
from assistant.services import Services
from assistant.toolbox import CallScope, Toolbox
from tests.assistant.planned.stored import LOAD, MINILM
from tools.progress import CancelToken


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A data folder in which the bundled model was planned once, with all that the plan rests on."""
    home = tmp_path_factory.mktemp("planned")
    services = Services(Settings(home=home, offline=True))
    box, scope = Toolbox(services), CallScope(user="local", conversation="c", cancel=CancelToken())
    # Short inputs, so that the measurement does not last; the plan takes what is stored.
    sizes = {"batch_sizes": [1, 8], "sequence_lengths": [16]}
    box.run("profile_model", {"model": MINILM, **sizes}, scope, lambda event: None)
    arguments = {"model": MINILM, "use_case": "FAQ search", "targets": LOAD}
    evidence = box.run("plan_adoption", arguments, scope, lambda event: None)
    services.close()
    assert evidence is not None
    return home


@pytest.fixture
def home(measured, tmp_path, monkeypatch, guidance_index):
    """A copy of that folder for one test."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "index").symlink_to(guidance_index)
    with sqlite3.connect(measured / "tameshi.sqlite3") as kept, sqlite3.connect(folder / "tameshi.sqlite3") as copy:
        kept.backup(copy)
    monkeypatch.setenv("TAMESHI_HOME", str(folder))
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return folder


@pytest.fixture
def services(home):
    opened = Services(Settings(home=home, offline=True))
    yield opened
    opened.close()


@pytest.fixture
def plan(services):
    """The function that makes the next version of a plan from the stored evidence."""

    def make(use_case="", user="local", **targets) -> AdoptionPlan:
        arguments = {"model": MINILM, "use_case": use_case, "targets": targets}
        call = resolve_call(services, arguments, user)
        from assistant.planning import store_plan

        return AdoptionPlan.model_validate(store_plan(services, call, "c").record)

    return make


@pytest.fixture
def tameshi(home):
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def ask(home):
    """The function that asks in the conversation in which the model was planned, and returns the last event."""
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        yield lambda question: list(assistant.stream(question, conversation="c", user="local"))[-1]


@pytest.fixture
def shown(services):
    """The plan as the last thing that the conversation showed."""
    turn = Turn(question=f"Plan the adoption of {MINILM}", answer="The plan.", tools=("plan_adoption",))
    services.store.add_turn(turn, user="local", conversation="c")
