"""The words of all documents, ranked by BM25 in Tantivy: a cache on disk that follows the database document by document.

Each document goes in or out by one commit, together with a mark that says so: a process that is killed leaves the last
commit. One process writes at a time; the others see its commits. A folder that is damaged is built anew, and one that
cannot be written is replaced by an index in memory.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.documents.words import words_of

FORM = "1"
"""Version of what is stored; a change of form makes every index out of date."""
MOST_TOKENS = 64
"""Tokens of a question that are looked up, the rarest first."""
_PROBE = "licences/quantised_models-v1.2、事前学習モデルの利用規程、版とGPUメモリ"
"""How this text is taken apart tells one way of doing so from another."""
_HEAP_BYTES = 64 * 1024 * 1024
_BODY, _DOCUMENT, _NUMBER, _MARK = "body", "document", "number", "mark"


class LexicalHit(NamedTuple):
    """A passage with words of the question."""

    document: int
    number: int
    score: float


class LexicalIndex:
    """Finds passages by their words; safe to use from several threads.

    Args:
        folder: Where it is kept; None keeps it in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder / f"words-{_form()}"
        self._index = self._opened()
        self._held: frozenset[int] = frozenset()

    def follow(self, current: Callable[[], Mapping[int, str]], texts: Callable[[str], Iterable[str]]) -> None:
        """Make it hold the documents that there are, and no others.

        Args:
            current: The documents by number of up to 63 bits. Asked again by the one process that writes, so that none
                takes the index back to an older state.
            texts: The passages of a document in order.
        """
        wanted = current()
        if wanted.keys() == self._held:
            return
        self._index.reload()
        self._held = self._read_held()
        if wanted.keys() == self._held:
            return
        try:
            with self._only_writer():
                self._index.reload()
                self._held = self._write(current(), texts)
        except OSError:
            # The folder cannot be written; the words are then kept in memory, as long as this process lasts.
            self._folder = None
            self._index = self._opened()
            self._held = self._write(wanted, texts)

    def best(self, tokens: Sequence[str], limit: int, documents: Iterable[int] | None = None) -> list[LexicalHit]:
        """The passages that match best, the best first.

        Args:
            tokens: Tokens of the question.
            limit: Most passages.
            documents: Only passages of these documents; all when absent.
        """
        import tantivy  # noqa: PLC0415 (heavy import, only when needed)

        searcher = self._index.searcher()
        known = self._rarest(searcher, tokens)
        if not known:
            return []
        schema = self._index.schema
        should = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, _BODY, token, "freq")) for token in known]
        query = tantivy.Query.boolean_query(should)
        if documents is not None:
            allowed = tantivy.Query.term_set_query(schema, _DOCUMENT, list(documents))
            within = tantivy.Query.const_score_query(allowed, 0.0)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, within), (tantivy.Occur.Must, query)])
        hits = searcher.search(query, limit, count=False).hits
        addresses = [address for _, address in hits]
        keys = searcher.fast_field_values(_DOCUMENT, addresses)
        numbers = searcher.fast_field_values(_NUMBER, addresses)
        return [LexicalHit(key, number, score) for (score, _), key, number in zip(hits, keys, numbers, strict=True)]

    def weight(self, token: str) -> float:
        """How much it tells that a passage has this token, from 0 for one that all have to 1 for one that none has."""
        searcher = self._index.searcher()
        rarest = 2 * (searcher.num_docs + 1)
        return max(0.0, math.log(rarest / (2 * searcher.doc_freq(_BODY, token) + 1)) / math.log(rarest))

    def _rarest(self, searcher: Any, tokens: Sequence[str]) -> list[str]:
        counts = {token: searcher.doc_freq(_BODY, token) for token in dict.fromkeys(tokens)}
        return sorted((token for token, count in counts.items() if count), key=lambda t: counts[t])[:MOST_TOKENS]

    def _opened(self) -> Any:
        import tantivy  # noqa: PLC0415 (heavy import, only when needed)

        schema = (
            tantivy.SchemaBuilder()
            .add_text_field(_BODY, stored=False, tokenizer_name="whitespace", index_option="freq")
            .add_unsigned_field(_DOCUMENT, stored=False, indexed=True, fast=True)
            .add_unsigned_field(_NUMBER, stored=False, indexed=False, fast=True)
            .add_unsigned_field(_MARK, stored=False, indexed=True, fast=False)
            .build()
        )
        if self._folder is None:
            return tantivy.Index(schema)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return tantivy.Index(schema, path=str(self._folder))
        except (OSError, ValueError):
            return self._built_anew(schema)

    def _built_anew(self, schema: Any) -> Any:
        """An empty index, where the folder has a damaged one; in memory where it cannot be written."""
        import tantivy  # noqa: PLC0415 (heavy import, only when needed)

        try:
            assert self._folder is not None
            shutil.rmtree(self._folder)
            self._folder.mkdir(parents=True)
            return tantivy.Index(schema, path=str(self._folder))
        except (OSError, ValueError):
            self._folder = None
            return tantivy.Index(schema)

    def _read_held(self) -> frozenset[int]:
        """Keys of the documents whose mark is there."""
        import tantivy  # noqa: PLC0415 (heavy import, only when needed)

        searcher = self._index.searcher()
        query = tantivy.Query.term_query(self._index.schema, _MARK, 1)
        hits = searcher.search(query, max(1, searcher.num_docs), count=False).hits
        return frozenset(searcher.fast_field_values(_DOCUMENT, [address for _, address in hits]))

    def _write(self, wanted: Mapping[int, str], texts: Callable[[str], Iterable[str]]) -> frozenset[int]:
        import tantivy  # noqa: PLC0415 (heavy import, only when needed)

        held = self._read_held()
        if held == wanted.keys():
            return held
        writer, schema = self._index.writer(_HEAP_BYTES, 1), self._index.schema
        for number in held - wanted.keys():
            # By a query, for a number alone is taken for one with a sign, which no document has.
            writer.delete_documents_by_query(tantivy.Query.term_query(schema, _DOCUMENT, number))
        for number in sorted(wanted.keys() - held):
            for i, text in enumerate(texts(wanted[number])):
                writer.add_document(_entry(schema, document=number, number=i, body=" ".join(words_of(text))))
            writer.add_document(_entry(schema, document=number, mark=1))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        return frozenset(wanted)

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """One writer at a time; the lock ends with its process."""
        if self._folder is None:
            yield
            return
        with (self._folder.parent / "words.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
                self._sweep()
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)

    def _sweep(self) -> None:
        """Remove what other versions left."""
        assert self._folder is not None
        for old in self._folder.parent.glob("words-*"):
            if old != self._folder:
                shutil.rmtree(old, ignore_errors=True)


def _entry(schema: Any, **fields: int | str) -> Any:
    import tantivy  # noqa: PLC0415 (heavy import, only when needed)

    # By the schema, for a number without it is taken for one with a sign.
    return tantivy.Document.from_dict(fields, schema)


def _form() -> str:
    return hashlib.sha256(f"{FORM} {words_of(_PROBE)}".encode()).hexdigest()[:12]


def keys_by_number(keys: Iterable[str]) -> dict[int, str]:
    """Keys of documents, which are hexadecimal, by the numbers that stand for them in the index."""
    return {int(key[:15], 16): key for key in keys}
