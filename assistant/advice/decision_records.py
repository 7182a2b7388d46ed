"""What the team decided at the end of a stage, with the gates as they stood."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

StageName = Literal["desk_check", "proof_of_concept", "pilot", "production"]
STAGES: tuple[StageName, ...] = ("desk_check", "proof_of_concept", "pilot", "production")
"""The stages of a plan, in order."""
Choice = Literal["go", "stop", "repeat"]
"""go: on to the next stage · stop: no further · repeat: the same stage once more."""
State = Literal["passed", "failed", "missing", "no_limit"]
"""Of a gate · missing: nobody found out · no_limit: the value is known, and nobody gave a limit that it could be held against."""


class GateAtClosing(BaseModel):
    """A gate of the stage as it stood when the stage was closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """The gate, as in the plan."""
    state: State | Literal["stated"]
    """As in the plan; `stated`: the team said so at closing, and no tool measured it."""
    value: str
    """What was found or stated, or empty."""
    threshold: str
    """What it had to be."""
    evidence: str
    """Evidence id, or empty."""

    @property
    def holds(self) -> bool:
        """Whether it was met, as measured or as the team said."""
        return self.state in {"passed", "stated"}


class StageDecision(BaseModel):
    """How a stage was closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`K` and a number, unique for a user."""
    model: str
    """Canonical reference."""
    commit: str
    """Commit or content hash that the decision is about."""
    use_case: str
    """The use that the plan was made for."""
    plan_version: int
    """Version of the plan whose stage was closed."""
    plan_evidence: str
    """Evidence id of that plan."""
    stage: StageName
    """The stage."""
    decision: Choice
    """What was decided."""
    verdict: str
    """The plan's own verdict at that time."""
    by: str
    """Who decided."""
    note: str
    """Why, in that person's words; may be empty where all gates hold."""
    reason: str
    """Why it was closed although gates do not hold; empty when all do, or the decision was not to go on."""
    gates: tuple[GateAtClosing, ...]
    """Every exit gate of the stage as it stood."""
    decided_at: dt.datetime
    """When, UTC."""

    @property
    def unmet(self) -> tuple[GateAtClosing, ...]:
        """The gates that do not hold."""
        return tuple(gate for gate in self.gates if not gate.holds)
