"""How much other programs computed meanwhile, from the kernel's own counters; standard library only."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_USER, _NICE, _SYSTEM, _IRQ, _SOFTIRQ, _STEAL = 0, 1, 2, 5, 6, 7
_BUSY = (_USER, _NICE, _SYSTEM, _IRQ, _SOFTIRQ, _STEAL)


@dataclass
class Reading:
    """Counters at one moment, in seconds."""

    wall_s: float
    own_s: float
    busy_s: float | None


def read() -> Reading:
    """Read the counters now."""
    busy = None
    try:
        with _STAT.open(encoding="ascii") as stream:
            ticks = [int(value) for value in stream.readline().split()[1:]]
        busy = sum(ticks[place] for place in _BUSY) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        pass
    return Reading(time.perf_counter(), time.process_time(), busy)


def foreign_cores(start: Reading, end: Reading) -> float | None:
    """CPU cores that other programs kept busy between two readings; None where the platform does not say."""
    if start.busy_s is None or end.busy_s is None or end.wall_s <= start.wall_s:
        return None
    foreign = (end.busy_s - start.busy_s) - (end.own_s - start.own_s)
    return max(0.0, foreign / (end.wall_s - start.wall_s))
