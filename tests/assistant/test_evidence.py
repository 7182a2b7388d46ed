"""Evidence is stored with its owner, survives a restart, and a damaged database does not stop the application."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel

from assistant.evidence import EvidenceStore, PendingConsent, Turn


class _Record(BaseModel):
    model: str = "org/name"
    commit: str = "abc"
    figure: float = 1.5


def _store(folder):
    return EvidenceStore(f"sqlite:///{folder / 'test.sqlite3'}")


def _add(store, user="a"):
    return store.add(_Record(), user=user, conversation="c", tool="fetch_model", arguments={"model": "org/name"})


@pytest.mark.parametrize("options", ["", "?timeout=10"], ids=["driver", "sqlalchemy"])
def test_ids_count_up_for_each_user(tmp_path, options):
    """A plain SQLite file is opened by Python's driver, an URL with options by SQLAlchemy, as any other database."""
    store = EvidenceStore(f"sqlite:///{tmp_path / 'test.sqlite3'}{options}")
    assert [_add(store).id, _add(store).id, _add(store, user="b").id] == ["E1", "E2", "E1"]


@pytest.mark.parametrize("options", ["", "?timeout=10"], ids=["driver", "sqlalchemy"])
def test_turns_and_consents_are_kept_in_order(tmp_path, options):
    store = EvidenceStore(f"sqlite:///{tmp_path / 'test.sqlite3'}{options}")
    for question in ("first", "second"):
        store.add_turn(Turn(question=question, answer="…", tools=("fetch_model",)), user="a", conversation="c")
    assert [turn.question for turn in store.turns(user="a", conversation="c")] == ["first", "second"]
    store.hold_consent(PendingConsent(id="k", user="a", conversation="c", state={"name": "x"}))
    assert store.take_consent("k", user="b") is None
    taken = store.take_consent("k", user="a")
    assert taken is not None
    assert taken.state == {"name": "x"}
    assert store.take_consent("k", user=None) is None
    store.close()


def test_what_one_driver_wrote_the_other_reads(tmp_path):
    url = f"sqlite:///{tmp_path / 'test.sqlite3'}"
    first, second = EvidenceStore(url), EvidenceStore(f"{url}?timeout=10")
    assert [_add(first).id, _add(second).id, _add(first).id] == ["E1", "E2", "E3"]
    assert [e.id for e in second.find(user="a", tool="fetch_model", limit=2)] == ["E3", "E2"]


def test_evidence_survives_a_restart(tmp_path):
    _add(_store(tmp_path))
    again = _store(tmp_path).get("E1", user="a")
    assert again is not None
    assert again.record == {"model": "org/name", "commit": "abc", "figure": 1.5}


def test_T27_another_users_evidence_and_turns_are_not_found(tmp_path):
    store = _store(tmp_path)
    _add(store)
    store.add_turn(Turn(question="q", answer="a", tools=()), user="a", conversation="c")
    assert store.get("E1", user="b") is None
    assert store.find(user="b") == []
    assert store.turns(user="b", conversation="c") == []
    assert len(store.turns(user="a", conversation="c")) == 1


def test_T32_a_damaged_database_is_set_aside(tmp_path):
    path = tmp_path / "test.sqlite3"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    store = _store(tmp_path)
    assert store.set_aside is not None
    assert store.set_aside.exists()
    assert _add(store).id == "E1"


def test_T32_a_locked_database_is_waited_for(tmp_path):
    store = _store(tmp_path)
    other = sqlite3.connect(tmp_path / "test.sqlite3", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_add, store)
        other.rollback()
        assert waiting.result(timeout=15).id == "E1"


def test_many_writers_get_different_ids(tmp_path):
    store = _store(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: _add(store).id, range(40)))
    assert len(set(ids)) == 40
