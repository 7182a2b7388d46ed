"""Expected failures of the knowledge package.

KnowledgeError
├── InvalidEntry        a guidance file is not of the form
├── InvalidQuery        a search argument out of its range
├── IndexUnavailable    the index can be neither read nor built
└── DocumentError       one of the team's documents
    ├── UnreadableDocument  refused: locked, empty, damaged, too large, of an unknown kind
    └── DocumentNotFound    nobody added it, or not for this user
"""

from __future__ import annotations


class KnowledgeError(Exception):
    """An expected failure.

    Args:
        message: What happened, in English.
        next_step: What to do now, in English.
    """

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        """The message followed by the next step."""
        return f"{self.message} {self.next_step}".strip()


class InvalidEntry(KnowledgeError):
    """A guidance file is not of the form."""


class InvalidQuery(KnowledgeError):
    """A search argument is out of its range."""


class IndexUnavailable(KnowledgeError):
    """The index can be neither read nor built."""


class DocumentError(KnowledgeError):
    """Something about one of the team's documents."""


class UnreadableDocument(DocumentError):
    """A document was refused: it is locked, empty, damaged, too large or of an unknown kind."""


class DocumentNotFound(DocumentError):
    """There is no such document for this user."""
