"""A fact about a file is found out once while the file stays as it is, across processes where a place was named."""

from __future__ import annotations

import json
import os

import pytest

from tools import file_facts
from tools.file_facts import fact_of, remember_in


@pytest.fixture
def place(tmp_path):
    yield tmp_path / "home" / "facts"
    remember_in(None)


@pytest.fixture
def settled(tmp_path, monkeypatch):
    """A file that nobody wrote to lately."""
    monkeypatch.setattr(file_facts, "_SETTLED_NS", 0)
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    return file


def test_a_fact_is_found_out_anew_when_the_file_was_written_to(settled):
    assert fact_of("k", settled, settled.read_text) == "one"
    assert fact_of("k", settled, lambda: pytest.fail("known")) == "one"
    assert fact_of("other", settled, lambda: 2) == 2
    settled.write_bytes(b"two")
    os.utime(settled, ns=(1, 1))
    assert fact_of("k", settled, settled.read_text) == "two"


def test_the_next_process_knows_it_too(settled, place):
    remember_in(place)
    fact_of("k", settled, settled.read_text)
    remember_in(None)
    remember_in(place)
    assert fact_of("k", settled, lambda: pytest.fail("known")) == "one"


def test_what_was_just_written_is_not_kept(tmp_path, place):
    remember_in(place)
    file = tmp_path / "fresh"
    file.write_bytes(b"x")
    fact_of("k", file, file.read_text)
    assert not place.exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", json.dumps({"k": 1})])
def test_a_damaged_file_of_facts_costs_time_only(settled, place, content):
    place.mkdir(parents=True)
    (place / "k.json").write_text(content)
    remember_in(place)
    assert fact_of("k", settled, settled.read_text) == "one"


def test_a_place_that_cannot_be_written_to_is_no_failure(settled, tmp_path):
    (tmp_path / "in the way").write_text("")
    remember_in(tmp_path / "in the way" / "facts")
    assert fact_of("k", settled, settled.read_text) == "one"
    remember_in(None)
