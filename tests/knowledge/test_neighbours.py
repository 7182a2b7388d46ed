"""Questions like it: which entries helped with the graded questions nearest in meaning."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.entry import read_entries
from knowledge.entry_reader import EntryReader
from knowledge.neighbours import FILE, Neighbours, write_neighbours
from knowledge.topics import LANGUAGES
from knowledge.wordings import ANSWERS, read_graded
from tools.mirrors import bundled_folder

ENTRIES = [entry.id for entry in read_entries()]


@pytest.fixture(scope="module")
def reader():
    return EntryReader(bundled_folder(), ENTRIES)


def test_the_shipped_file_holds_every_graded_question():
    from safetensors import safe_open

    with safe_open(FILE, framework="numpy") as stored:
        grades = stored.get_tensor("grades")
        columns = stored.metadata()["entries"].split()
    asked = [each for language in LANGUAGES for each in read_graded(language).values()]
    due = "Write it anew: .venv/bin/python -m knowledge.fitting FOLDER_OF_MINILM --keep-reader"
    assert columns == ENTRIES, due
    assert [{columns[i]: int(row[i]) for i in np.flatnonzero(row)} for row in grades] == asked, due


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_graded_question_brings_its_own_answers_forward(reader, language):
    neighbours, first = Neighbours(ENTRIES), 0
    asked = list(read_graded(language).items())[::40]
    for text, grades in asked:
        chances = neighbours.chances(reader.read(text, language).pooled)
        assert chances.shape == (len(ENTRIES),)
        assert 0.0 < chances.sum() <= 1.0 + 1e-6  # as far as float32 adds up
        first += grades.get(ENTRIES[int(chances.argmax())]) == ANSWERS
    assert first > 0.7 * len(asked)


def test_an_entry_that_no_question_was_graded_for_has_no_chance(reader):
    read = reader.read("It says something else every day", "en").pooled
    known, more = Neighbours(ENTRIES).chances(read), Neighbours([*ENTRIES[::-1], "G999"]).chances(read)
    assert more[-1] == 0.0
    np.testing.assert_allclose(more[:-1], known[::-1])


def test_what_is_written_is_read_back(tmp_path, reader, monkeypatch):
    graded = {"en": {"Why is it slow?": {"G02": 2, "G03": 1}}, "ja": {"ライセンスは?": {"G01": 2}}}
    monkeypatch.setattr("knowledge.neighbours.read_graded", graded.get)
    file = tmp_path / "neighbours.safetensors"
    write_neighbours(["G01", "G02", "G03"], reader, file)
    chances = Neighbours(["G03", "G02", "G01"], file).chances(reader.read("Why is it slow?", "en").pooled)
    assert chances[1] == pytest.approx(2 * chances[0])
    assert chances[1] > chances[2]
    assert chances.sum() == pytest.approx(1.0)
