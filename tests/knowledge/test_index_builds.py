"""An index is built once, again when it is outdated, by one writer, and whole even if a build is killed."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from knowledge import index
from knowledge.index import content_hash, open_index
from tests.knowledge.index_folders import (
    COUNT,
    LARGE,
    LARGE_TEXTS,
    TEXTS,
    assert_built_then_kept,
    left_behind,
    make_texts,
    pointer_of,
    state_of,
)

_HOST = Path(__file__).with_name("build_host.py")
_ROOT = Path(__file__).parents[2]


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
