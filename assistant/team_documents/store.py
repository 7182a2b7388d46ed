"""The team's documents in the SQL database: whose each is, its passages, and their vectors.

A document is written by one transaction, so that it is there as a whole or not at all. Every query for a user names the
user in the query itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import uuid4

import numpy as np

from assistant.database import Row, Transaction, open_database
from assistant.team_documents.records import NewDocument, TeamDocument, searched_text
from knowledge.documents.source import KeptDocument
from knowledge.documents.vector_table import Bytes, as_bytes
from knowledge.embedding import DIMENSIONS, Embedder
from knowledge.errors import DocumentError, DocumentNotFound
from knowledge.team_passage import TeamPassage

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS team_documents (
        "key" VARCHAR(32) NOT NULL PRIMARY KEY, "user" VARCHAR(200) NOT NULL, id VARCHAR(9) NOT NULL,
        sha256 VARCHAR(64) NOT NULL, title TEXT NOT NULL, file_name TEXT NOT NULL, format VARCHAR(10) NOT NULL,
        size_bytes INTEGER NOT NULL, passages INTEGER NOT NULL, shared INTEGER NOT NULL,
        added_at VARCHAR(40) NOT NULL, UNIQUE ("user", sha256))""",
    """CREATE TABLE IF NOT EXISTS team_passages (
        document VARCHAR(32) NOT NULL, number INTEGER NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (document, number))""",
    """CREATE TABLE IF NOT EXISTS team_vectors (
        document VARCHAR(32) NOT NULL PRIMARY KEY, model VARCHAR(64) NOT NULL, vectors {binary} NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS team_revision (id INTEGER NOT NULL PRIMARY KEY, number INTEGER NOT NULL)",
)
_AT_ONCE = 200
"""Passages that are asked for by one query, at most."""
_VISIBLE = '(d."user" = :user OR d.shared = 1)'


class DocumentStore:
    """The tables of the team's documents.

    Args:
        url: SQLAlchemy URL of the database.
        embedder: Gives the model of the vectors; makes them anew where another one made those that are kept.
    """

    def __init__(self, url: str, embedder: Callable[[], Embedder]) -> None:
        self._embedder = embedder
        self._database, self.set_aside = open_database(url, _SCHEMA)

    def add(self, document: NewDocument, *, user: str, shared: bool) -> TeamDocument:
        """Keep a document; the user's own one of the same bytes stays as it is.

        Raises:
            DocumentError: Another document has the same id.
        """
        key = uuid4().hex
        row = document.model_dump(include={"title", "file_name", "format", "sha256", "size_bytes"}) | {
            "key": key, "user": user, "id": document.id, "passages": len(document.texts), "shared": int(shared),
            "added_at": dt.datetime.now(dt.UTC).isoformat(),
        }  # fmt: skip
        names, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
        with self._database.transaction() as transaction:
            if there := _own(transaction, document.sha256, user):
                return _as_document(there)
            query = "SELECT sha256 FROM team_documents WHERE id = :id AND sha256 <> :sha256"
            if transaction.rows(query, id=document.id, sha256=document.sha256):
                raise DocumentError(
                    f"Another document has the same id `{document.id}` by chance.",
                    "Change a word or a space in this one, and add it again.",
                )
            transaction.change(f"INSERT INTO team_documents ({names}) VALUES ({values})", **row)
            for number, (place, text) in enumerate(zip(document.places, document.texts, strict=True)):
                transaction.change(
                    "INSERT INTO team_passages (document, number, place, text) VALUES (:document, :number, :place, :text)",
                    document=key, number=number, place=place, text=text,
                )  # fmt: skip
            self._keep_vectors(transaction, key, document.vectors)
            _count_up(transaction)
        return _as_document(row)

    def own(self, sha256: str, *, user: str) -> TeamDocument | None:
        """The user's own document of these bytes."""
        with self._database.transaction() as transaction:
            found = _own(transaction, sha256, user)
        return _as_document(found) if found else None

    def share(self, sha256: str, *, user: str) -> TeamDocument | None:
        """Let the whole team see the user's own document."""
        with self._database.transaction() as transaction:
            transaction.change(
                'UPDATE team_documents SET shared = 1 WHERE "user" = :user AND sha256 = :sha256',
                user=user,
                sha256=sha256,
            )
            _count_up(transaction)
            found = _own(transaction, sha256, user)
        return _as_document(found) if found else None

    def listed(self, *, user: str) -> list[TeamDocument]:
        """What the user sees, in the order in which it was added."""
        query = f"SELECT d.* FROM team_documents d WHERE {_VISIBLE} ORDER BY d.added_at, d.id"
        with self._database.transaction() as transaction:
            return [_as_document(row) for row in transaction.rows(query, user=user)]

    def has_any(self, *, user: str) -> bool:
        """Whether the user sees any document."""
        query = f'SELECT d."key" FROM team_documents d WHERE {_VISIBLE} LIMIT 1'
        with self._database.transaction() as transaction:
            return bool(transaction.rows(query, user=user))

    def remove(self, id: str, *, user: str) -> TeamDocument:
        """Forget a document of the user's own, with its passages.

        Raises:
            DocumentNotFound: There is none, or another user added it.
        """
        with self._database.transaction() as transaction:
            query = f"SELECT d.* FROM team_documents d WHERE d.id = :id AND {_VISIBLE}"
            seen = transaction.rows(query, id=id, user=user)
            own = next((row for row in seen if row["user"] == user), None)
            if own is None and seen:
                raise DocumentNotFound(
                    f"`{id}` was added by `{seen[0]['user']}`, who alone can remove it.", "Ask them to remove it."
                )
            if own is None:
                raise DocumentNotFound(
                    f"There is no document `{id[:40]}`.", "`tameshi index list` shows the documents with their ids."
                )
            for table, column in (
                ("team_passages", "document"),
                ("team_vectors", "document"),
                ("team_documents", "key"),
            ):
                transaction.change(f'DELETE FROM {table} WHERE "{column}" = :key', key=own["key"])
            _count_up(transaction)
        return _as_document(own)

    def passages(self, *, user: str) -> Iterator[TeamPassage]:
        """Every passage that the user may see: of each document once, in the order in which they were added."""
        with self._database.transaction() as transaction:
            query = f"SELECT d.* FROM team_documents d WHERE {_VISIBLE} ORDER BY d.added_at, d.id"
            own_first = sorted(transaction.rows(query, user=user), key=lambda row: row["user"] != user)
            once = {row["id"]: row for row in reversed(own_first)}
            chosen = sorted(once.values(), key=lambda row: (row["added_at"], row["id"]))
            found = [(row, _passages_of(transaction, row["key"])) for row in chosen]
        for document, passages in found:
            yield from (_as_passage(document, passage) for passage in passages)

    def revision(self) -> int:
        """A number that is greater after every change."""
        with self._database.transaction() as transaction:
            rows = transaction.rows("SELECT number FROM team_revision")
        return int(rows[0]["number"]) if rows else 0

    def documents(self) -> Sequence[KeptDocument]:
        """All documents of all users, for the index; what of it a user sees is the search's to choose."""
        query = 'SELECT "key", id, "user", shared, passages FROM team_documents ORDER BY added_at, "key"'
        with self._database.transaction() as transaction:
            return [
                KeptDocument(row["key"], row["id"], row["user"], bool(row["shared"]), row["passages"])
                for row in transaction.rows(query)
            ]

    def vectors(self, key: str) -> Bytes:
        """Vectors of a document's passages, in order; made anew where another model made them."""
        with self._database.transaction() as transaction:
            rows = transaction.rows("SELECT model, vectors FROM team_vectors WHERE document = :key", key=key)
        if rows and rows[0]["model"] == self._embedder().model_hash:
            return np.frombuffer(rows[0]["vectors"], dtype=np.int8).reshape(-1, DIMENSIONS)
        vectors = as_bytes(self._embedder().embed(list(self.searched_texts(key))))
        with self._database.transaction() as transaction:
            there = transaction.rows('SELECT "key" FROM team_documents WHERE "key" = :key', key=key)
            if there:
                transaction.change("DELETE FROM team_vectors WHERE document = :key", key=key)
                self._keep_vectors(transaction, key, vectors)
        return vectors

    def searched_texts(self, key: str) -> Iterable[str]:
        """What is searched of a document's passages, in order."""
        with self._database.transaction() as transaction:
            documents = transaction.rows('SELECT title FROM team_documents WHERE "key" = :key', key=key)
            passages = _passages_of(transaction, key)
        return [searched_text(documents[0]["title"], p["place"], p["text"]) for p in passages] if documents else []

    def passages_at(self, places: Sequence[tuple[str, int]], user: str) -> list[TeamPassage]:
        """Passages by document key and number, in that order; those that the user does not see now are left out."""
        found: dict[tuple[str, int], TeamPassage] = {}
        with self._database.transaction() as transaction:
            for start in range(0, len(places), _AT_ONCE):
                asked = places[start : start + _AT_ONCE]
                either = " OR ".join(f"(p.document = :key{i} AND p.number = :number{i})" for i in range(len(asked)))
                values = {f"key{i}": key for i, (key, _) in enumerate(asked)}
                numbers = {f"number{i}": number for i, (_, number) in enumerate(asked)}
                query = (
                    "SELECT p.document, p.number, p.place, p.text, d.id, d.title, d.shared "
                    f'FROM team_passages p JOIN team_documents d ON d."key" = p.document WHERE {_VISIBLE} AND ({either})'
                )
                for row in transaction.rows(query, user=user, **values, **numbers):
                    found[row["document"], row["number"]] = _as_passage(row, row)
        return [found[place] for place in places if place in found]

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    def _keep_vectors(self, transaction: Transaction, key: str, vectors: np.ndarray) -> None:
        transaction.change(
            "INSERT INTO team_vectors (document, model, vectors) VALUES (:document, :model, :vectors)",
            document=key, model=self._embedder().model_hash, vectors=vectors.tobytes(),
        )  # fmt: skip


def _own(transaction: Transaction, sha256: str, user: str) -> Row | None:
    query = 'SELECT * FROM team_documents WHERE "user" = :user AND sha256 = :sha256'
    return next(iter(transaction.rows(query, user=user, sha256=sha256)), None)


def _passages_of(transaction: Transaction, key: str) -> Sequence[Row]:
    return transaction.rows(
        "SELECT number, place, text FROM team_passages WHERE document = :key ORDER BY number", key=key
    )


def _count_up(transaction: Transaction) -> None:
    if not transaction.change("UPDATE team_revision SET number = number + 1"):
        transaction.change("INSERT INTO team_revision (id, number) VALUES (1, 1)")


def _as_document(row: Row) -> TeamDocument:
    return TeamDocument(
        id=row["id"],
        title=row["title"],
        file_name=row["file_name"],
        format=row["format"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        passages=row["passages"],
        shared=bool(row["shared"]),
        added_by=row["user"],
        added_at=dt.datetime.fromisoformat(row["added_at"]),
    )


def _as_passage(document: Row, passage: Row) -> TeamPassage:
    return TeamPassage(
        id=f"{document['id']}.{passage['number']}",
        document=document["id"],
        title=document["title"],
        place=passage["place"],
        text=passage["text"],
        shared=bool(document["shared"]),
    )
