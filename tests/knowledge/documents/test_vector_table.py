"""The nearest vectors are found among many as a comparison with each of them would find them."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.documents import vector_table
from knowledge.documents.vector_table import VectorTable, as_bytes

ROWS = 20_000


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def clustered():
    """Vectors around a few hundred centres, as passages of one subject are, and questions near them."""
    random = np.random.default_rng(5)
    centres = unit(random.normal(size=(300, 384)))
    vectors = unit(centres[random.integers(0, 300, ROWS)] + random.normal(0, 0.03, (ROWS, 384)))
    questions = unit(centres[:40] + random.normal(0, 0.03, (40, 384)))
    return vectors, questions


def recall(found, vectors, question, rows=None):
    allowed = np.arange(len(vectors)) if rows is None else rows
    exact = allowed[np.argsort(-(vectors[allowed] @ question))[: len(found)]]
    return len(set(found) & set(exact)) / len(exact)


def test_the_nearest_of_many_are_found(clustered):
    vectors, questions = clustered
    table = VectorTable([as_bytes(vectors[:7000]), as_bytes(vectors[7000:])])
    assert len(table) == ROWS > vector_table.CANDIDATES
    found = [recall(table.nearest(question, 10)[0], vectors, question) for question in questions]
    assert np.mean(found) >= 0.98


def test_among_selected_rows_only_these_are_found(clustered):
    vectors, questions = clustered
    table, rows = VectorTable([as_bytes(vectors)]), np.arange(0, ROWS, 3)
    assert len(rows) > vector_table.CANDIDATES
    for question in questions[:10]:
        found, similarity = table.nearest(question, 10, rows)
        assert set(found) <= set(rows)
        assert recall(found, vectors, question, rows) >= 0.8
        assert list(similarity) == sorted(similarity, reverse=True)


def test_similarity_is_the_cosine(clustered):
    vectors, questions = clustered
    table = VectorTable([as_bytes(vectors[:500] * np.linspace(0.1, 9, 500)[:, None])])
    exact = vectors[:500] @ questions[0]
    assert table.similarity(questions[0], np.arange(500)) == pytest.approx(exact, abs=0.004)


def test_no_vectors_at_all():
    rows, similarity = VectorTable([]).nearest(np.ones(384, np.float32), 5)
    assert (len(rows), len(similarity)) == (0, 0)


def test_a_vector_of_zeros_is_near_to_nothing():
    table = VectorTable([as_bytes(np.zeros((1, 384), np.float32))])
    assert table.nearest(np.ones(384, np.float32), 5)[1] == [0.0]
