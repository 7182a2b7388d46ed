"""The tool `search_guidance`: passages that answer a question, or "nothing close enough".

Dense (MiniLM) and lexical (words and Japanese character pieces, with the glossary) rankings are fused by reciprocal
rank; an entry counts by its best text; one passage an entry is returned, in the question's language.
"""

from __future__ import annotations

import re
import threading
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.embedding import Embedder
from knowledge.entry import FOLDER, Entry, read_entries
from knowledge.errors import InvalidQuery
from knowledge.glossary import expand
from knowledge.index import open_index
from knowledge.lexical import LexicalRanker
from knowledge.passages import indexed_texts, source_text
from knowledge.ranking import fuse
from knowledge.topics import STAGES, TOPICS

CLOSE_ENOUGH = {"en": (0.36, 5.0), "ja": (0.80, 8.0)}
"""Dense similarity and lexical score of which a passage must reach one; measured on questions in and out of scope."""
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


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
    score: float
    """Fused rank score, higher is closer."""
    language: Literal["en", "ja"]
    """Language of the passage."""
    section: str
    """Section of the entry that is quoted."""
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
    """Searches the guidance.

    Args:
        index_folder: Where the Chroma index is kept.
        embedder: Makes the dense vectors.
        guidance_folder: Where the entries are.
    """

    def __init__(self, index_folder: Path, embedder: Embedder, guidance_folder: Path = FOLDER) -> None:
        self._entries = {e.id: e for e in read_entries(guidance_folder)}
        self._texts = indexed_texts(self._entries.values())
        self._embedder = embedder
        ids, vectors = open_index(index_folder, self._texts, embedder)
        position = {id_: i for i, id_ in enumerate(ids)}
        self._vectors = vectors[[position[t.id] for t in self._texts]]
        self._lock = threading.Lock()

    @cached_property
    def _lexical(self) -> LexicalRanker:
        return LexicalRanker([t.text for t in self._texts])

    def search(self, query: str, stage: str | None = None, topic: str | None = None, limit: int = 3) -> GuidanceResult:
        """Passages for a question.

        Args:
            query: The question, at most 2,000 characters are read.
            stage: Only entries of this stage.
            topic: Only entries of this topic.
            limit: Most passages, 1 to 20.

        Raises:
            InvalidQuery: Unknown stage or topic, or a limit out of range.
        """
        _check_arguments(stage, topic, limit)
        text = query[:2000]
        language: Literal["en", "ja"] = "ja" if _JAPANESE.search(text) else "en"
        with self._lock:
            lexical = self._lexical.scores(expand(text))
        dense = (self._vectors @ self._embedder.embed([text])[0]).astype(np.float32)
        best = self._best_by_entry(dense, lexical, language)
        chosen = [e for e in best if _matches(self._entries[e], stage, topic)][:limit]
        if not chosen or not _is_close(dense, lexical, language):
            return GuidanceResult(
                query=query, passages=(), note="Nothing in the guidance is close enough to this question."
            )
        return GuidanceResult(query=query, passages=tuple(self._passage(e, best[e], language) for e in chosen), note="")

    def _best_by_entry(self, dense: np.ndarray, lexical: np.ndarray, language: str) -> dict[str, float]:
        """Entries with the score of their best text, the best first; texts in the question's language weigh more."""
        fused = fuse([dense, lexical, lexical if language == "ja" else dense])
        scores: dict[str, float] = {}
        for i, text in enumerate(self._texts):
            if fused[i] > 0:
                scores[text.entry] = max(scores.get(text.entry, 0.0), float(fused[i]))
        return dict(sorted(scores.items(), key=lambda pair: -pair[1]))

    def _passage(self, entry_id: str, score: float, language: Literal["en", "ja"]) -> Passage:
        entry = self._entries[entry_id]
        return Passage(
            entry=entry.id,
            title=getattr(entry.title, language),
            topics=entry.topics,
            quote=entry.sections[language]["what"].split("\n\n")[0],
            source=source_text(entry),
            score=round(score, 5),
            language=language,
            section="what",
            sentence_to_say=entry.sections[language]["say"],
            tools=entry.tools,
        )


def search_guidance(
    query: str, stage: str | None = None, topic: str | None = None, limit: int = 3, *, search: GuidanceSearch
) -> GuidanceResult:
    """Find guidance on reusing pre-trained models.

    Args:
        query: The question.
        stage: One of desk-check, proof-of-concept, pilot, production.
        topic: One of the topics of the guidance.
        limit: Most passages, 1 to 20.
        search: The search to ask.
    """
    return search.search(query, stage, topic, limit)


def _check_arguments(stage: str | None, topic: str | None, limit: int) -> None:
    if stage is not None and stage not in STAGES:
        raise InvalidQuery(f"There is no stage `{stage}`.", f"Stages are {', '.join(STAGES)}.")
    if topic is not None and topic not in TOPICS:
        raise InvalidQuery(f"There is no topic `{topic}`.", f"Topics are {', '.join(TOPICS)}.")
    if not 1 <= limit <= 20:
        raise InvalidQuery(f"A limit of `{limit}` is out of range.", "Ask for 1 to 20 passages.")


def _matches(entry: Entry, stage: str | None, topic: str | None) -> bool:
    return (stage is None or stage in entry.stage) and (topic is None or topic in entry.topics)


def _is_close(dense: np.ndarray, lexical: np.ndarray, language: str) -> bool:
    similarity, overlap = CLOSE_ENOUGH[language]
    return float(dense.max()) >= similarity or float(lexical.max()) >= overlap
