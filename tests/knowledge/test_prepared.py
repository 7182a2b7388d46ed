"""What is read out of the guidance at a start is kept, and made anew when it is damaged or out of date."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from knowledge.entry import FOLDER, read_entries
from knowledge.errors import InvalidEntry
from knowledge.prepared import Prepared, open_prepared, prepare
from knowledge.topics import LANGUAGES

ENTRIES = ("G01", "G02", "G07", "G15")
QUESTIONS = ("the process is killed while loading", "版を固定する", "何から始めればよいですか", "nothing-of-the-kind")


@pytest.fixture
def guidance(tmp_path) -> Path:
    """A small folder of real entries."""
    folder = tmp_path / "guidance"
    folder.mkdir()
    for path in FOLDER.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if text.split("\n")[1].removeprefix("id: ") in ENTRIES:
            (folder / path.name).write_text(_without_parts(text), encoding="utf-8")
    assert len(read_entries(folder)) == len(ENTRIES)
    return folder


def _without_parts(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith("parts:"))


def assert_same(one: Prepared, other: Prepared) -> None:
    assert one.entries == other.entries
    assert one.texts == other.texts
    assert one.vocabulary == other.vocabulary
    assert np.array_equal(one.companions, other.companions)
    for language in LANGUAGES:
        for name in ("texts", "whole", "own"):
            for question in QUESTIONS:
                pair = [getattr(each.rankings[language], name).scores(question) for each in (one, other)]
                assert np.array_equal(*pair)


def stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_what_was_kept_is_what_was_read(tmp_path, guidance):
    index = tmp_path / "index"
    first = open_prepared(index, guidance)
    assert_same(first, prepare(guidance))
    before = stamps(index)
    assert_same(open_prepared(index, guidance), first)
    assert stamps(index) == before


def test_a_changed_entry_is_read_anew(tmp_path, guidance):
    index = tmp_path / "index"
    open_prepared(index, guidance)
    path = next(iter(sorted(guidance.iterdir())))
    path.write_text(path.read_text(encoding="utf-8").replace("## What\n", "## What\n\nUnheardof.\n"), encoding="utf-8")
    changed = open_prepared(index, guidance)
    assert any("Unheardof" in entry.en.what for entry in changed.entries)
    assert_same(open_prepared(index, guidance), changed)


def test_an_entry_that_became_unreadable_is_told_although_its_words_were_kept(tmp_path, guidance):
    index = tmp_path / "index"
    open_prepared(index, guidance)
    next(guidance.iterdir()).write_text("no entry", encoding="utf-8")
    with pytest.raises(InvalidEntry):
        open_prepared(index, guidance)


def _flip(path: Path) -> None:
    content, drawn = bytearray(path.read_bytes()), random.Random(3)
    content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
    path.write_bytes(bytes(content))


DAMAGES = {
    "a file less": Path.unlink,
    "an empty file": lambda path: path.write_bytes(b""),
    "a flipped bit": _flip,
    "another file beside": lambda path: path.with_name("other.npy").touch(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("pattern", ["entries.json", "en.whole/data.csc.index.npy", "ja.texts/vocab.index.json"])
def test_T33_damaged_files_are_made_anew(tmp_path, guidance, damage, pattern):
    index = tmp_path / "index"
    first = open_prepared(index, guidance)
    DAMAGES[damage](next(index.rglob(pattern)))
    assert_same(open_prepared(index, guidance), first)
    before = stamps(index)
    open_prepared(index, guidance)
    assert stamps(index) == before


def test_T33_what_a_killed_process_left_is_swept_and_does_no_harm(tmp_path, guidance):
    index = tmp_path / "index"
    first = open_prepared(index, guidance)
    shutil.copytree(index / "prepared", index / "prepared-0123456789ab")
    (index / "prepared" / "manifest.json").unlink()
    assert_same(open_prepared(index, guidance), first)
    assert [path.name for path in index.iterdir()] == ["prepared"]


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path, guidance):
    (tmp_path / "file").write_text("in the way")
    assert_same(open_prepared(tmp_path / "file" / "index", guidance), prepare(guidance))
    assert_same(open_prepared(Path("/proc/index"), guidance), prepare(guidance))
