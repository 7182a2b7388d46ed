"""Finds the largest batch and the longest sequence that run, by doubling and then by bisection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from worker_errors import JobError
from worker_loading import Loaded
from worker_peaks import give_back, peak_of, start_peak
from worker_reply import Report
from worker_workloads import Workload

_LONGEST_CALL_S = 10.0
_STEPS_OF_BISECTION = 6
_MOST = {"batch_size": 4096, "sequence_length": 1_048_576}

Make = Callable[[Loaded, int, int], Workload]


def measure_largest(wanted: list[str], loaded: Loaded, size: tuple[int, int], make: Make, report: Report) -> list[dict]:
    """Find the largest batch and the longest sequence that run, by doubling and then by bisection.

    Args:
        wanted: Of `batch_size` and `sequence_length`.
        loaded: The model.
        size: Batch size and sequence length that ran.
        make: Makes a workload.
        report: Told before each search, and given its result.

    Returns:
        The fields of `LargestThatFits`.
    """
    done: list[dict] = []
    for place, what in enumerate(("batch_size", "sequence_length")):
        if what not in wanted:
            continue
        report.progress(0.95 + 0.02 * place, f"Searching the largest {what.replace('_', ' ')}")
        search = _Search(what, loaded, size, make)
        found = search.run()
        done += [found] if found else []
        report.part(largest=done[-1:] if found else [])
    return done


class _TooSlow(Exception):
    """A larger value would take too long, whether it fits or not."""


class _Search:
    def __init__(self, what: str, loaded: Loaded, size: tuple[int, int], make: Make) -> None:
        self.what, self.loaded, self.size, self.make = what, loaded, size, make
        self.tried: list[int] = []
        self.best: tuple[int, float] | None = None
        self.limited_by = "the end of the search"

    def run(self) -> dict | None:
        """Search; None when not even the first value ran."""
        try:
            self._search()
        except _TooSlow as reason:
            self.limited_by = str(reason)
        if self.best is None:
            return None
        return {
            "what": self.what,
            "value": self.best[0],
            "peak_memory_mib": self.best[1],
            "limited_by": self.limited_by,
            "tried": self.tried,
        }

    def _search(self) -> None:
        low = self.size[0] if self.what == "batch_size" else self.size[1]
        high = None
        for value in self._doubling(low):
            if not self._fits(value):
                high = value
                break
            low = value
        for _ in range(_STEPS_OF_BISECTION):
            if high is None or high - low <= max(1, low // 32):
                break
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(middle) else (low, middle)

    def _doubling(self, start: int) -> Iterator[int]:
        value = start
        while value <= _MOST[self.what]:
            yield value
            value *= 2

    def _fits(self, value: int) -> bool:
        batch, length = (value, self.size[1]) if self.what == "batch_size" else (1, value)
        self.tried.append(value)
        if self.loaded.device.type == "cuda":
            torch.cuda.empty_cache()
        start_peak(self.loaded)
        try:
            seconds = self.make(self.loaded, batch, length).call().total_s
        except JobError as error:
            self.limited_by = str(error)
            return False
        except (RuntimeError, MemoryError) as error:
            give_back(self.loaded, error)
            self.limited_by = f"memory at {value}"
            return False
        self.best = max(self.best or (0, 0.0), (value, peak_of(self.loaded)))
        if seconds > _LONGEST_CALL_S:
            raise _TooSlow(f"time: one call took {seconds:.0f} s at {value}")
        return True
