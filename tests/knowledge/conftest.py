"""The real guidance index, kept between test runs, and a fast stand-in for the embedding model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tools.mirrors import bundled_folder


class HashEmbedder:
    """Unit vectors drawn from the hash of each text: the same text the same vector, in no time.

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
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 16), dtype=np.float32)

    def _vector(self, text):
        seed = hashlib.sha256(f"{self.model_hash} {text}".encode("utf-8", "replace")).digest()
        drawn = np.frombuffer(seed, dtype=np.uint8)[:16].astype(np.float32) - 127.5
        return drawn / np.linalg.norm(drawn)


@pytest.fixture(scope="session")
def make_embedder():
    """The class of the fast embedder."""
    return HashEmbedder


@pytest.fixture(scope="session")
def search(guidance_index):
    """The real search: bundled MiniLM over the real guidance; `warm(questions)` embeds many together."""
    from knowledge.embedding import Embedder
    from knowledge.glossary import translate
    from knowledge.search import GuidanceSearch

    class RememberingEmbedder(Embedder):
        """Embeds no text twice: questions together cost a tenth of what they cost one by one."""

        def __init__(self, folder):
            super().__init__(folder)
            self._known = {}

        def embed(self, texts):
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            self._known.update(zip(new, super().embed(new), strict=True))
            return np.stack([self._known[text] for text in texts])

    class WarmedSearch(GuidanceSearch):
        def warm(self, questions):
            """Embed what searching for these questions will ask for."""
            self._embedder.embed([*questions, *(translate(question, "en") for question in questions)])

    found = WarmedSearch(guidance_index, RememberingEmbedder(bundled_folder()))
    assert found.index_problem == ""
    return found
