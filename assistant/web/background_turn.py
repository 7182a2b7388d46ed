"""A turn in a thread of its own, so that the page can leave it without waiting for the tool that it runs.

Gradio closes the handler of a page that was left on its event loop: a handler that waited there for a tool would stop every
other page too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

from assistant.turn_events import TurnEvent
from tools.progress import CancelToken


class BackgroundTurn:
    """Runs a turn and hands on its events.

    Args:
        begin: Begins the turn, which the token stops.
    """

    def __init__(self, begin: Callable[[CancelToken], Iterator[TurnEvent]]) -> None:
        self._begin = begin
        self._cancel = CancelToken()
        self._arrived: SimpleQueue[TurnEvent | Exception | None] = SimpleQueue()
        self.left = False
        """Whether nobody waits for its events any more."""
        threading.Thread(target=self._run, name="turn", daemon=True).start()

    def events(self) -> Iterator[TurnEvent]:
        """The events until the turn ends or is left; what went wrong in the turn is raised here."""
        while (event := self._arrived.get()) is not None and not self.left:
            if isinstance(event, Exception):
                raise event
            yield event

    def stop(self) -> None:
        """Stop its tools; it still tells what it has."""
        self._cancel.cancel()

    def leave(self) -> None:
        """Stop its tools, and let nobody wait for them."""
        self.left = True
        self._cancel.cancel()
        self._arrived.put(None)

    def _run(self) -> None:
        try:
            for event in self._begin(self._cancel):
                if self.left:
                    break
                self._arrived.put(event)
        except Exception as error:  # noqa: BLE001 (raised where the events are read)
            self._arrived.put(error)
        finally:
            self._arrived.put(None)
