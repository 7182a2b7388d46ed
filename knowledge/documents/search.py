"""Finds what the team's own documents say to a question, or that none of them says anything close to it.

The question is compared by meaning and by words with the passages that its user may see, and with no others; the two
rankings are fused by reciprocal rank.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.documents.closeness import Closeness, language_of
from knowledge.documents.lexical_index import LexicalIndex, keys_by_number
from knowledge.documents.source import KeptDocument, PassageSource
from knowledge.documents.vector_table import Bytes, Rows, VectorTable
from knowledge.documents.words import asked_words
from knowledge.embedding import Embedder, Floats
from knowledge.ranking import fuse
from knowledge.team_passage import TeamPassage
from knowledge.topics import Language

MAX_QUERY = 2_000
"""Characters of a question that are read."""
DEPTH = 60
"""Passages of each ranking that count."""
JUDGED = 12
"""Passages, the best first, of which each is judged whether it is close enough."""
MOST_OF_ONE_DOCUMENT = 2
WEIGHTS: dict[Language, tuple[float, float]] = {"en": (2.0, 1.5), "ja": (1.0, 2.0)}
"""Weights of the two rankings, by meaning and by words."""


class PolicyPassage(BaseModel):
    """A quoted piece of one of the team's own documents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["policy"] = "policy"
    """It binds the team: it outranks guidance."""
    passage: str
    """Id of the passage, such as `D1a2b3c4d.12`."""
    document: str
    """Document id, such as `D1a2b3c4d`; cite it."""
    title: str
    """Title of the document."""
    place: str
    """Where in it: page or headings; empty when it has neither."""
    quote: str
    """The passage, word by word."""
    sentence: str
    """The sentence of it that is closest to the question, word by word."""
    shared: bool
    """Whether the whole team sees the document."""
    score: float
    """Fused rank score, higher is closer."""


class _State(NamedTuple):
    """All documents at one revision."""

    revision: int
    documents: tuple[KeptDocument, ...]
    first_rows: Rows
    """Row of each document's first passage, and the number of all."""
    owners: Rows
    """Which document each row belongs to."""
    table: VectorTable
    parts: dict[str, Bytes]
    by_number: dict[int, int]
    """Which document a number of the lexical index stands for."""


class DocumentSearch:
    """Searches the team's documents; safe to use from several threads.

    Args:
        source: Keeps the documents.
        embedder: Makes a question's vector.
        folder: Where the index of words is kept; None keeps it in memory.
    """

    def __init__(self, source: PassageSource, embedder: Embedder, folder: Path | None) -> None:
        self._source = source
        self._embedder = embedder
        self._words = LexicalIndex(folder)
        self._changing = threading.Lock()
        self._state: _State | None = None

    def search(
        self, query: str, user: str, limit: int = 3, documents: Collection[str] | None = None
    ) -> tuple[PolicyPassage, ...]:
        """Passages for a question, the closest first; none when nothing is close enough.

        Args:
            query: The question; its first 2,000 characters are read.
            user: Who asks; what is neither theirs nor shared is not looked at.
            limit: Most passages.
            documents: Only documents of these ids.
        """
        state = self._current()
        allowed = _allowed(state.documents, user, documents)
        text = query[:MAX_QUERY].strip()
        if not text or not allowed or limit < 1:
            return ()
        ranked = self._ranked(state, allowed, text)
        found = self._source.passages_at([(state.documents[each.document].key, each.number) for each in ranked], user)
        ranks = {(state.documents[each.document].id, each.number): each for each in ranked}
        ranks_found = [ranks[passage.document, int(passage.id.partition(".")[2])] for passage in found]
        closeness = Closeness(text, self._words.weight)
        close = closeness.close(found, [rank.similarity for rank in ranks_found])
        kept: list[PolicyPassage] = []
        for passage, rank, is_close in zip(found, ranks_found, close, strict=True):
            of_document = sum(each.document == passage.document for each in kept)
            if is_close and of_document < MOST_OF_ONE_DOCUMENT:
                kept.append(_quoted(passage, closeness.closest_sentence(passage), rank.score))
        return tuple(kept[:limit])

    def refresh(self) -> None:
        """Take in what has changed, so that the next question need not wait for it."""
        self._current()

    def _current(self) -> _State:
        revision = self._source.revision()
        state = self._state
        if state is not None and state.revision == revision:
            return state
        with self._changing:
            if self._state is None or self._state.revision != self._source.revision():
                self._state = self._read(self._state)
            return self._state

    def _read(self, before: _State | None) -> _State:
        """All documents as they are now; vectors that are here already are not read again."""
        # First the number, then what it stands for: a change in between is then seen again at the next question.
        revision, there = self._source.revision(), self._source.documents()
        known = before.parts if before else {}
        parts = {d.key: known[d.key] if d.key in known else self._source.vectors(d.key) for d in there}
        documents = tuple(d for d in there if d.passages and len(parts[d.key]) == d.passages)
        self._words.follow(lambda: keys_by_number(d.key for d in self._source.documents()), self._source.searched_texts)
        counts = [d.passages for d in documents]
        table = VectorTable([parts[d.key] for d in documents])
        first_rows = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        position = {d.key: i for i, d in enumerate(documents)}
        return _State(
            revision=revision,
            documents=documents,
            first_rows=first_rows,
            owners=np.repeat(np.arange(len(documents)), counts),
            table=table,
            parts={d.key: table.vectors[first_rows[i] : first_rows[i + 1]] for i, d in enumerate(documents)},
            by_number={number: position[key] for number, key in keys_by_number(position).items()},
        )

    def _ranked(self, state: _State, allowed: list[int], text: str) -> list[_Ranked]:
        """The best passages of the allowed documents."""
        language, vector = language_of(text), self._embedder.embed([text])[0]
        every = len(allowed) == len(state.documents)
        rows = None if every else _rows_of(state, allowed)
        found = [
            state.table.nearest(vector, DEPTH, rows),
            self._by_words(state, asked_words(text, language), None if every else allowed),
        ]
        candidates = np.unique(np.concatenate([each for each, _ in found]))
        scores = [_spread(candidates, each, values) for each, values in found]
        fused = fuse(scores, WEIGHTS[language], DEPTH)
        best = np.argsort(-fused, kind="stable")[:JUDGED]
        similarity = state.table.similarity(vector, candidates[best])
        return [
            _Ranked(int(owner), int(row - state.first_rows[owner]), round(float(score), 5), float(like))
            for row, owner, score, like in zip(
                candidates[best], state.owners[candidates[best]], fused[best], similarity, strict=True
            )
        ]

    def _by_words(self, state: _State, words: list[str], allowed: list[int] | None) -> tuple[Rows, Floats]:
        numbers = list(state.by_number) if allowed is None else _numbers_of(state, allowed)
        hits = self._words.best(words, DEPTH, None if allowed is None else numbers)
        # Another process may have added to the index since.
        there = [hit for hit in hits if hit.document in state.by_number]
        rows = [state.first_rows[state.by_number[hit.document]] + hit.number for hit in there]
        return np.array(rows, dtype=np.intp), np.array([hit.score for hit in there], dtype=np.float32)


class _Ranked(NamedTuple):
    """A passage with its rank."""

    document: int
    number: int
    score: float
    similarity: float


def _allowed(documents: Sequence[KeptDocument], user: str, ids: Collection[str] | None) -> list[int]:
    """What the user may see of it, each document once: their own before the same one that another user shares."""
    seen = [i for i, d in enumerate(documents) if d.is_seen_by(user) and (ids is None or d.id in ids)]
    seen.sort(key=lambda i: documents[i].user != user)
    return sorted({documents[i].id: i for i in reversed(seen)}.values())


def _rows_of(state: _State, allowed: list[int]) -> Rows:
    wanted = np.zeros(len(state.documents), dtype=np.bool_)
    wanted[allowed] = True
    return np.flatnonzero(wanted[state.owners])


def _numbers_of(state: _State, allowed: list[int]) -> list[int]:
    wanted = set(allowed)
    return [number for number, i in state.by_number.items() if i in wanted]


def _spread(candidates: Rows, rows: Rows, values: Floats) -> Floats:
    """The values at their place among the candidates, 0 for all others."""
    spread = np.zeros(len(candidates), dtype=np.float32)
    spread[np.searchsorted(candidates, rows)] = values
    return spread


def _quoted(passage: TeamPassage, sentence: str, score: float) -> PolicyPassage:
    return PolicyPassage(
        passage=passage.id,
        document=passage.document,
        title=passage.title,
        place=passage.place,
        quote=passage.text,
        sentence=sentence,
        shared=passage.shared,
        score=score,
    )
