"""Vectors of many passages, and which are nearest to a question: signs compared first, then the best compared exactly.

A passage's signs are 48 bytes. Counting the bits in which they differ from the question's finds the candidates among a
hundred thousand in milliseconds and any selection of rows as fast; the candidates are then ranked by their cosine
similarity, as all would be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.embedding import DIMENSIONS, Floats

Halves = npt.NDArray[np.float16]
Rows = npt.NDArray[np.intp]
CANDIDATES = 1_500
"""Rows that are compared exactly; so few or fewer are compared at once."""


class VectorTable:
    """Unit vectors of passages; safe to use from several threads, for nothing changes it.

    Args:
        parts: Vectors in half precision, each of shape (passages, 384), in the order of the rows.
    """

    def __init__(self, parts: Sequence[Halves]) -> None:
        self.vectors: Halves = np.concatenate([np.zeros((0, DIMENSIONS), np.float16), *parts])
        self._signs = signs_of(self.vectors)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.vectors)

    def nearest(self, query: Floats, limit: int, rows: Rows | None = None) -> tuple[Rows, Floats]:
        """The rows with the highest cosine similarity, the highest first, and the similarities.

        Args:
            query: Unit vector of shape (384,).
            limit: Most rows.
            rows: Only these rows, in ascending order; all when absent.
        """
        candidates = self._candidates(query, rows)
        similarity = self.similarity(query, candidates)
        best = np.argsort(-similarity, kind="stable")[:limit]
        return candidates[best], similarity[best]

    def similarity(self, query: Floats, rows: Rows) -> Floats:
        """Cosine similarity of these rows, exactly."""
        return self.vectors[rows].astype(np.float32) @ query

    def _candidates(self, query: Floats, rows: Rows | None) -> Rows:
        every = np.arange(len(self)) if rows is None else rows
        if len(every) <= CANDIDATES:
            return every
        signs = self._signs if rows is None else self._signs[rows]
        asked = signs_of(query[None].astype(np.float16))[0]
        differing = np.zeros(len(signs), dtype=np.uint16)
        for column, word in enumerate(asked):
            differing += np.bitwise_count(signs[:, column] ^ word)
        return every[np.sort(np.argpartition(differing, CANDIDATES)[:CANDIDATES])]


def signs_of(vectors: Halves) -> npt.NDArray[np.uint64]:
    """The signs of vectors, 64 in a word; by columns, as they are read."""
    # The highest bit of a half is its sign; comparing halves as numbers takes thirty times as long.
    negative = vectors.view(np.uint16) >> 15
    words = np.packbits(negative.astype(np.uint8), axis=1).view(np.uint64)
    return np.asfortranarray(words)
