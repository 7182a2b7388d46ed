"""What a measurement tells while it runs; standard library only."""

from __future__ import annotations

from typing import Any, Protocol


class Report(Protocol):
    """Takes progress and figures."""

    def progress(self, fraction: float, message: str) -> None:
        """Say how far the job is."""
        ...

    def part(self, **content: Any) -> None:
        """Hand over figures that are there already, so that they outlive the process; a list is added to what was sent."""
        ...
