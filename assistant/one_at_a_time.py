"""One at a time, in the order of asking."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from tools.progress import CancelToken

LOOKS_EVERY_S = 0.1
"""How soon one who waits is told to stop."""


class OneAtATime:
    """A lock that is taken in the order of asking, by a thread more than once, and that can be waited for in vain."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order: deque[int] = deque()
        """Threads: the one whose turn it is, then those that wait."""

    @contextmanager
    def alone(self, cancel: CancelToken) -> Iterator[None]:
        """While nobody else is.

        Args:
            cancel: Ends the waiting.

        Raises:
            Cancelled: The token was cancelled while another one was in turn.
        """
        me = threading.get_ident()
        with self._changed:
            within = bool(self._order) and self._order[0] == me
            if not within:
                self._wait(me, cancel)
        try:
            yield
        finally:
            if not within:
                self._go(me)

    def _wait(self, me: int, cancel: CancelToken) -> None:
        self._order.append(me)
        try:
            while self._order[0] != me:
                cancel.raise_if_cancelled()
                self._changed.wait(LOOKS_EVERY_S)
        except BaseException:
            self._go(me)
            raise

    def _go(self, me: int) -> None:
        with self._changed:
            self._order.remove(me)
            self._changed.notify_all()
