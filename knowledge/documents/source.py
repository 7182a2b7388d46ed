"""What the search needs of whoever keeps the documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from knowledge.documents.vector_table import Bytes
from knowledge.team_passage import TeamPassage


class KeptDocument(NamedTuple):
    """A document as far as the search has to know it."""

    key: str
    """Hexadecimal, at least 15 digits, never used again; the same bytes kept for two users have two."""
    id: str
    """What answers cite."""
    user: str
    """Who added it."""
    shared: bool
    """Whether everybody sees it."""
    passages: int
    """Number of passages."""

    def is_seen_by(self, user: str) -> bool:
        """Whether it is this user's own or shared."""
        return self.shared or self.user == user


class PassageSource(Protocol):
    """Keeps documents, their passages and their vectors."""

    def revision(self) -> int:
        """A number that is greater after every change."""
        ...

    def documents(self) -> Sequence[KeptDocument]:
        """All documents of all users."""
        ...

    def vectors(self, key: str) -> Bytes:
        """Vectors of a document's passages, in order, with a byte for each dimension."""
        ...

    def searched_texts(self, key: str) -> Iterable[str]:
        """What is searched of a document's passages, in order: each with its title and place."""
        ...

    def passages_at(self, places: Sequence[tuple[str, int]], user: str) -> list[TeamPassage]:
        """Passages by document key and number, in that order; those that the user does not see now are left out."""
        ...
