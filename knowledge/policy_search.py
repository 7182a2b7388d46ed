"""The tool `search_guidance` as the assistant runs it: the team's own documents first, then the general guidance.

What the team has ruled outranks what is generally advised. Where the two pull in different directions, that is said.
"""

from __future__ import annotations

from typing import Protocol

from knowledge.documents.conflicts import PolicyConflict, conflicts_between
from knowledge.documents.search import PolicyPassage
from knowledge.search import GuidanceResult, GuidanceSearch

MOST_OF_DOCUMENTS = 3
"""Passages of the team's documents that an answer has, at most."""


class GuidanceAnswer(GuidanceResult):
    """What the team's own documents and the guidance say to a question."""

    team_passages: tuple[PolicyPassage, ...] = ()
    """Passages of the team's documents, the closest first; they outrank the guidance."""
    conflicts: tuple[PolicyConflict, ...] = ()
    """Where the two pull in different directions; the team's documents prevail."""


class DocumentsOfUser(Protocol):
    """The documents that one user sees."""

    def search(self, query: str, limit: int) -> tuple[PolicyPassage, ...]:
        """Their passages for a question, the closest first; none when nothing is close enough."""
        ...


def search_guidance(
    query: str,
    stage: str | None = None,
    topic: str | None = None,
    limit: int = 4,
    *,
    search: GuidanceSearch,
    documents: DocumentsOfUser | None = None,
) -> GuidanceAnswer:
    """Find what the team's own policy and the general guidance say on reusing pre-trained models.

    Args:
        query: The question.
        stage: One of desk-check, proof-of-concept, pilot, production; of the guidance only.
        topic: One of the topics of the guidance.
        limit: Most passages of the guidance, 1 to 20.
        search: The search of the guidance.
        documents: The team's documents; none when absent.

    Raises:
        InvalidQuery: Unknown stage or topic, or a limit out of range.
    """
    guidance = search.search(query, stage, topic, limit)
    policy = documents.search(query, MOST_OF_DOCUMENTS) if documents is not None else ()
    conflicts = conflicts_between(policy, guidance.passages[0]) if policy and guidance.passages else ()
    return GuidanceAnswer(**dict(guidance), team_passages=policy, conflicts=conflicts)
