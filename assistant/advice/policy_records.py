"""What a document of the team asks of models, sentence by sentence, and whether a model meets it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Force = Literal["must", "should", "waived"]
"""must: obliges or forbids · should: recommends · waived: says that something is not asked for."""
PolicyState = Literal["held", "violated", "not_checkable", "waived"]
"""not_checkable: no tool can tell, or nobody looked yet; the reason is in `reason`."""


class Statement(BaseModel):
    """One sentence of a team's document that obliges, forbids, recommends or releases, and what it asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage: str
    """Passage id, such as `D1a2b3c4d.12`."""
    document: str
    """Document id, such as `D1a2b3c4d`."""
    title: str
    """Title of the document. Untrusted text."""
    place: str
    """Page or headings within it; empty when it has neither. Untrusted text."""
    quote: str
    """The sentence, word by word. Untrusted text."""
    force: Force
    """How strongly it speaks."""
    requirement: str
    """What it asks for, as a key (`policy.<requirement>`); `unrecognised` when that was not understood."""
    limit: float | None = None
    """The number that it sets, in `unit`; absent when it sets none."""
    unit: str = ""
    """Unit of the limit: `MiB`, `ms`, `share`, or an ISO currency code."""
    values: tuple[str, ...] = ()
    """Names that it lists: licences as SPDX identifiers, classes of data, or the role that has to approve."""
    only_if: str = ""
    """The words of a condition under which it applies, when it has one; empty when it always applies. Untrusted text."""
    excepted: bool = False
    """Whether it names an exception, such as somebody's approval."""


class PolicyFinding(BaseModel):
    """A statement set against what is known about the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statement: Statement
    """The sentence, with its document and place."""
    state: PolicyState
    """Whether the model meets it."""
    value: str
    """What was found, or empty."""
    evidence: str
    """Evidence id that it was checked with, or empty."""
    reason: str
    """Why it could not be checked, as a key (`policy.reason.<reason>`); empty when it could."""
    gate: str
    """Code of the gate that stands for it in the plan, or empty."""


class Conflict(BaseModel):
    """Two who set the same line differently, and whose counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: str
    """Code of the gate that both speak of."""
    wins: Literal["policy", "user"]
    """Whose line counts: the policy's, but the user's where it is the stricter one."""
    passage: str
    """Passage id of the policy statement."""
    policy_line: str
    """What the policy asks for."""
    against: Literal["user", "guidance", "measured", "policy"]
    """Who the policy differs from: the user's target, guidance, a measured baseline, or another document of the team."""
    other_line: str
    """What that one asks for."""
    source: str
    """Guidance entry or passage id of the other one; empty for the user."""
