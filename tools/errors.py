"""Expected failures of the tools, as one tree; everything else that is raised is a bug.

ToolError                      told to the user and to the LLM
├── ModelReferenceError        what the user wrote names no model
│   ├── InvalidReference       not the form of an id or a path
│   └── ModelNotFound          well formed, but no source has it
├── AccessDenied               gated or private; log in first
├── SourceUnavailable          hub, network or disk did not answer as it must
├── UnsafeModel                files were refused before anything was loaded
├── UnsupportedModel           safe, but this cannot be done with it
├── InvalidArgument            a value out of its range
│   └── InvalidLock            a lock or policy file that is not what its schema asks for
├── MissingEvidence            an earlier step's record is needed first
├── GatesOpen                  a stage cannot be closed, because gates of it do not hold
├── DeviceError                device missing, busy or too small
│   └── OutOfMemory            the run needed more than there was
├── WorkerFailed               the isolated worker crashed or ran out of time
└── Cancelled                  the user stopped it
"""

from __future__ import annotations

from typing import Any


class ToolError(Exception):
    """An expected failure.

    Args:
        message: What happened, with the value in backticks, in English.
        next_step: What the user can do now, in English.
        code: Tells this failure from others of its type: a rule such as `T10`, or a name; the type's name by default.
        details: Values that a translated sentence needs, by name.
    """

    def __init__(self, message: str, next_step: str, *, code: str = "", **details: str | float | int) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.code = code or type(self).__name__
        self.details = details
        self.partial: dict[str, Any] = {}
        """Figures that a measurement had sent before it failed or was stopped; empty when there were none."""

    def __str__(self) -> str:
        """The message followed by the next step."""
        return f"{self.message} {self.next_step}".strip()


class ModelReferenceError(ToolError):
    """What the user wrote names no model."""


class InvalidReference(ModelReferenceError):
    """Not the form of an id or a path."""


class ModelNotFound(ModelReferenceError):
    """Well formed, but no source has it."""


class AccessDenied(ToolError):
    """Gated or private: the user's own hub login is needed."""


class SourceUnavailable(ToolError):
    """The hub, the network or the disk did not answer as it must."""


class UnsafeModel(ToolError):
    """Files were refused before anything was loaded."""


class UnsupportedModel(ToolError):
    """Safe, but this cannot be done with it."""


class InvalidArgument(ToolError):
    """A value out of its range."""


class InvalidLock(InvalidArgument):
    """A lock or policy file that is not what its schema asks for."""


class MissingEvidence(ToolError):
    """An earlier step's record is needed first."""


class GatesOpen(ToolError):
    """A stage cannot be closed, because gates of it do not hold and nobody said why it is all the same."""


class DeviceError(ToolError):
    """The device is missing, busy or too small."""


class OutOfMemory(DeviceError):
    """The run needed more memory than there was."""


class WorkerFailed(ToolError):
    """The isolated worker crashed or ran out of time."""


class Cancelled(ToolError):
    """The user stopped it."""
