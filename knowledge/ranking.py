"""Hybrid ranking of a collection of short texts: dense and lexical ranks, fused by reciprocal rank.

score = sum over rankings of weight / (60 + rank)        (Cormack, Clarke, Büttcher, SIGIR 2009)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.embedding import Embedder, Floats
from knowledge.lexical import LexicalRanker

K = 60
DEPTH = 60
"""Ranks of each ranking that count."""


def fuse(
    scores: Sequence[npt.NDArray[np.float32]], weights: Sequence[float] | None = None, depth: int = DEPTH
) -> npt.NDArray[np.float64]:
    """Reciprocal rank fusion.

    Args:
        scores: One array of shape (texts,) for each ranking; texts with a score of 0 or less do not count.
        weights: Weight of each ranking; equal when absent.
        depth: Ranks that count.
    """
    fused = np.zeros(len(scores[0]))
    for array, weight in zip(scores, weights or [1.0] * len(scores), strict=True):
        for rank, i in enumerate(best_first(array, depth), start=1):
            if array[i] > 0:
                fused[i] += weight / (K + rank)
    return fused


def best_first(scores: npt.NDArray[np.floating], limit: int) -> npt.NDArray[np.intp]:
    """Indices of the highest scores, the highest first, earlier texts first among equals."""
    return np.argsort(-scores, kind="stable")[:limit]


class HybridRanker:
    """Ranks short texts by a query; safe to use from several threads.

    Args:
        texts: What is searched.
        embedder: Makes a query's vector.
        vectors: The texts' vectors, shape (texts, 384).
    """

    def __init__(self, texts: Sequence[str], embedder: Embedder, vectors: Floats) -> None:
        self._texts = list(texts)
        self._embedder = embedder
        self._vectors = vectors
        self._lexical = LexicalRanker(self._texts)

    def rank(self, query: str, limit: int = 5) -> list[tuple[int, float, float, float]]:
        """The best texts as (index, fused score, dense similarity, lexical score), the best first."""
        return self.rank_embedded(query, self._embedder.embed([query])[0], limit) if self._texts else []

    def rank_embedded(self, query: str, vector: Floats, limit: int = 5) -> list[tuple[int, float, float, float]]:
        """As `rank`, for a query whose vector of shape (384,) is known already."""
        dense = (self._vectors @ vector).astype(np.float32)
        lexical = self._lexical.scores(query)
        fused = fuse([dense, lexical])
        return [(int(i), float(fused[i]), float(dense[i]), float(lexical[i])) for i in best_first(fused, limit)]
