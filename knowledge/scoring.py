"""How close each entry is to a question, in several views: meaning, words, and what the entry reader has learnt.

A view is a number for each entry. `knowledge/weights/ranking.json` says how much each counts; `python -m knowledge.fitting`
fits it on wordings that the reader was not trained on.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from knowledge.embedding import Embedder, Floats
from knowledge.entry_reader import EntryReader, Reading
from knowledge.gloss import gloss_question
from knowledge.glossary import expand
from knowledge.lexical import content_pieces, tokens_of
from knowledge.passages import IndexedText
from knowledge.prepared import Prepared, Rankings
from knowledge.topics import LANGUAGES, Language

FILE = Path(__file__).parent / "weights" / "ranking.json"
NEIGHBOURS = 5
_OWN = ("similar", "similar_mean", "words", "words_widened", "text_words", "reader")
VIEWS: dict[Language, tuple[str, ...]] = {"en": _OWN, "ja": (*_OWN, "gloss_similar", "gloss_words")}
"""Names of the views: cosine similarity of an entry's closest text and of its closest three; BM25 of the whole entry by the
question and by the question widened with the glossary, and of its best text, each for the length of the question; the
reader's log-probability; and for Japanese the similarity and BM25 of the English texts by the question's gloss."""
SIGNS = ("best", "margin", "reader", "outside", "spread", "similar", "neighbours", "words", "known", "length")
"""What tells a question in scope: the best entry's fused score and its lead over the fifth, the reader's best log-probability,
that of no entry, and the entropy of all, the highest similarity and the mean of the highest five, the best BM25, the share of the
question's content words that the guidance uses, and how many content words there are (logarithm)."""

OWN_WORDING = 0.98
"""Cosine similarity from which a question is one of the guidance's own wordings, whatever else speaks against it."""


class Weights(BaseModel):
    """What was fitted for one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    views: dict[str, float]
    """Weight by view."""
    signs: dict[str, float]
    """Weight by sign of a question in scope."""
    pooled: tuple[float, ...]
    """Weight by dimension of the reader's pooled vector, for the same."""
    meaning: tuple[float, ...]
    """Weight by dimension of MiniLM's own vector of the question, of a Japanese one's gloss, for the same."""
    bias: float
    """Added to these; a question is close from 0 on."""


class Scored(NamedTuple):
    """What a question's views say."""

    question: str
    views: npt.NDArray[np.float64]
    """Shape (entries, views)."""
    read: Reading
    """What the reader makes of the question."""
    meaning: Floats
    """MiniLM's own vector of the question, of a Japanese one's gloss, shape (384,)."""
    similarity: Floats
    """By text of the question's language."""
    text_words: Floats
    """BM25 by text of the question's language."""
    own_words: float
    """Highest BM25 of an entry without its further wordings, for the length of the question."""


class _Collection(NamedTuple):
    """The texts of one language."""

    texts: list[IndexedText]
    owners: npt.NDArray[np.intp]
    """Which entry each text belongs to."""
    vectors: Floats
    words: Rankings


def read_weights(file: Path = FILE) -> dict[Language, Weights]:
    """The fitted weights by language."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    return {language: Weights.model_validate(stored[language]) for language in LANGUAGES}


class EntryScoring:
    """Scores entries; safe to use from several threads.

    Args:
        prepared: The guidance.
        vectors: Vectors of its texts, shape (texts, 384).
        embedder: Makes the vector of a question.
        reader: The entry reader.
    """

    def __init__(self, prepared: Prepared, vectors: Floats, embedder: Embedder, reader: EntryReader) -> None:
        self._embedder, self._reader, self._count = embedder, reader, len(prepared.entries)
        self._reading = ThreadPoolExecutor(1, "entry-reader")
        self._vocabulary = prepared.vocabulary
        position = {entry.id: i for i, entry in enumerate(prepared.entries)}
        self.collections: dict[Language, _Collection] = {}
        for language in LANGUAGES:
            rows = [i for i, text in enumerate(prepared.texts) if text.language == language]
            texts = [prepared.texts[i] for i in rows]
            owners = np.array([position[text.entry] for text in texts])
            self.collections[language] = _Collection(texts, owners, vectors[rows], prepared.rankings[language])

    def score(self, question: str, language: Language) -> Scored:
        """All views of a question."""
        own = self.collections[language]
        reading = self._reading.submit(self._reader.read, question, language)
        glossed = gloss_question(question) if language == "ja" else ""
        vectors = self._embedder.embed([question, glossed] if glossed else [question])
        read = reading.result()
        similarity, text_words = _similarities(own, vectors[0]), own.words.texts.scores(question)
        length = math.sqrt(max(1, len(tokens_of(question))))
        widened = expand(question)
        own_words = float(own.words.own.scores(widened).max()) / length
        views = [
            self._best(own, similarity),
            self._mean_of_best(own, similarity),
            own.words.whole.scores(question) / length,
            own.words.whole.scores(widened) / length,
            np.maximum(self._best(own, text_words), 0.0) / length,
            read.entries,
        ]
        if language == "ja":
            views += self._by_gloss(glossed, vectors[-1])
        return Scored(
            question,
            np.stack(views, axis=-1).astype(np.float64),
            read,
            vectors[-1],
            similarity,
            text_words,
            own_words,
        )

    def signs(self, question: str, scored: Scored, fused: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The signs of a question in scope, shape (signs,), in the order of `SIGNS`."""
        best = np.sort(fused)[::-1]
        similar, read = (np.sort(scored.views[:, _OWN.index(name)])[::-1] for name in ("similar", "reader"))
        chances = np.exp(read)
        pieces = content_pieces(question)
        # One is added, so that a single known word is not all of a question.
        known = len(pieces & self._vocabulary) / (len(pieces) + 1)
        return np.array(
            [
                best[0],
                best[0] - best[min(NEIGHBOURS, len(best)) - 1],
                read[0],
                scored.read.outside,
                -float((chances * read).sum()),
                similar[0],
                similar[:NEIGHBOURS].mean(),
                scored.own_words,
                known,
                math.log1p(len(pieces)),
            ]
        )

    def _by_gloss(self, glossed: str, vector: Floats) -> list[Floats]:
        if not glossed:
            return [np.zeros(self._count, dtype=np.float32)] * 2
        english = self.collections["en"]
        length = math.sqrt(max(1, len(tokens_of(glossed))))
        return [self._best(english, _similarities(english, vector)), english.words.whole.scores(glossed) / length]

    def _best(self, texts: _Collection, by_text: Floats) -> Floats:
        """Score of each entry's best text."""
        best = np.full(self._count, -1.0, dtype=np.float32)
        np.maximum.at(best, texts.owners, by_text)
        return best

    def _mean_of_best(self, texts: _Collection, by_text: Floats, count: int = 3) -> Floats:
        """Mean score of each entry's best texts."""
        order = np.lexsort((-by_text, texts.owners))
        starts = np.searchsorted(texts.owners[order], np.arange(self._count))
        ranked = by_text[order]
        return np.stack([ranked[starts + i] for i in range(count)]).mean(axis=0)


def _similarities(texts: _Collection, vector: Floats) -> Floats:
    """Cosine similarity of each text; by einsum, for the threads of a BLAS would hold the cores after their millisecond's work."""
    return np.einsum("td,d->t", texts.vectors, vector)


def fuse_views(views: npt.NDArray[np.float64], language: Language, weights: Weights) -> npt.NDArray[np.float64]:
    """The weighted sum of the views, shape (entries,)."""
    return views @ np.array([weights.views[name] for name in VIEWS[language]])


def worded_alike(scored: Scored) -> npt.NDArray[np.bool_]:
    """Whether a question is one of an entry's own wordings, shape (entries,)."""
    return scored.views[:, _OWN.index("similar")] >= OWN_WORDING


def is_close(signs: npt.NDArray[np.float64], scored: Scored, weights: Weights) -> bool:
    """Whether the guidance has anything to say to a question."""
    if worded_alike(scored).any():
        return True
    return closeness(signs, scored, weights) >= 0


def closeness(signs: npt.NDArray[np.float64], scored: Scored, weights: Weights) -> float:
    """What the two fitted judges say to the same together: yes from 0 on."""
    by_sign = float(signs @ np.array([weights.signs[name] for name in SIGNS]))
    by_vector = scored.read.pooled @ np.array(weights.pooled) + scored.meaning @ np.array(weights.meaning)
    return by_sign + float(by_vector) + weights.bias
