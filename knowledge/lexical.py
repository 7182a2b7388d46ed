"""Lexical ranking for two languages: BM25 over words, and over character pairs and triples of Japanese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from knowledge.topics import Language

_KANJI = r"\u3400-\u4dbf\u4e00-\u9fff々"
_WORD = r"[a-z0-9][a-z0-9_\-./]*"
_RUN = re.compile(rf"{_WORD}|[\u3040-\u30ff{_KANJI}]+")
_CONTENT_RUN = re.compile(rf"{_WORD}|[\u30a1-\u30ff]+|[{_KANJI}]+")
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
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]")
_ABSENT = "∅"
"""Stands for a text without any word."""


def language_of(text: str) -> Language:
    """Japanese when it has any Japanese character."""
    return "ja" if _JAPANESE.search(text) else "en"


def tokens_of(text: str) -> list[str]:
    """Words of alphabetic text with a rough stem, and pairs and triples of Japanese characters."""
    found: list[str] = []
    for run in _RUN.findall(_plain(text)):
        found += _words(run) if run[0].isascii() else _pieces(run, 2) + _pieces(run, 3) or [run]
    return found


def content_pieces(text: str) -> set[str]:
    """What a text is about: words, pairs of kanji and triples of katakana, without the hiragana of the grammar."""
    found: set[str] = set()
    for run in _CONTENT_RUN.findall(_plain(text)):
        if run[0].isascii():
            found.update(_words(run))
        else:
            found.update(_pieces(run, 3 if "\u30a1" <= run[0] <= "\u30ff" else 2) or [run])
    return found


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _pieces(run: str, length: int) -> list[str]:
    return [run[i : i + length] for i in range(len(run) - length + 1)]


def _words(run: str) -> list[str]:
    return [_stem(part) for part in re.split(r"[_\-./]+", run) if part and part not in _STOP]


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


class LexicalRanker:
    """BM25 scores of texts; safe to use from several threads.

    Args:
        texts: What is searched.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._build([tokens_of(text) for text in texts])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """A ranker that `save` has written.

        Args:
            folder: Where it was written.

        Raises:
            OSError: Files are missing.
        """
        import bm25s  # noqa: PLC0415 (heavy import, only when needed)

        ranker = cls.__new__(cls)
        ranker._index = bm25s.BM25.load(folder, show_progress=False)
        ranker._count = int(ranker._index.scores["num_docs"])
        return ranker

    @classmethod
    def of_tokens(cls, texts: Sequence[Sequence[str]]) -> Self:
        """A ranker of texts that `tokens_of` has read already."""
        ranker = cls.__new__(cls)
        ranker._build(texts)
        return ranker

    def _build(self, texts: Sequence[Sequence[str]]) -> None:
        import bm25s  # noqa: PLC0415 (heavy import, only when needed)

        self._count = len(texts)
        corpus = [list(tokens) or [_ABSENT] for tokens in texts]
        self._index = bm25s.BM25(method="lucene")
        if texts:
            self._index.index(corpus, show_progress=False)

    def save(self, folder: Path) -> None:
        """Write it, to be loaded again.

        Args:
            folder: Where to; it need not exist.
        """
        self._index.save(folder, show_progress=False)

    def scores(self, query: str) -> npt.NDArray[np.float32]:
        """A score for each text, shape (texts,); 0 where nothing matches."""
        known = [token for token in tokens_of(query) if token in self._index.vocab_dict] if self._count else []
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)
