"""The failure that a job may end in."""

from __future__ import annotations


class JobError(Exception):
    """A failure that the parent tells as one of its typed errors."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
