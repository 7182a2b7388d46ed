"""A fast stand-in for the embedding model, for processes that must not load the heavy libraries either."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from knowledge.embedding import DIMENSIONS


class HashEmbedder:
    """Embeds a text as the sum of vectors drawn from the hashes of its words: near for what shares words, in no time.

    Args:
        model: Name that stands for the model's weights.
    """

    def __init__(self, model: str = "first") -> None:
        self.folder = Path("hash")
        self.model_hash = hashlib.sha256(model.encode()).hexdigest()
        self.embedded = 0
        self._known = {}

    def embed(self, texts):
        self.embedded += len(texts)
        for text in texts:
            if text not in self._known:
                self._known[text] = self._vector(text)
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)

    def _vector(self, text):
        total = sum(self._drawn(word) for word in text.lower().split() or [""])
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _drawn(self, word):
        seed = hashlib.shake_256(f"{self.model_hash} {word}".encode("utf-8", "replace")).digest(DIMENSIONS)
        return np.frombuffer(seed, dtype=np.uint8).astype(np.float32) - 127.5
