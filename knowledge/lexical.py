"""Lexical ranking for two languages: BM25 over words, and over character pairs and triples of Japanese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_RUN = re.compile(r"[a-z0-9][a-z0-9_\-./]*|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fffー]+")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "its",
        "me",
        "my",
        "not",
        "of",
        "on",
        "or",
        "our",
        "so",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "they",
        "this",
        "to",
        "us",
        "was",
        "we",
        "what",
        "when",
        "which",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
        "just",
        "should",
        "would",
        "could",
        "about",
    ]
)


def tokens_of(text: str) -> list[str]:
    """Words of alphabetic text with a rough stem, and pairs and triples of Japanese characters."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0].isascii():
            found += [_stem(part) for part in re.split(r"[_\-./]+", run) if part and part not in _STOP]
        else:
            found += [run[i : i + n] for n in (2, 3) for i in range(len(run) - n + 1)] or [run]
    return found


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


class LexicalRanker:
    """BM25 scores of texts.

    Args:
        texts: What is searched.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s  # noqa: PLC0415 (heavy import, only when needed)

        self._index = bm25s.BM25(method="lucene")
        self._count = len(texts)
        corpus = [tokens_of(text) or ["∅"] for text in texts]
        self._index.index(corpus, show_progress=False)
        self._vocabulary = {token for tokens in corpus for token in tokens}

    def scores(self, query: str) -> npt.NDArray[np.float32]:
        """A score for each text, shape (texts,); 0 where nothing matches."""
        known = [t for t in tokens_of(query) if t in self._vocabulary]
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)
