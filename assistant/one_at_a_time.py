"""One at a time, in the order of asking."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile

from tools.progress import CancelToken

LOOKS_EVERY_S = 0.1
"""How soon one who waits is told to stop."""


class OneAtATime:
    """A lock that is taken in the order of asking, by a thread more than once, and that can be waited for in vain."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order: deque[tuple[int, CancelToken]] = deque()
        """Threads and whose they are: the one whose turn it is, then those that wait."""

    @contextmanager
    def alone(self, cancel: CancelToken, told: Callable[[int], None] = lambda _: None) -> Iterator[None]:
        """While nobody else is.

        Args:
            cancel: Ends the waiting; whoever has the same one is no stranger.
            told: Told while waiting how many strangers are before, at first and when it changes.

        Raises:
            Cancelled: The token was cancelled while another one was in turn.
        """
        me = threading.get_ident()
        with self._changed:
            within = bool(self._order) and self._order[0][0] == me
            if not within:
                self._wait(me, cancel, told)
        try:
            yield
        finally:
            if not within:
                self._go(me)

    def _wait(self, me: int, cancel: CancelToken, told: Callable[[int], None]) -> None:
        self._order.append((me, cancel))
        said = 0
        try:
            while self._order[0][0] != me:
                cancel.raise_if_cancelled()
                strangers = self._strangers_before(me, cancel)
                if strangers and strangers != said:
                    told(strangers)
                said = strangers
                self._changed.wait(LOOKS_EVERY_S)
        except BaseException:
            self._go(me)
            raise

    def _strangers_before(self, me: int, cancel: CancelToken) -> int:
        before = takewhile(lambda each: each[0] != me, self._order)
        return sum(owner is not cancel for _, owner in before)

    def _go(self, me: int) -> None:
        with self._changed:
            self._order = deque(each for each in self._order if each[0] != me)
            self._changed.notify_all()
