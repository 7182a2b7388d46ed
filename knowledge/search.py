"""The tool `search_guidance`: passages that answer a question, or "nothing close enough".

Each entry is scored in several views (`knowledge/scoring.py`): meaning, words widened by the glossary, and what a reader
has learnt from wordings; a Japanese question is also asked in English by its gloss. Each entry gives one passage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from knowledge.embedding import Embedder
from knowledge.entry import FOLDER, Entry
from knowledge.entry_reader import EntryReader
from knowledge.errors import InvalidQuery
from knowledge.lexical import language_of
from knowledge.neighbours import Neighbours
from knowledge.passages import QUOTED, quote_of
from knowledge.prepared import open_prepared
from knowledge.ranking import best_first
from knowledge.related import chances_to_help
from knowledge.scoring import EntryScoring, Scored, fuse_views, is_close, read_weights, worded_alike
from knowledge.topics import LANGUAGES, STAGES, TOPICS, Language

MAX_QUERY = 2_000
"""Characters of a question that are read."""
MAX_LIMIT = 20
CLEARLY = {"en": 0.15, "ja": 6.0}
"""By how much another section must be closer (similarity, BM25) to be quoted in place of the answer."""
_ASKED = {
    "why": re.compile(r"\b(?:why|reasons?)\b|なぜ|何故|理由|どうして", re.IGNORECASE),
    "check": re.compile(
        r"\b(?:check|test|verify|inspect|measure|look\s+(?:at|for)|find\s+out|how\s+(?:do|can|would)\s+(?:i|we)\s+(?:know|tell|see))"
        r"|確認|確かめ|調べ|見分け|検証|点検|テスト",
        re.IGNORECASE,
    ),
}
"""Words that ask for another section than the answer."""
RECALLED = 0.0
"""Score of a passage that no search ranked."""
_NOTHING = "Nothing in the guidance is close enough to this question."


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
    """Chance that it helps, 0 to 1, higher is closer; 0 for an entry that a follow-up recalls."""
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


class GuidanceSearch:
    """Searches the guidance; safe to use from several threads.

    Args:
        index_folder: Where the Chroma index is kept; built now when it is missing, damaged or out of date.
        embedder: Makes the dense vectors.
        guidance_folder: Where the entries are.
        minilm: Folder of all-MiniLM-L6-v2 for the entry reader; the embedder's when absent.
    """

    def __init__(
        self, index_folder: Path, embedder: Embedder, guidance_folder: Path = FOLDER, minilm: Path | None = None
    ) -> None:
        from knowledge.index import open_index  # noqa: PLC0415 (heavy import, only when needed)

        prepared = open_prepared(index_folder, guidance_folder)
        self._entries, self._companions = prepared.entries, prepared.companions
        self._embedder = embedder
        index = open_index(index_folder, prepared.texts, embedder)
        self.index_problem = index.problem
        """Why the index could not be kept; empty when it was."""
        reader = EntryReader(minilm or embedder.folder, [entry.id for entry in self._entries])
        self._scoring = EntryScoring(prepared, index.vectors, embedder, reader)
        self._neighbours = Neighbours([entry.id for entry in self._entries])
        self._weights = read_weights()

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
        asked_in = language_of(text)
        allowed = np.array([_matches(entry, stage, topic) for entry in self._entries])
        if not text or not allowed.any():
            return GuidanceResult(query=query, passages=(), note=_NOTHING)
        scored, weights = self._scoring.score(text, asked_in), self._weights[asked_in]
        fused = fuse_views(scored.views, asked_in, weights)
        if topic is None and not is_close(self._scoring.signs(text, scored, fused), scored, weights):
            return GuidanceResult(query=query, passages=(), note=_NOTHING)
        alike = self._neighbours.chances(scored.read.pooled)
        chances = np.where(allowed, chances_to_help(fused, self._companions, alike), 0.0)
        # An entry whose own wording was asked comes before what merely helps, too.
        order = chances + (allowed & worded_alike(scored))
        best = self._with_parts([int(i) for i in best_first(order, limit) if allowed[i]], allowed)[:limit]
        passages = tuple(self._passage(i, float(chances[i]), scored, asked_in, language or asked_in) for i in best)
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

    def _with_parts(self, best: list[int], allowed: npt.NDArray[np.bool_]) -> list[int]:
        """The best entries; behind an overview its own parts come before what is merely close to the question."""
        if not best:
            return best
        position = {entry.id: i for i, entry in enumerate(self._entries)}
        parts = [i for part in self._entries[best[0]].parts if allowed[i := position[part]]]
        return list(dict.fromkeys([best[0], *parts, *best[1:]]))

    def _passage(self, i: int, score: float, scored: Scored, asked_in: Language, language: Language) -> Passage:
        return self._quoted(i, self._section(i, scored, asked_in), language, score)

    def _quoted(self, i: int, section: str, language: Language, score: float) -> Passage:
        entry = self._entries[i]
        return Passage(
            entry=entry.id,
            title=entry.title_in(language),
            topics=entry.topics,
            quote=quote_of(entry, language, section),
            source=entry.citation(),
            references=tuple(source.reference() for source in entry.sources),
            score=round(score, 6),
            language=language,
            section=section,
            sentence_to_say=entry.text(language).say,
            tools=entry.tools,
        )

    def _section(self, i: int, scored: Scored, language: Language) -> str:
        """The section to quote: the answer, unless the question asks for the reasons or the checks and they are clearly closer."""
        asked = [section for section, words in _ASKED.items() if words.search(scored.question)]
        texts = self._scoring.collections[language]
        by_text = scored.similarity if language == "en" else scored.text_words
        found = {
            texts.texts[row].piece: float(by_text[row])
            for row in np.flatnonzero(texts.owners == i)
            if texts.texts[row].piece in QUOTED
        }
        best = max(("what", *asked), key=lambda section: found[section])
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
