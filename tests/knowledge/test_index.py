"""The index is a cache: broken, outdated or half built it is built again, by one writer, and never stops a search."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from knowledge import index
from knowledge.errors import IndexUnavailable
from knowledge.index import Pointer, content_hash, open_index

_HOST = Path(__file__).with_name("build_host.py")
_ROOT = Path(__file__).parents[2]
COUNT = 60
LARGE = 1_200
"""Texts of an index of which Chroma writes the graph to files."""


def _host_module():
    spec = importlib.util.spec_from_file_location("build_host", _HOST)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_texts = _host_module().make_texts
TEXTS, LARGE_TEXTS = make_texts(COUNT, "old"), make_texts(LARGE, "old")


@pytest.fixture(scope="module")
def built(tmp_path_factory, make_embedder):
    """Folders with a sound index of TEXTS and of LARGE_TEXTS, built with the model `first`."""
    folders = {count: tmp_path_factory.mktemp("built") / "index" for count in (COUNT, LARGE)}
    for count, folder in folders.items():
        assert open_index(folder, make_texts(count, "old"), make_embedder("first")).built
    return folders


@pytest.fixture
def folder(built, tmp_path):
    """A copy of the sound index of TEXTS."""
    return Path(shutil.copytree(built[COUNT], tmp_path / "index"))


@pytest.fixture
def large_folder(built, tmp_path):
    """A copy of the sound index of LARGE_TEXTS."""
    return Path(shutil.copytree(built[LARGE], tmp_path / "large"))


@contextmanager
def build_host(folder: Path, model: str, version: str, count: int = LARGE):
    """A process that builds for us; called with an order, it answers with its line."""
    command = [sys.executable, str(_HOST), str(folder), model, version, str(count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=_ROOT, env={"PYTHONPATH": str(_ROOT)}, **pipes) as process:
        assert process.stdout.readline().strip() == "ready"

        def order(line: str) -> str:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        try:
            yield order
        finally:
            process.stdin.close()
            process.wait(timeout=60)


def pointer_of(folder: Path) -> Pointer:
    return Pointer.model_validate_json((folder / "current").read_text(encoding="utf-8"))


def place_of(folder: Path) -> Path:
    return folder / pointer_of(folder).folder


def graph_file(folder: Path, name: str) -> Path:
    return next(place_of(folder).glob(f"*/{name}"))


def left_behind(folder: Path) -> set[str]:
    """What lies in the folder beside the index itself."""
    return {path.name for path in folder.iterdir()} - {"current", "writer.lock", pointer_of(folder).folder}


def state_of(folder: Path) -> tuple[str, int, str]:
    """What changes when an index is built: the pointer's text, its inode, and the folder it names."""
    path = folder / "current"
    return path.read_text(encoding="utf-8"), path.stat().st_ino, pointer_of(folder).folder


def assert_built_then_kept(folder: Path, texts, embedder) -> None:
    expected = embedder.embed([text.text for text in texts])
    first = open_index(folder, texts, embedder)
    assert (first.built, first.problem) == (True, "")
    assert np.array_equal(first.vectors, expected)
    before = state_of(folder)
    again = open_index(folder, texts, embedder)
    assert (again.built, again.problem) == (False, "")
    assert np.array_equal(again.vectors, expected)
    assert state_of(folder) == before
    assert left_behind(folder) == set()


def test_an_index_is_built_once_and_opened_ever_after(folder, make_embedder):
    embedder = make_embedder("first")
    expected = embedder.embed([text.text for text in TEXTS])
    before, embedded = state_of(folder), embedder.embedded
    for _ in range(3):
        opened = open_index(folder, TEXTS, embedder)
        assert (opened.built, opened.problem) == (False, "")
        assert np.array_equal(opened.vectors, expected)
    assert state_of(folder) == before
    assert embedder.embedded == embedded


def test_an_index_is_built_where_there_is_no_folder_yet(tmp_path, make_embedder):
    assert_built_then_kept(tmp_path / "some" / "new" / "folder", make_texts(20, "small"), make_embedder())


def test_vectors_come_in_the_order_of_the_texts_not_of_the_index(folder, make_embedder):
    embedder = make_embedder("first")
    texts = [*TEXTS[600:], *TEXTS[:600]]
    opened = open_index(folder, texts, embedder)
    assert np.array_equal(opened.vectors, embedder.embed([text.text for text in texts]))


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        ("second", TEXTS),
        ("first", make_texts(COUNT, "new")),
        ("first", TEXTS[:-1]),
        ("first", make_texts(COUNT + 1, "old")),
        ("first", [TEXTS[0].model_copy(update={"id": "G9999.en.what"}), *TEXTS[1:]]),
    ],
    ids=["other model", "changed texts", "a text less", "a text more", "other id"],
)
def test_T33_an_index_of_something_else_is_built_again(folder, make_embedder, model, texts):
    assert_built_then_kept(folder, texts, make_embedder(model))


def test_T33_an_index_of_another_form_is_built_again(folder, make_embedder, monkeypatch):
    monkeypatch.setattr(index, "FORM", index.FORM + "+1")
    assert_built_then_kept(folder, TEXTS, make_embedder("first"))


def rewrite(path: Path, change) -> None:
    path.write_bytes(change(path.read_bytes()))


def with_flipped_bits(content: bytes) -> bytes:
    drawn, changed = random.Random(7), bytearray(content)
    for _ in range(30):
        changed[drawn.randrange(len(changed))] ^= 1 << drawn.randrange(8)
    return bytes(changed)


def with_pointer(index_folder: Path, **changes) -> None:
    fields = json.loads((index_folder / "current").read_text(encoding="utf-8")) | changes
    (index_folder / "current").write_text(
        json.dumps({k: v for k, v in fields.items() if v is not None}), encoding="utf-8"
    )


DAMAGES = {
    "no pointer": lambda f: (f / "current").unlink(),
    "empty pointer": lambda f: (f / "current").write_bytes(b""),
    "pointer cut off": lambda f: rewrite(f / "current", lambda b: b[:40]),
    "pointer of random bytes": lambda f: (f / "current").write_bytes(random.Random(1).randbytes(300)),
    "pointer of an older version": lambda f: with_pointer(f, files=None),
    "pointer of a newer version": lambda f: with_pointer(f, shards=3),
    "pointer to a missing folder": lambda f: with_pointer(f, folder="chroma-0"),
    "pointer to the index folder": lambda f: with_pointer(f, folder=""),
    "pointer with other vectors": lambda f: with_pointer(f, vectors="0" * 64),
    "no database": lambda f: (place_of(f) / "chroma.sqlite3").unlink(),
    "empty database": lambda f: (place_of(f) / "chroma.sqlite3").write_bytes(b""),
    "database cut in half": lambda f: rewrite(place_of(f) / "chroma.sqlite3", lambda b: b[: len(b) // 2]),
    "database with flipped bits": lambda f: rewrite(place_of(f) / "chroma.sqlite3", with_flipped_bits),
    "database of something else": lambda f: rewrite(place_of(f) / "chroma.sqlite3", lambda b: b"\xff" * len(b)),
    "nothing left": lambda f: shutil.rmtree(place_of(f)),
}
GRAPH_DAMAGES = {
    "no graph": lambda f: shutil.rmtree(graph_file(f, "header.bin").parent),
    "no vectors": lambda f: graph_file(f, "data_level0.bin").unlink(),
    "vectors cut off": lambda f: rewrite(graph_file(f, "data_level0.bin"), lambda b: b[:1000]),
    "vectors with flipped bits": lambda f: rewrite(graph_file(f, "data_level0.bin"), with_flipped_bits),
    "vectors of random bytes": lambda f: rewrite(
        graph_file(f, "data_level0.bin"), lambda b: random.Random(2).randbytes(len(b))
    ),
    "header cut in half": lambda f: rewrite(graph_file(f, "header.bin"), lambda b: b[: len(b) // 2]),
    "links with flipped bits": lambda f: rewrite(graph_file(f, "link_lists.bin"), with_flipped_bits),
    "names with flipped bits": lambda f: rewrite(graph_file(f, "index_metadata.pickle"), with_flipped_bits),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_T33_a_damaged_index_is_built_again(folder, make_embedder, damage):
    DAMAGES[damage](folder)
    assert_built_then_kept(folder, TEXTS, make_embedder("first"))


@pytest.mark.parametrize("damage", GRAPH_DAMAGES)
def test_T33_a_damaged_graph_which_would_end_the_process_is_built_again(large_folder, make_embedder, damage):
    GRAPH_DAMAGES[damage](large_folder)
    assert_built_then_kept(large_folder, LARGE_TEXTS, make_embedder("first"))


VECTORS_DAMAGES = {
    "missing": lambda file: file.unlink(),
    "cut off": lambda file: rewrite(file, lambda b: b[:1000]),
    "of other numbers": lambda file: np.save(file, np.zeros((COUNT, 384), np.float32)),
    "a pickle": lambda file: np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True),
}


@pytest.mark.parametrize("damage", VECTORS_DAMAGES)
def test_T33_the_right_vectors_are_served_whatever_happened_to_their_copy(folder, make_embedder, damage):
    VECTORS_DAMAGES[damage](place_of(folder) / "vectors.npy")
    embedder = make_embedder("first")
    opened = open_index(folder, TEXTS, embedder)
    assert opened.problem == ""
    assert np.array_equal(opened.vectors, embedder.embed([text.text for text in TEXTS]))


def test_an_index_whose_database_another_program_has_written_to_is_still_read(folder, make_embedder):
    with closing(sqlite3.connect(place_of(folder) / "chroma.sqlite3")) as database:
        database.execute("CREATE TABLE visits (at TEXT)")
        database.commit()
    embedder = make_embedder("first")
    opened = open_index(folder, TEXTS, embedder)
    assert (opened.built, opened.problem) == (False, "")
    assert np.array_equal(opened.vectors, embedder.embed([text.text for text in TEXTS]))


def test_T33_a_pointer_does_not_lead_out_of_the_index_folder(folder, tmp_path, make_embedder):
    outside = Path(shutil.copytree(place_of(folder), tmp_path / "outside"))
    kept = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    with_pointer(folder, folder="../outside")
    assert_built_then_kept(folder, TEXTS, make_embedder("first"))
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == kept


# Killed builds


def assert_old_or_new(folder: Path, make_embedder) -> bool:
    """The folder holds the old index or the new one, whole; says whether it is the new one."""
    old, new = (LARGE_TEXTS, make_embedder("first")), (make_texts(LARGE, "new"), make_embedder("second"))
    is_new = pointer_of(folder).content == content_hash(*new)
    texts, embedder = new if is_new else old
    opened = open_index(folder, texts, embedder)
    assert (opened.built, opened.problem) == (False, "")
    assert np.array_equal(opened.vectors, embedder.embed([text.text for text in texts]))
    return is_new


def test_a_build_killed_at_any_moment_leaves_the_old_index_or_the_new_one(large_folder, make_embedder):
    drawn = random.Random(20)
    with build_host(large_folder, "second", "new") as order:
        calls = int(order("count"))
        # Spread over the whole build, and closely over its end, where the pointer is switched and the rest swept.
        early = sorted(drawn.randrange(1, calls - 500) for _ in range(4))
        is_new = []
        for moment in [*early, *(calls - back for back in (400, 340, 300, 260, 220, 100))]:
            assert order(f"call {moment}") == "killed"
            is_new.append(assert_old_or_new(large_folder, make_embedder))
            if is_new[-1]:
                break
    assert is_new[:4] == [False] * 4
    assert is_new[-1], "no build was killed after the switch"


def test_a_build_killed_wherever_it_is_native_code_included_leaves_a_whole_index(large_folder, make_embedder):
    with build_host(large_folder, "second", "new") as order:
        for after_s in (0.1, 0.3, 0.45, 0.6):
            if order(f"after {after_s}") != "killed":
                break  # a fast machine was done before
            assert_old_or_new(large_folder, make_embedder)
    assert_built_then_kept(large_folder, make_texts(COUNT, "next"), make_embedder("second"))


def test_what_killed_builds_leave_is_swept_by_the_next_one(large_folder, make_embedder):
    with build_host(large_folder, "second", "new") as order:
        calls = int(order("count"))
        assert order(f"call {calls // 2}") == "killed"
    (large_folder / "current.chroma-123").write_text("{")
    assert left_behind(large_folder) > {"current.chroma-123"}
    assert_built_then_kept(large_folder, make_texts(LARGE, "new"), make_embedder("second"))


def test_a_first_build_that_is_killed_is_built_anew(tmp_path, make_embedder):
    folder = tmp_path / "index"
    with build_host(folder, "first", "old") as order:
        calls = int(order("count"))
        assert order(f"call {calls // 3}") == "killed"
    assert not (folder / "current").exists()
    assert_built_then_kept(folder, LARGE_TEXTS, make_embedder("first"))


# Several processes


def test_two_builders_at_once_build_one_index(tmp_path, make_embedder):
    folder = tmp_path / "index"
    with (
        build_host(folder, "first", "old") as one,
        build_host(folder, "first", "old") as other,
        ThreadPoolExecutor(2) as pool,
    ):
        said = list(pool.map(lambda order: order("build"), (one, other)))
    # The one that waited finds what the other built, and its child says that there was nothing to build.
    assert sorted(each.isdigit() for each in said) == [False, True]
    opened = open_index(folder, LARGE_TEXTS, make_embedder("first"))
    assert (opened.built, opened.problem) == (False, "")
    assert left_behind(folder) == set()


def test_two_versions_of_the_application_replace_each_others_index_whole(tmp_path, make_embedder):
    folder = tmp_path / "index"
    with (
        build_host(folder, "first", "old") as one,
        build_host(folder, "second", "new") as other,
        ThreadPoolExecutor(2) as pool,
    ):
        assert all(each.isdigit() for each in pool.map(lambda order: order("build"), (one, other)))
    assert_old_or_new(folder, make_embedder)
    assert left_behind(folder) == set()


# A folder that cannot be written


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
