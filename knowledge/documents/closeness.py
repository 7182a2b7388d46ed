"""Whether a passage of the team's documents says anything to a question, and which of its sentences says it."""

from __future__ import annotations

from knowledge.documents.cutting import sentences
from knowledge.glossary import expand
from knowledge.lexical import content_pieces
from knowledge.team_passage import TeamPassage


class Closeness:
    """Judges passages against a question."""

    def is_close(self, query: str, passage: TeamPassage, similarity: float) -> bool:
        """Whether a passage is close enough to be an answer.

        Args:
            query: The question.
            passage: The passage.
            similarity: Cosine similarity of the two.
        """
        return similarity >= 0.3 or self.known_share(query, passage) >= 0.5

    def known_share(self, query: str, passage: TeamPassage) -> float:
        """The share of what the question is about that the passage speaks of, the glossary's other words included."""
        pieces = content_pieces(query)
        there = content_pieces(expand(f"{passage.title} {passage.place} {passage.text}"))
        return len(pieces & there) / (len(pieces) + 1)

    def closest_sentence(self, query: str, passage: TeamPassage) -> str:
        """The sentence that shares most with the question; the first one where none shares anything."""
        pieces = content_pieces(expand(query))
        found = [sentence.strip() for sentence in sentences(passage.text)]
        return max(found, key=lambda sentence: len(pieces & content_pieces(sentence)), default="")
