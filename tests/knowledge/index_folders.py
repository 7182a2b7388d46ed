"""Texts to index, what lies in the folder of their index, and the check that it is built once and then kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from knowledge.index import Pointer, open_index
from tests.knowledge.build_host import make_texts

COUNT = 60
LARGE = 1_200
"""Texts of an index of which Chroma writes the graph to files."""
TEXTS, LARGE_TEXTS = make_texts(COUNT, "old"), make_texts(LARGE, "old")


def pointer_of(folder: Path) -> Pointer:
    return Pointer.model_validate_json((folder / "current").read_text(encoding="utf-8"))


def place_of(folder: Path) -> Path:
    return folder / pointer_of(folder).folder


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
