"""The tool `search_guidance`: passages that answer a question, or "nothing close enough".

Dense (MiniLM) and lexical (words and Japanese character pieces, widened by the glossary) rankings of the entries are
fused by reciprocal rank. The texts searched are those in the question's language; a Japanese question is also asked in
English as far as the glossary knows its terms. Each entry gives one passage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from knowledge.closeness import Closeness
from knowledge.embedding import Embedder, Floats
from knowledge.entry import FOLDER, Entry, read_entries
from knowledge.errors import InvalidQuery
from knowledge.glossary import expand, translate
from knowledge.lexical import LexicalRanker
from knowledge.passages import QUOTED, IndexedText, indexed_texts, quote_of, whole_text
from knowledge.ranking import best_first, fuse
from knowledge.topics import LANGUAGES, STAGES, TOPICS, Language

MAX_QUERY = 2_000
"""Characters of a question that are read."""
MAX_LIMIT = 20
WEIGHTS: dict[Language, tuple[float, ...]] = {"en": (2.0, 1.0, 1.0), "ja": (1.0, 2.0, 1.0, 0.5)}
"""Weights of the rankings: dense, lexical by entry, lexical by text, and dense by the English terms of the glossary."""
CLEARLY = {"en": 0.15, "ja": 6.0}
"""By how much another section must be closer (similarity, BM25) to be quoted in place of the answer."""
RECALLED = 0.0
"""Score of a passage that no search ranked."""
_NOTHING = "Nothing in the guidance is close enough to this question."
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]")


class Passage(BaseModel):
    """A quoted piece of guidance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entry: str
    """Entry id, such as `G07`; cite it."""
    title: str
    """Title of the entry in the passage's language."""
    topics: tuple[str, ...]
    """Topics of the entry."""
    quote: str
    """The passage, word by word."""
    source: str
    """Sources of the entry with their scope, or `practice`."""
    references: tuple[str, ...]
    """The same sources as short as they can still be found; empty for practice."""
    score: float
    """Fused rank score, higher is closer; 0 for an entry that a follow-up recalls."""
    language: Language
    """Language of the passage."""
    section: str
    """Section of the entry that is quoted: what, why or check; where a follow-up asked for it another one."""
    sentence_to_say: str
    """A sentence for a meeting."""
    tools: tuple[str, ...]
    """Tools that answer the entry's checks."""


class GuidanceResult(BaseModel):
    """What the guidance says to a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str
    """The question."""
    passages: tuple[Passage, ...]
    """Passages, the closest first; empty when nothing is close enough."""
    note: str
    """Says so when nothing is close enough."""


class _Collection(NamedTuple):
    """The texts of one language."""

    texts: list[IndexedText]
    owners: npt.NDArray[np.intp]
    """Which entry each text belongs to."""
    vectors: Floats
    lexical: LexicalRanker
    """Over the texts."""
    whole: LexicalRanker
    """Over the entries."""


class _Scores(NamedTuple):
    """How close the texts are to a question."""

    entries: npt.NDArray[np.float64]
    similarity: Floats
    """By text."""
    text_lexical: Floats
    """By text."""
    entry_lexical: Floats
    """By entry."""


class GuidanceSearch:
    """Searches the guidance; safe to use from several threads.

    Args:
        index_folder: Where the Chroma index is kept; built now when it is missing, damaged or out of date.
        embedder: Makes the dense vectors.
        guidance_folder: Where the entries are.
    """

    def __init__(self, index_folder: Path, embedder: Embedder, guidance_folder: Path = FOLDER) -> None:
        from knowledge.index import open_index  # noqa: PLC0415 (heavy import, only when needed)

        self._entries = read_entries(guidance_folder)
        self._embedder = embedder
        texts = indexed_texts(self._entries)
        index = open_index(index_folder, texts, embedder)
        self.index_problem = index.problem
        """Why the index could not be kept; empty when it was."""
        self._collections = {language: self._collection(language, texts, index.vectors) for language in LANGUAGES}
        self._closeness = Closeness(whole_text(entry, language) for entry in self._entries for language in LANGUAGES)

    def search(
        self,
        query: str,
        stage: str | None = None,
        topic: str | None = None,
        limit: int = 4,
        language: Language | None = None,
    ) -> GuidanceResult:
        """Passages for a question.

        Args:
            query: The question; the first 2,000 characters are read.
            stage: Only entries of this stage.
            topic: Only entries of this topic; what is filed there counts as close.
            limit: Most passages, 1 to 20.
            language: Language of the passages; the question's own when absent.

        Raises:
            InvalidQuery: Unknown stage, topic or language, or a limit out of range.
        """
        _check_arguments(stage, topic, limit, language)
        text = query[:MAX_QUERY].strip()
        asked_in: Language = "ja" if _JAPANESE.search(text) else "en"
        allowed = np.array([_matches(entry, stage, topic) for entry in self._entries])
        if not text or not allowed.any():
            return GuidanceResult(query=query, passages=(), note=_NOTHING)
        scores = self._scores(text, asked_in)
        near = self._best(asked_in, scores.similarity)
        if topic is None and not self._closeness.is_close(text, asked_in, near, scores.entry_lexical):
            return GuidanceResult(query=query, passages=(), note=_NOTHING)
        ranked = np.where(allowed, scores.entries, 0.0)
        best = self._with_parts([int(i) for i in best_first(ranked, limit) if ranked[i] > 0], allowed)[:limit]
        passages = tuple(self._passage(i, scores, asked_in, language or asked_in) for i in best)
        return GuidanceResult(query=query, passages=passages, note="" if passages else _NOTHING)

    def recall(self, entries: Sequence[str], section: str, language: Language, query: str) -> GuidanceResult:
        """One part of entries that were shown before, word by word and in this order.

        Args:
            entries: Entry ids; those that are not there any more are left out.
            section: A section of `knowledge.entry.SECTIONS`, or `sources`.
            language: Language of the passages.
            query: What was asked.
        """
        position = {entry.id: i for i, entry in enumerate(self._entries)}
        known = [position[id] for id in entries if id in position]
        passages = tuple(self._quoted(i, section, language, RECALLED) for i in known)
        return GuidanceResult(query=query, passages=passages, note="" if passages else _NOTHING)

    def _collection(self, language: Language, texts: list[IndexedText], vectors: Floats) -> _Collection:
        rows = [i for i, text in enumerate(texts) if text.language == language]
        position = {entry.id: i for i, entry in enumerate(self._entries)}
        own = [texts[i] for i in rows]
        return _Collection(
            texts=own,
            owners=np.array([position[text.entry] for text in own]),
            vectors=vectors[rows],
            lexical=LexicalRanker([text.text for text in own]),
            whole=LexicalRanker([whole_text(entry, language) for entry in self._entries]),
        )

    def _scores(self, text: str, language: Language) -> _Scores:
        texts, widened = self._collections[language], expand(text)
        in_english = translate(text, "en") if language == "ja" else ""
        vectors = self._embedder.embed([text, in_english] if in_english else [text])
        similarity, text_lexical = texts.vectors @ vectors[0], texts.lexical.scores(widened)
        entry_lexical = texts.whole.scores(widened)
        rankings = [self._best(language, similarity), entry_lexical, self._best(language, text_lexical)]
        if in_english:
            rankings.append(self._best("en", self._collections["en"].vectors @ vectors[1]))
        fused = fuse(rankings, WEIGHTS[language][: len(rankings)])
        return _Scores(fused, similarity, text_lexical, entry_lexical)

    def _best(self, language: Language, by_text: Floats) -> Floats:
        """Score of each entry's best text."""
        best = np.full(len(self._entries), -1.0, dtype=np.float32)
        np.maximum.at(best, self._collections[language].owners, by_text)
        return best

    def _with_parts(self, best: list[int], allowed: npt.NDArray[np.bool_]) -> list[int]:
        """The best entries; behind an overview its own parts come before what is merely close to the question."""
        if not best:
            return best
        position = {entry.id: i for i, entry in enumerate(self._entries)}
        parts = [i for part in self._entries[best[0]].parts if allowed[i := position[part]]]
        return list(dict.fromkeys([best[0], *parts, *best[1:]]))

    def _passage(self, i: int, scores: _Scores, asked_in: Language, language: Language) -> Passage:
        return self._quoted(i, self._section(i, scores, asked_in), language, float(scores.entries[i]))

    def _quoted(self, i: int, section: str, language: Language, score: float) -> Passage:
        entry = self._entries[i]
        return Passage(
            entry=entry.id,
            title=entry.title_in(language),
            topics=entry.topics,
            quote=quote_of(entry, language, section),
            source=entry.citation(),
            references=tuple(source.reference() for source in entry.sources),
            score=round(score, 5),
            language=language,
            section=section,
            sentence_to_say=entry.text(language).say,
            tools=entry.tools,
        )

    def _section(self, i: int, scores: _Scores, language: Language) -> str:
        """The section to quote: the answer, unless another one is clearly closer to the question."""
        texts = self._collections[language]
        by_text = scores.similarity if language == "en" else scores.text_lexical
        found = {
            texts.texts[row].piece: float(by_text[row])
            for row in np.flatnonzero(texts.owners == i)
            if texts.texts[row].piece in QUOTED
        }
        best = max(QUOTED, key=lambda section: found[section])
        return best if found[best] - found["what"] >= CLEARLY[language] else "what"


def search_guidance(
    query: str, stage: str | None = None, topic: str | None = None, limit: int = 4, *, search: GuidanceSearch
) -> GuidanceResult:
    """Find guidance on reusing pre-trained models.

    Args:
        query: The question.
        stage: One of desk-check, proof-of-concept, pilot, production.
        topic: One of the topics of the guidance.
        limit: Most passages, 1 to 20.
        search: The search to ask.

    Raises:
        InvalidQuery: Unknown stage or topic, or a limit out of range.
    """
    return search.search(query, stage, topic, limit)


def _check_arguments(stage: str | None, topic: str | None, limit: int, language: str | None) -> None:
    for name, value, known in (("stage", stage, STAGES), ("topic", topic, TOPICS), ("language", language, LANGUAGES)):
        if value is not None and value not in known:
            raise InvalidQuery(f"There is no {name} `{value}`.", f"Known are {', '.join(known)}.")
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidQuery(f"A limit of `{limit}` is out of range.", f"Ask for 1 to {MAX_LIMIT} passages.")


def _matches(entry: Entry, stage: str | None, topic: str | None) -> bool:
    return (stage is None or stage in entry.stage) and (topic is None or topic in entry.topics)
