"""What a profile says of serving: requests a second with their spread, the time of a request, devices for a load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.advice.queueing import ServiceTime

SpreadBasis = Literal["interval", "calls", "unknown"]
"""Where a range comes from: the median's bootstrap interval, the fastest call and the 95 % one, or nowhere."""
SECONDS_PER_DAY = 86_400
DAYS_PER_MONTH = 30.4
UTILISATIONS = (0.2, 0.4, 0.7)
"""Shares of the day in which a device is kept busy: spiky, ordinary, smooth traffic."""
_IN_TOKENS = frozenset({"texts", "tokens", "pairs"})
_READ_NO_TOKENS = frozenset({"automatic-speech-recognition", "image-to-text"})
"""Tasks that write tokens but read sound or images."""


@dataclass(frozen=True)
class ServedRun:
    """One measured run as a way of serving; a request is one input of its batch."""

    batch_size: int
    sequence_length: int
    latency_ms: float
    """Median time of a call in milliseconds."""
    latency_p95_ms: float | None
    fast_ms: float
    """Lower end of the median's range in milliseconds."""
    slow_ms: float
    """Upper end of that range."""
    spread: SpreadBasis
    throughput_per_s: float
    """As measured, in `unit`."""
    unit: str
    peak_memory_mib: float | None
    """Peak memory while it lasted, in MiB."""
    reads_tokens: bool
    """Whether inputs are counted in tokens."""
    new_tokens: int
    """Tokens written for a request; 0 when none are."""
    first_token_ms: float | None
    """Median time to the first new token, in milliseconds."""
    between_tokens_ms: float | None
    """Median time between later tokens, in milliseconds."""

    @property
    def requests_per_s(self) -> float:
        """Requests finished in a second at the median time."""
        return 1000 * self.batch_size / self.latency_ms

    @property
    def requests_per_s_range(self) -> tuple[float, float]:
        """The same at the slow and at the fast end of the range."""
        return 1000 * self.batch_size / self.slow_ms, 1000 * self.batch_size / self.fast_ms

    @property
    def tokens_per_request(self) -> int | None:
        """Tokens read and written for a request; None where images or sound are read."""
        return self.sequence_length + self.new_tokens if self.reads_tokens else None

    @property
    def service(self) -> ServiceTime:
        """How long a device is busy with a call."""
        if self.latency_p95_ms is None:
            return ServiceTime.of_unknown_spread(self.latency_ms)
        return ServiceTime.lognormal(self.latency_ms, self.latency_p95_ms)

    def requests_per_s_writing(self, new_tokens: float) -> float | None:
        """Requests a second when each answer has so many tokens, from the measured times of the first and later ones."""
        if not self.new_tokens or self.first_token_ms is None or self.between_tokens_ms is None:
            return None
        return 1000 * self.batch_size / (self.first_token_ms + (new_tokens - 1) * self.between_tokens_ms)


def devices_for_load(requests_per_day: float, requests_per_s: float, utilisation: float) -> int:
    """Whole devices that carry a load."""
    return max(1, math.ceil(requests_per_day / (requests_per_s * SECONDS_PER_DAY * utilisation)))


def served_runs(profile: dict[str, Any]) -> list[ServedRun]:
    """The runs of a stored profile that have figures."""
    reads_tokens = profile.get("task") not in _READ_NO_TOKENS
    served = (_served(run, reads_tokens) for run in profile["runs"] if run.get("throughput_per_s"))
    return [run for run in served if run is not None]


def of_usual_length(runs: Sequence[ServedRun]) -> list[ServedRun]:
    """The runs of the middle sequence length that was measured, the longer of two."""
    lengths = sorted({run.sequence_length for run in runs})
    usual = lengths[len(lengths) // 2]
    return [run for run in runs if run.sequence_length == usual]


def _served(run: dict[str, Any], reads_tokens: bool) -> ServedRun | None:
    median = run.get("latency_p50_ms")
    if median is None and run.get("latency_min_ms") is not None and run.get("latency_max_ms") is not None:
        # With fewer than three calls the profile names no median: it lies between the two.
        median = (run["latency_min_ms"] + run["latency_max_ms"]) / 2
    if not median:
        return None
    batch, unit = int(run["batch_size"]), str(run.get("unit") or "requests")
    fast, slow, spread = _range(run, median)
    writes = unit == "tokens" and run.get("time_to_first_token_ms") is not None
    return ServedRun(
        batch_size=batch,
        sequence_length=int(run["sequence_length"]),
        latency_ms=median,
        latency_p95_ms=run.get("latency_p95_ms"),
        fast_ms=fast,
        slow_ms=slow,
        spread=spread,
        throughput_per_s=float(run["throughput_per_s"]),
        unit=unit,
        peak_memory_mib=run.get("peak_memory_mib"),
        reads_tokens=reads_tokens and unit in _IN_TOKENS,
        new_tokens=round(run["throughput_per_s"] * median / 1000 / batch) if writes else 0,
        first_token_ms=run.get("time_to_first_token_ms"),
        between_tokens_ms=run.get("inter_token_latency_ms"),
    )


def _range(run: dict[str, Any], median: float) -> tuple[float, float, SpreadBasis]:
    low, high = run.get("latency_p50_low_ms"), run.get("latency_p50_high_ms")
    if low and high:
        return min(low, median), max(high, median), "interval"
    low, high = run.get("latency_min_ms"), run.get("latency_p95_ms") or run.get("latency_max_ms")
    if low and high:
        return min(low, median), max(high, median), "calls"
    return median, median, "unknown"
