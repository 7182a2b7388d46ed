"""Hybrid ranking of a collection of short texts: dense and lexical ranks, fused by reciprocal rank.

score = sum over rankings of 1 / (60 + rank)        (Cormack, Clarke, Büttcher, SIGIR 2009)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.embedding import Embedder, Floats
from knowledge.lexical import LexicalRanker

K = 60
DEPTH = 60
"""Ranks of each ranking that count."""


def fuse(scores: Sequence[npt.NDArray[np.float32]], depth: int = DEPTH) -> npt.NDArray[np.float64]:
    """Reciprocal rank fusion of several score arrays of shape (texts,); texts with a score of 0 or less do not count."""
    fused = np.zeros(len(scores[0]))
    for array in scores:
        order = np.argsort(-array, kind="stable")[:depth]
        for rank, i in enumerate(order, start=1):
            if array[i] > 0:
                fused[i] += 1 / (K + rank)
    return fused


class HybridRanker:
    """Ranks short texts by a query.

    Args:
        texts: What is searched.
        embedder: Makes the dense vectors.
        cache_folder: Where the vectors are kept between starts; None keeps them in memory.
    """

    def __init__(self, texts: Sequence[str], embedder: Embedder, cache_folder: Path | None = None) -> None:
        self._texts = list(texts)
        self._embedder = embedder
        self._vectors = self._load_vectors(cache_folder)
        self._lexical = LexicalRanker(self._texts)

    def rank(self, query: str, limit: int = 5) -> list[tuple[int, float, float, float]]:
        """The best texts as (index, fused score, dense similarity, lexical score), the best first."""
        dense = (self._vectors @ self._embedder.embed([query])[0]).astype(np.float32)
        lexical = self._lexical.scores(query)
        fused = fuse([dense, lexical])
        order = np.argsort(-fused, kind="stable")[:limit]
        return [(int(i), float(fused[i]), float(dense[i]), float(lexical[i])) for i in order]

    def _load_vectors(self, cache_folder: Path | None) -> Floats:
        if cache_folder is None:
            return self._embedder.embed(self._texts)
        digest = hashlib.sha256("\0".join([self._embedder.model_hash, *self._texts]).encode("utf-8", "replace"))
        path = cache_folder / f"vectors-{digest.hexdigest()[:16]}.npy"
        if path.exists():
            try:
                return np.load(path, allow_pickle=False)
            except (OSError, ValueError):
                # A damaged cache is only a cache.
                path.unlink(missing_ok=True)
        vectors = self._embedder.embed(self._texts)
        cache_folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{id(self)}.tmp.npy")
        np.save(partial, vectors, allow_pickle=False)
        partial.replace(path)
        return vectors
