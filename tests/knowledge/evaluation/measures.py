"""The evaluation questions with their relevance labels, and what a ranking of entries is worth against them.

The questions were written without a look at the entries, and labelled against the text of all entries without a look at
any ranking: 2 for an entry that answers, 1 for one that helps with a side of it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.topics import Language

FOLDER = Path(__file__).parent
ANSWERS = 2
"""Label of an entry that answers a question."""
OUTSIDE = "out-of-scope"


class Question(BaseModel):
    """A question with the entries that answer it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    who: str
    ask: str
    need: str
    topics: tuple[str, ...]
    relevant: dict[str, int] = {}
    """Label by entry id; empty for a question that the guidance is not to answer."""
    covered: bool = True
    """Whether an entry answers it."""

    @property
    def outside(self) -> bool:
        """Whether the guidance is not to answer it."""
        return self.kind == OUTSIDE

    @property
    def answers(self) -> set[str]:
        """Entries that answer it."""
        return {entry for entry, label in self.relevant.items() if label == ANSWERS}


def read_questions(language: Language) -> tuple[Question, ...]:
    """All questions of a language, those that the guidance is not to answer included."""
    asked = tomllib.loads((FOLDER / f"questions.{language}.toml").read_text(encoding="utf-8"))["question"]
    labels = tomllib.loads((FOLDER / f"labels.{language}.toml").read_text(encoding="utf-8"))
    return tuple(
        Question(**each, relevant=labels["labels"].get(each["id"], {}), covered=each["id"] not in labels["uncovered"])
        for each in asked
    )


def recall_at(ranked: Sequence[str], question: Question, first: int) -> float:
    """1 when an entry that answers is among the first, else 0."""
    return float(bool(question.answers & set(ranked[:first])))


def ndcg_at(ranked: Sequence[str], relevant: Mapping[str, int], first: int = 10) -> float:
    """Normalised discounted cumulative gain, gain 2^label - 1 (Burges et al., ICML 2005).

    Args:
        ranked: Entry ids, the best first.
        relevant: Label by entry id.
        first: Ranks that count.
    """

    def discounted(labels: Sequence[int]) -> float:
        return sum((2**label - 1) / math.log2(rank + 1) for rank, label in enumerate(labels[:first], start=1))

    ideal = discounted(sorted(relevant.values(), reverse=True))
    return discounted([relevant.get(entry, 0) for entry in ranked]) / ideal if ideal else 0.0
