"""Whether the guidance has anything to say to a question, or nothing in it is close enough.

English is judged by the similarity of MiniLM: a question in scope is near to several entries, any other is near to one
at most, by chance. MiniLM finds all Japanese alike, so that Japanese is judged by words: the BM25 score of the best
entry for the length of the question, plus the share of the question's kanji, katakana and Latin pieces that the
guidance uses at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from knowledge.embedding import Floats
from knowledge.glossary import terms
from knowledge.lexical import content_pieces, tokens_of
from knowledge.topics import Language

NEIGHBOURS = 5
LEAST_NEARNESS = 0.315
"""English: mean cosine similarity of the closest entries."""
LEAST_SIMILARITY = 0.55
"""English: cosine similarity of the closest entry that is enough by itself."""
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

    def is_close(self, query: str, language: Language, similarity: Floats, lexical: Floats) -> bool:
        """Whether the best entries are close enough to be an answer.

        Args:
            query: The question.
            language: Its language.
            similarity: Highest cosine similarity of each entry's texts.
            lexical: BM25 score of each entry, for the question widened by the glossary.
        """
        if language == "en":
            nearest = np.sort(similarity)[::-1][:NEIGHBOURS]
            return bool(nearest.mean() >= LEAST_NEARNESS or nearest[0] >= LEAST_SIMILARITY)
        return self.match(query, float(lexical.max())) >= LEAST_MATCH

    def match(self, query: str, lexical: float) -> float:
        """The measure for Japanese."""
        pieces = content_pieces(query)
        # One is added, so that a single known word is not all of a question.
        known = len(pieces & self._vocabulary) / (len(pieces) + 1)
        return lexical / math.sqrt(max(1, len(tokens_of(query)))) + KNOWN_WEIGHT * known
