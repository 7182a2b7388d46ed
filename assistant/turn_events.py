"""What a turn tells its reader while it runs: frozen events, tagged by `.kind`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny


class _Event(BaseModel):
    # A command tells few kinds of events: each is built when the first one is made.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ToolPlanned(_Event):
    """The LLM chose a tool; a dry run ends here."""

    kind: Literal["tool_planned"] = "tool_planned"
    name: str
    arguments: dict[str, Any]


class ToolStarted(_Event):
    """A tool began."""

    kind: Literal["tool_started"] = "tool_started"
    name: str
    arguments: dict[str, Any]


class ToolProgress(_Event):
    """A tool got on."""

    kind: Literal["tool_progress"] = "tool_progress"
    name: str
    fraction: float = Field(ge=0, le=1)
    message: str


class ToolFinished(_Event):
    """A tool returned a record, which was stored."""

    kind: Literal["tool_finished"] = "tool_finished"
    name: str
    arguments: dict[str, Any]
    evidence_id: str
    record: SerializeAsAny[BaseModel]
    age_s: float | None = None
    """Seconds since the record was made, where stored evidence answered; absent for a new one."""


class ToolFailed(_Event):
    """A tool failed in an expected way."""

    kind: Literal["tool_failed"] = "tool_failed"
    name: str
    message: str
    next_step: str
    refused: bool = False
    """Whether the model's files were refused before anything was loaded: the tool did its work, and the answer is no."""


class ApprovalNeeded(_Event):
    """A dear step waits for the user's consent; answered with `assistant.approve(id, decision)`."""

    kind: Literal["approval_needed"] = "approval_needed"
    id: str
    name: str
    arguments: dict[str, Any]
    reason: str


class AnswerText(_Event):
    """A piece of the answer, in order."""

    kind: Literal["answer_text"] = "answer_text"
    text: str


class Citation(BaseModel):
    """Something that the answer rests on."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: str
    """Evidence id (`E12`), guidance entry id (`G07`) or id of one of the team's documents (`D1a2b3c4d`)."""
    title: str
    """What it is, in the answer's language."""
    source: str = ""
    """Where the cited thing comes from."""


class TurnFinished(_Event):
    """The turn is over and has an answer."""

    kind: Literal["turn_finished"] = "turn_finished"
    answer: str
    citations: tuple[Citation, ...] = ()
    unsupported_figures: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Questions that the reader can pick as the next one."""


class TurnFailed(_Event):
    """The turn is over without an answer."""

    kind: Literal["turn_failed"] = "turn_failed"
    message: str
    next_step: str


TurnEvent = Annotated[
    ToolPlanned
    | ToolStarted
    | ToolProgress
    | ToolFinished
    | ToolFailed
    | ApprovalNeeded
    | AnswerText
    | TurnFinished
    | TurnFailed,
    Field(discriminator="kind"),
]
