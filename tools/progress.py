"""How a long tool reports its progress and is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tools.errors import Cancelled

Progress = Callable[[float, str], None]
"""Called with a fraction in [0, 1] and a short English message."""


def ignore_progress(fraction: float, message: str) -> None:
    """A progress callback for callers who do not watch."""


class CancelToken:
    """Set by the caller to stop a tool; asked by the tool between steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the tool to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the tool was asked to stop."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the tool was asked to stop."""
        if self.cancelled:
            raise stopped()


def stopped() -> Cancelled:
    """What is told of a step that was stopped."""
    return Cancelled("The step was stopped.", "Start it again when you want it.")
