"""The evaluation questions with their relevance labels.

The questions were written without a look at the entries, and labelled against the text of all entries without a look at
any ranking: 2 for an entry that answers, 1 for one that helps with a side of it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.topics import Language

FOLDER = Path(__file__).parent
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


def read_questions(language: Language) -> tuple[Question, ...]:
    """All questions of a language, those that the guidance is not to answer included."""
    asked = tomllib.loads((FOLDER / f"questions.{language}.toml").read_text(encoding="utf-8"))["question"]
    labels = tomllib.loads((FOLDER / f"labels.{language}.toml").read_text(encoding="utf-8"))
    return tuple(
        Question(**each, relevant=labels["labels"].get(each["id"], {}), covered=each["id"] not in labels["uncovered"])
        for each in asked
    )
