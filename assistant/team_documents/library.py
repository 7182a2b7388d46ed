"""The team's documents as one service: added, listed, removed, searched, and given to the plan."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from assistant.team_documents.records import NewDocument, TeamDocument, searched_text
from assistant.team_documents.store import DocumentStore
from knowledge.documents.vector_table import as_bytes
from knowledge.errors import DocumentNotFound
from tools.progress import CancelToken, Progress, ignore_progress

if TYPE_CHECKING:
    from knowledge.documents.search import DocumentSearch, PolicyPassage
    from knowledge.embedding import Embedder
    from knowledge.team_passage import TeamPassage

_READ, _EMBEDDED = 0.3, 0.95
"""How far adding is when the document has been read, and when its passages have vectors."""
_AT_ONCE = 64
"""Passages that are embedded between two looks at whether to stop."""


class AddedDocument(BaseModel):
    """What became of a document that was added."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: TeamDocument
    """The document as it is kept."""
    state: Literal["added", "already_there", "shared_now"]
    """`already_there` when the same bytes had been added before; nothing is doubled."""


class TeamDocuments:
    """The team's documents; safe to use from several threads.

    Args:
        url: SQLAlchemy URL of the database.
        embedder: Gives the model that makes the vectors; asked for it when the first one is made.
        folder: Where the index of their words is kept.
    """

    def __init__(self, url: str, embedder: Callable[[], Embedder], folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder
        self._store = DocumentStore(url, embedder)
        self._building = threading.Lock()
        self._built: DocumentSearch | None = None

    @property
    def _search(self) -> DocumentSearch:
        from knowledge.documents.search import DocumentSearch  # noqa: PLC0415 (heavy import, only when needed)

        with self._building:
            if self._built is None:
                self._built = DocumentSearch(self._store, self._embedder(), self._folder)
            return self._built

    def add_file(
        self,
        path: Path,
        *,
        user: str = "local",
        shared: bool = False,
        progress: Progress = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> AddedDocument:
        """Add a file; see `add`.

        Raises:
            DocumentNotFound: There is no such file, or it cannot be opened.
            UnreadableDocument: It cannot be read, for a reason that is named.
        """
        from assistant.team_documents.reading import MOST_MIB, shown_name  # noqa: PLC0415 (only when needed)

        try:
            with path.open("rb") as file:
                content = file.read(MOST_MIB * 1024**2 + 1)
        except OSError as error:
            name = shown_name(str(path))
            raise DocumentNotFound(f"There is no file `{name}` that can be opened.", "Check the path.") from error
        return self.add(content, path.name, user=user, shared=shared, progress=progress, cancel=cancel)

    def add(
        self,
        content: bytes,
        name: str,
        *,
        user: str = "local",
        shared: bool = False,
        progress: Progress = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> AddedDocument:
        """Read a document and keep it: as a whole, or not at all.

        Args:
            content: The bytes of its file.
            name: Name of the file.
            user: Who adds it.
            shared: Whether the whole team sees it. One that is there already is then shared, and never hidden again.
            progress: Told how far it is.
            cancel: Stops it; nothing is kept then.

        Raises:
            UnreadableDocument: It cannot be read, for a reason that is named.
            Cancelled: It was stopped.
        """
        from assistant.team_documents.reading import read_document, shown_name  # noqa: PLC0415 (only when needed)

        sha256 = hashlib.sha256(content).hexdigest()
        if there := self._store.own(sha256, user=user):
            return self._again(there, shared=shared, user=user)
        read = read_document(content, name, progress=lambda f, m: progress(f * _READ, m), cancel=cancel)
        places, texts = tuple(p.place for p in read.pieces), tuple(p.text for p in read.pieces)
        vectors = self._vectors([searched_text(read.title, *piece) for piece in read.pieces], progress, cancel)
        new = NewDocument.model_validate(
            {"title": read.title, "file_name": shown_name(name), "format": read.format, "sha256": sha256,
             "size_bytes": len(content), "places": places, "texts": texts, "vectors": vectors}
        )  # fmt: skip
        kept = self._store.add(new, user=user, shared=shared)
        self._search.refresh()
        progress(1.0, "Kept the document")
        return AddedDocument(document=kept, state="added")

    def listed(self, user: str = "local") -> list[TeamDocument]:
        """What the user sees: their own documents and those that are shared."""
        return self._store.listed(user=user)

    def remove(self, id: str, *, user: str = "local") -> TeamDocument:
        """Forget a document of the user's own.

        Raises:
            DocumentNotFound: There is none, or another user added it.
        """
        return self._store.remove(id, user=user)

    def passages(self, user: str = "local") -> tuple[TeamPassage, ...]:
        """Every passage that the user may see, of each document once."""
        return tuple(self._store.passages(user=user))

    def search(
        self, query: str, user: str = "local", limit: int = 3, documents: Collection[str] | None = None
    ) -> tuple[PolicyPassage, ...]:
        """Passages of the user's documents for a question, the closest first; none when nothing is close enough."""
        if not self._store.has_any(user=user):
            return ()
        return self._search.search(query, user, limit, documents)

    def of_user(self, user: str) -> DocumentsOfOne:
        """The documents that a user sees, for the tools."""
        return DocumentsOfOne(self, user)

    def close(self) -> None:
        """Release the database."""
        self._store.close()

    def _again(self, there: TeamDocument, *, shared: bool, user: str) -> AddedDocument:
        if shared and not there.shared and (now := self._store.share(there.sha256, user=user)):
            return AddedDocument(document=now, state="shared_now")
        return AddedDocument(document=there, state="already_there")

    def _vectors(self, texts: list[str], progress: Progress, cancel: CancelToken | None) -> np.ndarray:
        parts = []
        for start in range(0, len(texts), _AT_ONCE):
            if cancel is not None:
                cancel.raise_if_cancelled()
            progress(_READ + (_EMBEDDED - _READ) * start / len(texts), "Embedding the passages")
            parts.append(as_bytes(self._embedder().embed(texts[start : start + _AT_ONCE])))
        return np.concatenate(parts)


class DocumentsOfOne:
    """The documents that one user sees.

    Args:
        documents: All documents.
        user: Who asks.
    """

    def __init__(self, documents: TeamDocuments, user: str) -> None:
        self._documents, self._user = documents, user

    def search(self, query: str, limit: int) -> tuple[PolicyPassage, ...]:
        """Their passages for a question, the closest first; none when nothing is close enough."""
        return self._documents.search(query, self._user, limit)
