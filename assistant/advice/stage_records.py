"""The record of a stage of a plan: gates, roles, budget, stop rules, triggers, and how it was closed.

Sentences are keys of `assistant/plan_phrases.toml`; what their braces stand for is in the fields beside them.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.decision_records import Choice, StageName, State

ThresholdSource = Literal["user", "policy", "measured", "guidance", "team"]
"""Who set a threshold: the user, a document of the team, a measured baseline, guidance, or the team still has to."""
Status = Literal["done", "ready", "next", "open", "later", "stopped"]
"""done: closed with go · ready: a desk check that holds nothing up and was not closed yet · open: one that does · stopped: closed
for good."""


class Gate(BaseModel):
    """A condition for entering or leaving a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """What is asked, as a key of the product's sentences (`gate.<code>`)."""
    when: Literal["entry", "exit"] = "exit"
    """Whether it must hold to enter the stage or to leave it."""
    state: State
    """Whether it holds, or why that is open."""
    value: str
    """The value found, or empty."""
    threshold: str
    """What the value must be."""
    threshold_source: ThresholdSource
    """Who set the threshold."""
    source: str = ""
    """Where the threshold stands: guidance entry, passage of a team's document, or evidence of the baseline; or empty."""
    evidence: str
    """Evidence id (or id of a decision) that the value comes from, or empty."""
    number: float | None = None
    """The value as a number in `unit`; absent when it is none or not known."""
    limit: float | None = None
    """The threshold as a number in `unit`; absent when it is none."""
    unit: str = ""
    """Unit of both numbers, such as `ms`, `MiB` or a currency; empty without numbers."""
    answered_by: str = ""
    """Tool that can find out, or `team`; empty when the gate is not open."""

    @property
    def is_open(self) -> bool:
        """Whether nobody can say yet that it holds or does not."""
        return self.state in {"missing", "no_limit"}


class StopRule(BaseModel):
    """When to stop a stage before its end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """When, as a key (`stop.<code>`)."""
    threshold: str
    """The line, or empty while the team has to set it."""
    threshold_source: ThresholdSource
    """Who set the line."""
    source: str
    """Guidance entry, passage or evidence that the line comes from, or empty."""


class Trigger(BaseModel):
    """What is watched in a stage, from which value on something is done, and what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """What is watched, as a key (`watch.<code>`)."""
    baseline: str
    """The value measured now, or empty when there is none yet."""
    threshold: str
    """From here on something is done; empty while the team has to set it."""
    threshold_source: ThresholdSource
    """Who set the threshold."""
    source: str
    """Guidance entry or passage that the threshold comes from, or empty."""
    evidence: str
    """Evidence id of the baseline, or empty."""
    action: Literal["look", "roll_back", "stop"]
    """What is done, as a key (`watch.action.<action>`)."""
    command: str
    """Command that looks, or empty where the service's own monitoring does."""


class OperatingRule(BaseModel):
    """Something to settle in writing before the stage begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """What, as a key (`operating.<code>`)."""
    source: str
    """Guidance entry or passage that asks for it, or empty."""


class Role(BaseModel):
    """Somebody to name before the stage begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["owner", "approver", "operator", "checker"]
    """Which role, as a key (`role.<code>`)."""
    name: str
    """Who it is: as a policy names the role; empty while nobody is named. Untrusted text."""
    source: str
    """Passage of the policy that names it, or empty."""


class Phase(BaseModel):
    """A part of a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["shadow", "limited"]
    """Which part, as a key (`phase.<code>`)."""
    weeks: int
    """Longest duration in weeks."""


class StageBudget(BaseModel):
    """What the devices of a stage cost, from the stored estimate; people's time is not in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float | None = None
    """Lower end in `currency`; absent when not known."""
    high: float | None = None
    """Upper end in `currency`; absent when not known."""
    currency: str = ""
    """ISO code, or empty."""
    per: Literal["stage", "month"] = "stage"
    """What the amounts are for."""
    basis: str = ""
    """How they follow from the estimate, as a key (`budget.basis.<basis>`)."""
    reason: str = ""
    """Why there is no amount, as a key (`budget.reason.<reason>`); empty when there is one."""
    evidence: str = ""
    """Evidence id of the estimate, or empty."""


class Closing(BaseModel):
    """How a stage was closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision_id: str
    """Id of the stored decision, such as `K2`."""
    decision: Choice
    """What was decided."""
    by: str
    """Who decided. Untrusted text."""
    on: dt.date
    """When."""
    reason: str
    """Why it was closed although gates do not hold, or the note; may be empty. Untrusted text."""
    unmet: tuple[str, ...]
    """Codes of the gates that did not hold."""


class Stage(BaseModel):
    """One stage of the plan; `stage.<name>`, `.purpose`, `.scope` and `.limit` are its sentences."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: StageName
    """Which stage."""
    status: Status
    """Where the team stands with it."""
    purpose: str
    """What it is for, as a key (`stage.purpose.<purpose>`)."""
    scope: str
    """What belongs to it, as a key (`stage.scope.<scope>`)."""
    limit: str
    """What it must not go beyond, as a key (`stage.limit.<limit>`)."""
    time_box_weeks: int
    """Longest duration in weeks; 0 when it has no end."""
    latest_end: dt.date | None
    """Day by which it must be over when a deadline is to be kept; absent without one."""
    phases: tuple[Phase, ...]
    """Parts of the stage, in order; a pilot's are the shadow run and the limited use."""
    budget: StageBudget
    """What its devices cost."""
    roles: tuple[Role, ...]
    """Whom to name before it begins."""
    gates: tuple[Gate, ...]
    """What must hold to enter it (`when` is `entry`) and to leave it (`exit`)."""
    operating_rules: tuple[OperatingRule, ...]
    """What to settle in writing before it begins."""
    stop_rules: tuple[StopRule, ...]
    """When to stop."""
    rollback: tuple[str, ...]
    """How to go back, step by step, as keys (`rollback.<key>`)."""
    monitoring: tuple[Trigger, ...]
    """What is watched while it lasts."""
    closing: Closing | None
    """How it was closed; absent while it is not."""

    def gates_of(self, when: Literal["entry", "exit"]) -> tuple[Gate, ...]:
        """The gates of one side."""
        return tuple(gate for gate in self.gates if gate.when == when)
