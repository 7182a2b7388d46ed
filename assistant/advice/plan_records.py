"""The record of `plan_adoption` and its parts.

Sentences are keys of `assistant/plan_phrases.toml`, so that one record reads in both languages. What the keys' braces stand
for is in the fields beside them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.decision_records import StageName
from assistant.advice.policy_records import Conflict, PolicyFinding
from assistant.advice.stage_records import (
    Closing,
    Gate,
    OperatingRule,
    Phase,
    Role,
    Stage,
    StageBudget,
    State,
    Status,
    StopRule,
    ThresholdSource,
    Trigger,
)

__all__ = [
    "AdoptionPlan", "Assumption", "Closing", "Effect", "FiredRule", "Gate", "OperatingRule", "Phase", "Pin", "PlanChange",
    "Reproduction", "Role", "Stage", "StageBudget", "State", "Status", "StopRule", "ThresholdSource", "Timing", "Trigger",
    "Verdict", "Why",
]  # fmt: skip

Verdict = Literal["go", "go_with_conditions", "not_yet", "no"]
Effect = Literal["supports", "silent", "condition", "blocks", "ends"]
"""silent: says nothing for or against the next stage, because it is answered within that stage."""


Why = Literal["evidence", "target", "policy", "decision", "rules", "commit"]
"""What brought a change of a plan about."""


class FiredRule(BaseModel):
    """A named rule with what it found and what would change it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    """Rule id, such as `R-LIC`."""
    effect: Effect
    """What it does to the verdict."""
    value: str
    """What it found, or empty."""
    threshold: str = ""
    """What it asks for, where that is a number or a name; or empty."""
    evidence: str
    """Evidence id (or id of a decision), or empty."""
    source: str = ""
    """Passage of a policy or guidance entry that the rule applies, or empty."""
    change: str = ""
    """What would change its effect, as a key (`change.<change>`); empty when nothing has to change."""

    @property
    def phrase(self) -> str:
        """Key of its sentence; a cost that nobody could work out has one of its own."""
        return f"rule.{self.rule}.{'unknown' if self.rule == 'R-COST' and not self.value else self.effect}"


class Assumption(BaseModel):
    """What the plan takes for granted because nobody said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """What, as a key (`assumption.<code>`)."""
    value: str
    """The figure or word that is assumed, or empty."""
    evidence: str
    """Evidence id that the figure comes from, or empty."""


class Pin(BaseModel):
    """A document or version to write down, with its exact content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["commit", "weights", "file", "licence", "licence_text", "card", "library", "policy"]
    """What it is, as a key (`pin.<kind>`)."""
    name: str
    """File, library or document. Untrusted text."""
    value: str
    """Commit, SHA-256, version or SPDX identifier; empty when it is not there or not known."""
    evidence: str
    """Evidence id, or empty."""


class PlanChange(BaseModel):
    """One difference from the version of the plan before this one, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["verdict", "rule", "gate", "target", "commit", "policy", "stage"]
    """What kind of thing changed."""
    name: str
    """Which one: rule id, gate code, name of the target, passage id, or name of the stage; empty for verdict and commit."""
    before: str
    """As it was, or empty."""
    after: str
    """As it is, or empty."""
    why: Why
    """What brought it about, as a key (`plan_change.why.<why>`)."""
    causes: tuple[str, ...]
    """Evidence, decision, passage, rule ids or names of targets that brought it about."""


class Timing(BaseModel):
    """How the stages fit the time there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    planned_on: dt.date
    """Day on which the plan was made."""
    weeks: int
    """Weeks that all stages up to production take."""
    deadline: dt.date | None
    """Day by which it should be in production; absent when nobody said."""
    fits: bool | None
    """Whether it can be by then; absent without a deadline."""
    reached: StageName | None
    """The stage that can be completed by the deadline when it is too short; absent otherwise, or when none can."""
    shortened: bool
    """Whether time boxes were made shorter to keep the deadline."""


class Reproduction(BaseModel):
    """The command that makes a record again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: str
    """Evidence id of the record; empty for the plan itself."""
    command: str
    """As typed in a shell."""


class AdoptionPlan(BaseModel):
    """A staged plan with its verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference."""
    commit: str
    """Commit or content hash that the plan is about."""
    use_case: str
    """What the model is for, in the user's words."""
    targets: dict[str, Any]
    """Load, price, budget, memory, latency, class of data and deadline as the user gave them."""
    version: int
    """Number of this plan among those for the same model and use, from 1."""
    changes: tuple[PlanChange, ...]
    """What differs from the version before, and why; empty for the first."""
    verdict: Verdict
    """What the rules add up to, for the stage in `next_stage`."""
    next_stage: StageName
    """The stage that the verdict is about."""
    rules: tuple[FiredRule, ...]
    """Every rule with what it found, the weightiest first."""
    stages: tuple[Stage, ...]
    """Desk check, proof of concept, pilot, production."""
    timing: Timing
    """How the stages fit the time there is."""
    policy: tuple[PolicyFinding, ...]
    """Every statement of the team's documents that was applied, violated ones first."""
    policy_unread: int
    """Statements that are not listed because there are too many; 0 when all are."""
    conflicts: tuple[Conflict, ...]
    """Where policy, user and guidance set the same line differently."""
    assumptions: tuple[Assumption, ...]
    """What the plan takes for granted."""
    missing_inputs: tuple[str, ...]
    """What to ask the user, the weightiest first, as keys (`missing.<key>`), at most two."""
    pins: tuple[Pin, ...]
    """Documents and versions to write down."""
    not_checked: tuple[str, ...]
    """What nobody looked at, as keys (`unchecked.<key>`)."""
    commands: tuple[Reproduction, ...]
    """How to make the records and the plan again."""
    evidence: tuple[str, ...]
    """Evidence ids that the plan rests on."""

    @property
    def may_go_on(self) -> bool:
        """Whether the verdict lets the next stage begin."""
        return self.verdict in {"go", "go_with_conditions"}

    def stage(self, name: StageName) -> Stage:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)
