"""A damaged index is built again, and never served, whatever happened to its files."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from knowledge.index import open_index
from tests.knowledge.index_folders import COUNT, LARGE_TEXTS, TEXTS, assert_built_then_kept, place_of


def graph_file(folder: Path, name: str) -> Path:
    return next(place_of(folder).glob(f"*/{name}"))


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
