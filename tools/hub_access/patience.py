"""Waits for a hub that is busy: as long as it asks for, within a limit, and told to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tools.errors import SourceUnavailable
from tools.progress import CancelToken

_PAUSES_S = (0.25, 0.5, 1.0, 2.0)
_TICK_S = 0.1
_DAY_S = 86_400.0

Answer = TypeVar("Answer")


BUSY = "busy"
"""Code of the failure when the hub answers, but not now; its detail `retry_after_s` is what it asks for, -1 when nothing."""
INTERRUPTED = "interrupted"
"""Code of the failure when the line was lost, which going on can mend."""


def patiently(
    ask: Callable[[], Answer],
    *,
    longest_s: float,
    codes: tuple[str, ...] = (BUSY,),
    tell: Callable[[float], None] | None = None,
    cancel: CancelToken | None = None,
) -> Answer:
    """Ask, and ask again after a pause when the hub was busy.

    Args:
        ask: Asks the hub once.
        longest_s: All pauses together, in seconds; a hub that asks for more is not waited for.
        codes: Failures after which to ask again.
        tell: Told the length of each pause in seconds.
        cancel: Ends a pause.

    Returns:
        What `ask` returned.

    Raises:
        SourceUnavailable: It stayed busy.
    """
    left_s = longest_s
    for pause_s in _PAUSES_S:
        try:
            return ask()
        except SourceUnavailable as failure:
            asked_s = float(failure.details.get("retry_after_s", -1))
            wait_s = asked_s if asked_s >= 0 else pause_s
            if failure.code not in codes or wait_s > left_s:
                raise
        left_s -= wait_s
        if tell is not None:
            tell(wait_s)
        pause(wait_s, cancel)
    return ask()


def seconds_asked_for(headers: Mapping[str, str]) -> float | None:
    """How long an answer's `Retry-After` asks us to wait, as seconds or as a date; None when it does not say."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return min(_DAY_S, max(0.0, parsedate_to_datetime(value).timestamp() - time.time()))
    except (ValueError, TypeError, IndexError):
        return None


def pause(seconds: float, cancel: CancelToken | None) -> None:
    """Sleep, unless cancelled."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if cancel is not None:
            cancel.raise_if_cancelled()
        time.sleep(min(left, _TICK_S))
