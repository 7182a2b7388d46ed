"""Vectors of many passages, and which are nearest to a question: signs compared first, then the best compared in full.

A passage's signs are 48 bytes. Counting the bits in which they differ from the question's, those of its larger numbers
twice, finds the candidates among a hundred thousand in a millisecond, within any selection of rows. The
candidates are then ranked by their cosine similarity, as all would be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.embedding import DIMENSIONS, Floats

Bytes = npt.NDArray[np.int8]
Rows = npt.NDArray[np.intp]
CANDIDATES = 4_000
"""Rows that are compared in full; so few or fewer are compared at once."""
_COUNTED_TWICE = 0.5
"""Share of the question's largest numbers whose signs count twice."""
_FULL = 127


def as_bytes(vectors: Floats) -> Bytes:
    """Vectors with a signed byte for each dimension, each by its largest number; their length is not kept."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0.0), 1e-12)
    return np.rint(vectors * (_FULL / largest)).astype(np.int8)


class VectorTable:
    """Vectors of passages; safe to use from several threads, for nothing changes it.

    Args:
        parts: Vectors with a byte for each dimension, each of shape (passages, 384), in the order of the rows.
    """

    def __init__(self, parts: Sequence[Bytes]) -> None:
        self.vectors: Bytes = np.concatenate([np.zeros((0, DIMENSIONS), np.int8), *parts])
        lengths = np.sqrt(np.einsum("ij,ij->i", self.vectors, self.vectors, dtype=np.int32))
        self._per_length = (1 / np.maximum(lengths, 1)).astype(np.float32)
        # By columns, as they are read.
        self._signs = np.asfortranarray(_words(self.vectors < 0))

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
        """Cosine similarity of these rows, to three digits."""
        # Not by `@`, whose threads wait for each other longer than so few rows take.
        return np.einsum("ij,j->i", self.vectors[rows].astype(np.float32), query) * self._per_length[rows]

    def _candidates(self, query: Floats, rows: Rows | None) -> Rows:
        every = np.arange(len(self)) if rows is None else rows
        if len(every) <= CANDIDATES:
            return every
        signs = self._signs if rows is None else self._signs[rows]
        asked, size = _words(query[None] < 0)[0], np.abs(query)
        large = _words((size >= np.quantile(size, 1 - _COUNTED_TWICE))[None])[0]
        differing = np.zeros(len(signs), dtype=np.uint16)
        for column, word in enumerate(asked):
            bits = signs[:, column] ^ word
            differing += np.bitwise_count(bits)
            differing += np.bitwise_count(bits & large[column])
        return every[np.sort(np.argpartition(differing, CANDIDATES)[:CANDIDATES])]


def _words(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Rows of bits, 64 in a word."""
    return np.packbits(bits, axis=1).view(np.uint64)
