"""The records of the small trials of a model's behaviour."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

TrialName = Literal["determinism", "batch_position", "dtype", "letter_case", "whitespace"]
"""What a trial changes: nothing, the neighbours in the batch, the number format, letter case, or spacing."""


class Trial(BaseModel):
    """One trial: the same inputs twice, the second time with one thing changed that should not matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TrialName
    """What was changed."""
    stable: bool
    """Whether the answers agreed within the trial's tolerance."""
    agreement: float
    """Agreement of the answers from 0 to 1: lowest cosine similarity, or share of equal predictions."""
    detail: str
    """What was compared, the tolerance, and the worst case."""


class BehaviorObservation(BaseModel):
    """How steady a model's answers are under changes that should not matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash of the files that were loaded."""
    trials: tuple[Trial, ...]
    """The trials that could be made."""
    examples_used: tuple[str, ...]
    """Texts the trials were made with."""
    not_checked: tuple[str, ...]
    """What these trials do not say, and trials that could not be made, with the reason."""
