"""What a ranking of entries is worth against graded questions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from knowledge.wordings import ANSWERS


def scores_of(ranked: Sequence[tuple[Sequence[str], Mapping[str, int]]]) -> dict[str, float]:
    """Means over questions: an answer first, among the first five, and the order of the first ten, 0 to 1 each.

    Args:
        ranked: Of each question the entry ids, the best first, and the grade by entry id.
    """
    return {
        "recall_at_1": statistics.fmean(recall_at(found, relevant, 1) for found, relevant in ranked),
        "recall_at_5": statistics.fmean(recall_at(found, relevant, 5) for found, relevant in ranked),
        "ndcg_at_10": statistics.fmean(ndcg_at(found, relevant) for found, relevant in ranked),
    }


def recall_at(ranked: Sequence[str], relevant: Mapping[str, int], first: int) -> float:
    """1 when an entry that answers is among the first, else 0.

    Args:
        ranked: Entry ids, the best first.
        relevant: Grade by entry id.
        first: Ranks that count.
    """
    return float(any(relevant.get(entry) == ANSWERS for entry in ranked[:first]))


def ndcg_at(ranked: Sequence[str], relevant: Mapping[str, int], first: int = 10) -> float:
    """Normalised discounted cumulative gain, gain 2^grade - 1 (Burges et al., ICML 2005).

    Args:
        ranked: Entry ids, the best first.
        relevant: Grade by entry id.
        first: Ranks that count.
    """

    def discounted(grades: Sequence[int]) -> float:
        return sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:first], start=1))

    ideal = discounted(sorted(relevant.values(), reverse=True))
    return discounted([relevant.get(entry, 0) for entry in ranked]) / ideal if ideal else 0.0
