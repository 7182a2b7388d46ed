"""Progress as text: a bar, the stage and the time left, for the page and for a terminal."""

from __future__ import annotations

import math
import shutil
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import TextIO

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import code
from assistant.translation import translate

_FEWEST = 0.03
_SHORTEST_S = 1.0
_BAR = 12
_CLEAR_LINE = "\r\x1b[2K"


class TimeLeft:
    """Tells the time left from the time it took so far.

    Args:
        clock: Monotone clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._before = 0.0

    def after(self, fraction: float) -> float | None:
        """Seconds left when that share is done; None while too little is done to tell.

        Args:
            fraction: Share that is done, in [0, 1]. A smaller one than before starts the count again, and while nothing
                is done, as in a queue, the count does not start.
        """
        now = self._clock()
        if fraction < self._before or fraction <= 0:
            self._start = now
        self._before = fraction
        elapsed = now - self._start
        if fraction >= 1:
            return 0.0
        if fraction < _FEWEST or elapsed < _SHORTEST_S:
            return None
        return elapsed * (1 - fraction) / fraction


def progress_text(fraction: float, message: str, left_s: float | None, language: Language) -> str:
    """One line: bar, percent, stage, and the time left where it is known.

    Args:
        fraction: Share that is done, in [0, 1].
        message: English message of the tool; file names in it are made harmless.
        left_s: Seconds left, or None.
        language: Language of the line.
    """
    full = round(_BAR * fraction)
    line = f"{'█' * full}{'░' * (_BAR - full)} {100 * fraction:3.0f} % {code(translate(message, language))}"
    return line if not left_s else f"{line} · {_left(left_s, language)}"


class TerminalProgress:
    """Draws progress in a terminal as one line that is rewritten; elsewhere, as in a log, a line a step.

    Args:
        language: Language of the lines.
        stream: Where to write; absent takes standard error.
        clock: Monotone clock in seconds.
    """

    def __init__(
        self, language: Language, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._language: Language = language
        self._stream = stream or sys.stderr
        self._clock = clock
        self._running: list[TimeLeft] = []
        self._last = ""
        self._drawn = False

    def started(self, tool: str) -> None:
        """A tool began."""
        self.line(f"→ {tool}")
        self._running.append(TimeLeft(self._clock))

    def progressed(self, fraction: float, message: str) -> None:
        """The tool that began last got on."""
        left_s = self._running[-1].after(fraction) if self._running else None
        text = f"  {progress_text(fraction, message, left_s, self._language)}"
        if text == self._last:
            return
        self._last = text
        if not self._stream.isatty():
            print(text, file=self._stream)
            return
        columns = shutil.get_terminal_size().columns
        self._stream.write(_CLEAR_LINE + _cut(text, columns - 1))
        self._stream.flush()
        self._drawn = True

    def ended(self) -> None:
        """The tool that began last is over."""
        self._wipe()
        if self._running:
            self._running.pop()

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self._wipe()
        print(text, file=self._stream)

    def _wipe(self) -> None:
        if self._drawn:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()
            self._drawn = False


def _left(seconds: float, language: Language) -> str:
    """Rounded up: a promise that is kept."""
    if seconds <= 90:
        step = 1 if seconds <= 10 else 5
        return say("progress.seconds", language, count=step * math.ceil(seconds / step))
    return say("progress.minutes", language, count=math.ceil(seconds / 60))


def _cut(text: str, columns: int) -> str:
    """The text as far as it fits: a line that wraps cannot be rewritten. Japanese letters are two columns wide."""
    used, kept = 0, []
    for letter in text:
        used += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if used > columns:
            break
        kept.append(letter)
    return "".join(kept)
