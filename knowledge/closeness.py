"""Whether the guidance has anything to say to a question, or nothing in it is close enough.

English is judged by the similarity of MiniLM, which separates the two well. MiniLM finds all Japanese alike, so that
Japanese is judged by words: the BM25 score of the best entry for the length of the question, plus the share of the
question's kanji, katakana and Latin pieces that the guidance uses at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from knowledge.glossary import terms
from knowledge.lexical import content_pieces, tokens_of
from knowledge.topics import Language

LEAST_SIMILARITY = 0.36
"""English: cosine similarity of the closest text."""
KNOWN_WEIGHT = 3.4
LEAST_MATCH = 3.1
"""Japanese: sum of the score by length and the weighted known share. All measured on questions in and out of scope."""


class Closeness:
    """Judges questions against what the guidance speaks of.

    Args:
        texts: All texts of the guidance.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._vocabulary: set[str] = set()
        for text in [*texts, *(form for row in terms() for form in row)]:
            self._vocabulary |= content_pieces(text)

    def is_close(self, query: str, language: Language, similarity: float, lexical: float) -> bool:
        """Whether the best texts are close enough to be an answer.

        Args:
            query: The question.
            language: Its language.
            similarity: Highest cosine similarity of a text.
            lexical: Highest BM25 score of an entry, for the question widened by the glossary.
        """
        if language == "en":
            return similarity >= LEAST_SIMILARITY
        return self.match(query, lexical) >= LEAST_MATCH

    def match(self, query: str, lexical: float) -> float:
        """The measure for Japanese."""
        pieces = content_pieces(query)
        # One is added, so that a single known word is not all of a question.
        known = len(pieces & self._vocabulary) / (len(pieces) + 1)
        return lexical / math.sqrt(max(1, len(tokens_of(query)))) + KNOWN_WEIGHT * known
