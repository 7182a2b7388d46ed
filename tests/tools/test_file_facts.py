"""A fact about a file is found out once while the file stays as it is, across processes where a place was named."""

from __future__ import annotations

import json
import os

import pytest

from tools import file_facts
from tools.file_facts import fact_of, parsed_of, remember_in


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


def test_T22_what_a_file_parses_to_is_kept_until_the_file_changes_in_any_way(settled):
    read = settled.read_text
    assert parsed_of("k", settled, read, len) == "one"
    assert parsed_of("k", settled, lambda: pytest.fail("known"), len) == "one"
    before = settled.stat()
    settled.write_bytes(b"two")  # of the same length, and its time set back
    os.utime(settled, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert parsed_of("k", settled, read, len) == "two"
    other = settled.with_name("other")
    other.write_bytes(b"six")
    other.replace(settled)
    assert parsed_of("k", settled, read, len) == "six"


def test_T22_what_was_just_written_is_parsed_each_time(tmp_path):
    file = tmp_path / "fresh"
    file.write_bytes(b"x")
    seen = [parsed_of("k", file, object, lambda _: 1) for _ in range(2)]
    assert seen[0] is not seen[1]


def test_the_least_used_goes_first_when_there_is_too_much(settled, monkeypatch):
    monkeypatch.setattr(file_facts, "_MOST_PARSED_BYTES", 250)
    for kind in ("a", "b", "a", "c"):
        parsed_of(kind, settled, object, lambda _: 100)
    kept = [kind for kind, path in file_facts._parsed if path == str(settled)]
    assert kept == ["a", "c"]
