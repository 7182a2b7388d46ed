"""What a measurement says: a value with its unit, goal, number of samples, spread and conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field


class Result(BaseModel):
    """One measured value."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Part and value, such as `search.latency_p95`."""
    title: str
    """What it is, for people."""
    value: float
    unit: str
    """`s`, `ms`, `ratio` or `share`."""
    goal: float | None = None
    """Absent for values that only explain another one."""
    bound: Literal["at most", "at least"] = "at most"
    """On which side of the goal the value is to be."""
    n: int
    """Number of samples."""
    spread: dict[str, float] = {}
    """Quantiles of the samples in the same unit; of a share of right answers its 95 % interval."""
    detail: dict[str, float] = {}
    """The same value for parts of the samples, such as one language."""
    conditions: str

    @computed_field
    @property
    def held(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.bound == "at most" else self.value >= self.goal


class Load(BaseModel):
    """How busy the machine was."""

    model_config = ConfigDict(frozen=True)

    load_average: tuple[float, float, float]
    """Over 1, 5 and 15 minutes; after a part it holds the part's own work, and before one that of the part before."""
    busy_share: float
    """Share of all cores in use over one second while the bench waited."""


class Part(BaseModel):
    """The results of one question."""

    model_config = ConfigDict(frozen=True)

    name: str
    date: str
    """UTC, to the second."""
    commit: str
    uncommitted_files: int
    """Tracked files that differed from the commit, README and the bench's own output left out."""
    wall_s: float
    load_before: Load
    load_after: Load
    results: tuple[Result, ...]


class Document(BaseModel):
    """The whole bench, as it is written to `docs/bench.json`."""

    model_config = ConfigDict(frozen=True)

    machine: dict[str, Any]
    parts: tuple[Part, ...]


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the samples lie, between two samples in proportion."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
    return low + (high - low) * (position - math.floor(position))


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Least, median, 95th percentile and most, to four digits."""
    shares = {"min": 0.0, "p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: rounded(quantile(values, share)) for name, share in shares.items()}


def share_interval(right: float, n: int) -> dict[str, float]:
    """95 % interval of a share by Wilson's formula.

    Args:
        right: The observed share.
        n: Number of samples.
    """
    z = 1.96
    middle = (right + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(right * (1 - right) / n + z * z / (4 * n * n))
    return {"low": round(max(0.0, middle - half), 4), "high": round(min(1.0, middle + half), 4)}


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")
