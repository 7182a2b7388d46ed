"""Shipped vectors save the time of embedding, and are never taken for a text or a model that they do not belong to."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.embedding import DIMENSIONS, Embedder
from knowledge.entry import read_entries
from knowledge.passages import indexed_texts
from knowledge.shipped_vectors import SHIPPED, embed_texts, write_shipped
from tools.mirrors import bundled_folder

TEXTS = [f"text {i} of the guidance" for i in range(20)]


@pytest.fixture
def shipped(tmp_path, make_embedder):
    """A file of vectors of TEXTS, by the model `first`."""
    embedder = make_embedder("first")
    write_shipped(TEXTS, embedder.embed(TEXTS), embedder, tmp_path / "vectors.safetensors")
    return tmp_path / "vectors.safetensors"


def assert_near(vectors, texts, embedder):
    assert vectors.shape == (len(texts), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (np.sum(vectors * embedder.embed(texts), axis=1) > 0.9998).all()


class OnlyHash(Embedder):
    """MiniLM's name without MiniLM: whoever asks it to embed fails."""

    def embed(self, texts):
        raise AssertionError(
            f"{len(texts)} texts have no shipped vector, such as: {texts[0][:80]!r}.\n"
            f"Write them anew: .venv/bin/python -m knowledge.shipped_vectors {self.folder}"
        )


def test_every_text_of_the_guidance_has_a_shipped_vector():
    texts = [text.text for text in indexed_texts(read_entries())]
    assert len(embed_texts(texts, OnlyHash(bundled_folder()))) == len(texts)
    assert SHIPPED.stat().st_size < 450 * len(texts), "a byte a dimension, and the key"


def test_the_shipped_vectors_are_those_of_minilm():
    texts = [text.text for text in indexed_texts(read_entries())][::70]
    embedder = Embedder(bundled_folder())
    assert_near(embed_texts(texts, embedder), texts, embedder)


def test_known_texts_are_not_embedded(shipped, make_embedder):
    embedder = make_embedder("first")
    vectors = embed_texts(TEXTS[::-1], embedder, shipped)
    assert embedder.embedded == 0
    assert_near(vectors, TEXTS[::-1], embedder)


def test_a_changed_text_is_embedded_and_no_other(shipped, make_embedder):
    embedder = make_embedder("first")
    texts = [*TEXTS[:5], f"{TEXTS[5]}.", "new", *TEXTS[6:]]
    vectors = embed_texts(texts, embedder, shipped)
    assert embedder.embedded == 2
    assert_near(vectors, texts, embedder)


def test_vectors_of_another_model_are_not_taken(shipped, make_embedder):
    embedder = make_embedder("second")
    vectors = embed_texts(TEXTS, embedder, shipped)
    assert embedder.embedded == len(TEXTS)
    assert_near(vectors, TEXTS, embedder)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other", "shape"])
def test_without_a_sound_file_all_is_embedded(shipped, make_embedder, damage):
    from safetensors.numpy import save_file

    content = shipped.read_bytes()
    shipped.unlink()
    if damage == "other":
        save_file({"x": np.zeros(3, np.int8)}, shipped)
    elif damage == "shape":
        save_file({"keys": np.zeros((20, 16), np.uint8), "vectors": np.zeros((20, 7), np.int8)}, shipped)
    elif damage != "missing":
        shipped.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    embedder = make_embedder("first")
    assert_near(embed_texts(TEXTS, embedder, shipped), TEXTS, embedder)
    assert embedder.embedded >= len(TEXTS)


def test_no_texts_give_no_vectors(shipped, make_embedder):
    assert embed_texts([], make_embedder("first"), shipped).shape == (0, DIMENSIONS)
