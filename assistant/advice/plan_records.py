"""The record of `plan_adoption` and its parts.

Sentences are keys of `assistant/phrases.toml`, so that one record reads in both languages. What the keys' braces stand
for is in the fields beside them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.decision_records import Choice, StageName
from assistant.advice.policy_records import Conflict, PolicyFinding

Verdict = Literal["go", "go_with_conditions", "not_yet", "no"]
Effect = Literal["supports", "silent", "condition", "blocks", "ends"]
"""silent: says nothing for or against the next stage, because it is answered within that stage."""
State = Literal["passed", "failed", "missing"]
ThresholdSource = Literal["user", "policy", "measured", "guidance", "team"]
"""Who set a threshold: the user, a document of the team, a measured baseline, guidance, or the team still has to."""
Status = Literal["done", "next", "open", "later", "stopped"]
"""done: closed, or every gate holds · open: a desk check with gates that do not hold · stopped: closed for good."""


Why = Literal["evidence", "target", "policy", "decision", "rules", "commit"]
"""What brought a change of a plan about."""


class Gate(BaseModel):
    """A condition for entering or leaving a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    """What is asked, as a key of the product's sentences (`gate.<code>`)."""
    when: Literal["entry", "exit"] = "exit"
    """Whether it must hold to enter the stage or to leave it."""
    state: State
    """Whether it holds; `missing` when nobody found out."""
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
    """Tool that can find out, or `team`; empty when the gate is not missing."""


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


class FiredRule(BaseModel):
    """A named rule with what it found and what would change it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    """Rule id, such as `R-LIC`; its sentence is `rule.<id>.<effect>`."""
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

    def stage(self, name: StageName) -> Stage:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)
