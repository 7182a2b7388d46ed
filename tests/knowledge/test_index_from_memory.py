"""An index that cannot be read or kept never stops a search: it is served from memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from knowledge import index
from knowledge.errors import IndexUnavailable
from knowledge.index import open_index
from tests.knowledge.index_folders import COUNT, TEXTS, left_behind, place_of, state_of


def assert_served_from_memory(folder: Path, embedder) -> None:
    opened = open_index(folder, TEXTS, embedder)
    assert opened.problem
    assert np.array_equal(opened.vectors, embedder.embed([text.text for text in TEXTS]))


@contextmanager
def as_somebody_else():
    """Without root's rights, to whom no folder is read-only."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("holds", ["sound", "outdated", "nothing"])
def test_a_read_only_folder_is_read_if_it_is_sound_and_else_served_from_memory(built, make_embedder, holds):
    with tempfile.TemporaryDirectory() as parent:  # pytest's own folders are closed to everybody else
        Path(parent).chmod(0o755)
        folder = Path(parent) / "index"
        if holds == "nothing":
            folder.mkdir()
        else:
            shutil.copytree(built[COUNT], folder)
        places = [folder, *folder.rglob("*")]
        for place in places:
            place.chmod(0o555 if place.is_dir() else 0o444)
        before = {place: place.stat().st_mtime_ns for place in places}
        embedder = make_embedder("second" if holds == "outdated" else "first")
        with as_somebody_else():
            with pytest.raises(PermissionError):
                (folder / "anything").touch()
            if holds == "sound":
                assert open_index(folder, TEXTS, embedder).problem == ""
            else:
                assert_served_from_memory(folder, embedder)
        assert {place: place.stat().st_mtime_ns for place in [folder, *folder.rglob("*")]} == before
        for place in places:
            place.chmod(0o755)


def test_a_path_that_cannot_be_a_folder_is_served_from_memory(tmp_path, make_embedder):
    (tmp_path / "file").write_text("in the way")
    assert_served_from_memory(tmp_path / "file" / "index", make_embedder())
    # Nobody, root included, can make a folder there.
    assert_served_from_memory(Path("/proc/index"), make_embedder())


def test_a_folder_that_refuses_the_lock_is_served_from_memory(tmp_path, make_embedder):
    (tmp_path / "writer.lock").mkdir()
    assert_served_from_memory(tmp_path, make_embedder())


def test_a_pointer_that_cannot_be_replaced_is_served_from_memory(tmp_path, make_embedder):
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "something").touch()
    assert_served_from_memory(tmp_path, make_embedder())


def test_an_index_that_does_not_give_back_its_texts_is_not_kept(folder, make_embedder, monkeypatch):
    before = state_of(folder)

    def forget(_collection, _texts):
        raise IndexUnavailable("A newly built index does not find its own texts.", "Start again.")

    monkeypatch.setattr(index, "_check", forget)
    opened = open_index(folder, TEXTS, make_embedder("second"))
    assert "does not find its own texts" in opened.problem
    assert state_of(folder) == before
    assert left_behind(folder) == set()


def test_a_fault_in_native_code_does_not_stop_the_search(folder, make_embedder, monkeypatch):
    class PanicError(BaseException):
        """What a panic in Rust arrives as: no Exception."""

    def panic(*_):
        raise PanicError("index out of bounds")

    monkeypatch.setattr(index, "_check", panic)
    monkeypatch.setattr(index, "_all_vectors", panic)
    (place_of(folder) / "vectors.npy").unlink()
    assert_served_from_memory(folder, make_embedder("first"))
    assert left_behind(folder) == set()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_is_no_fault_of_the_index_is_passed_on(folder, make_embedder, monkeypatch, error):
    def stop(*_):
        raise error

    monkeypatch.setattr(index, "_all_vectors", stop)
    (place_of(folder) / "vectors.npy").unlink()
    with pytest.raises(error):
        open_index(folder, TEXTS, make_embedder("first"))
    monkeypatch.undo()
    assert not open_index(folder, TEXTS, make_embedder("first")).built
