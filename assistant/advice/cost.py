"""The tool `estimate_cost`: what it costs to serve a model, from the throughput that was measured.

    busy share  = requests per day / (throughput per second * 86,400)
    devices     = ceil(busy share / utilisation)
    cost        = devices * price per hour * 24

Utilisation is the share of the day in which a device may be kept busy. Real traffic has peaks, so the estimate is a
range over several utilisations, and the reader is told that this moves the result most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from assistant.evidence import Evidence, latest, of_present_commit
from tools.errors import InvalidArgument, MissingEvidence

UTILISATIONS = (0.2, 0.4, 0.7)
"""Shares of the day in which a device is kept busy: spiky, ordinary, smooth traffic."""
SECONDS_PER_DAY = 86_400
DAYS_PER_MONTH = 30.4


class CostAtUtilisation(BaseModel):
    """The cost at one utilisation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    utilisation: float
    """Share of the day in which a device may be busy, in (0, 1]."""
    devices: int
    """Devices of the measured kind that are needed."""
    cost_per_day: float | None
    """In the estimate's currency; absent when no price is known."""
    cost_per_month: float | None
    """In the estimate's currency, at 30.4 days; absent when no price is known."""
    cost_per_thousand_requests: float | None
    """In the estimate's currency; absent when no price is known."""


class CostEstimate(BaseModel):
    """What it costs to serve a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference."""
    commit: str
    """Commit or content hash that was measured."""
    requests_per_day: float | None
    """Load as the user gave it."""
    price_per_hour: float | None
    """Price of one device for an hour as the user gave it."""
    currency: str
    """ISO code."""
    throughput_per_s: float
    """Best measured throughput."""
    unit: str
    """What the throughput counts."""
    batch_size: int
    """Batch at which it was measured."""
    profile_evidence: str
    """Evidence id of the measurement."""
    busy_percent: float | None
    """Average share of one device that the load keeps busy, in percent."""
    capacity_per_day: float
    """Requests that one device handles in a day at the middle utilisation."""
    options: tuple[CostAtUtilisation, ...]
    """Cost by utilisation; empty when no load is known."""
    assumptions: tuple[str, ...]
    """What the estimate takes for granted."""


def estimate_cost(
    model: str,
    requests_per_day: float | None = None,
    price_per_hour: float | None = None,
    currency: str = "USD",
    *,
    evidence: Sequence[Evidence],
) -> CostEstimate:
    """Estimate the cost of serving a model from its profile.

    Args:
        model: Canonical reference.
        requests_per_day: Load; absent gives the capacity only.
        price_per_hour: Price of one device for an hour.
        currency: ISO code of the price.
        evidence: The user's evidence about the model, newest first.

    Raises:
        MissingEvidence: The model was not profiled.
        InvalidArgument: Load or price out of range.
    """
    if requests_per_day is not None and not 0 < requests_per_day <= 1e12:
        raise InvalidArgument(f"`{requests_per_day}` requests a day is out of range.", "Give a number above zero.")
    if price_per_hour is not None and not 0 <= price_per_hour <= 1e7:
        raise InvalidArgument(f"A price of `{price_per_hour}` an hour is out of range.", "Give a price from zero up.")
    profile = latest(of_present_commit(evidence), "profile_model")
    runs = [r for r in (profile.record["runs"] if profile else ()) if r.get("throughput_per_s")]
    if profile is None or not runs:
        raise MissingEvidence(f"`{model}` was not measured.", f"Run `tameshi profile-model {model}` first.")
    best = max(runs, key=lambda r: r["throughput_per_s"])
    throughput = float(best["throughput_per_s"])
    return CostEstimate(
        model=model,
        commit=profile.commit,
        requests_per_day=requests_per_day,
        price_per_hour=price_per_hour,
        currency=currency,
        throughput_per_s=throughput,
        unit=str(best.get("unit") or "requests"),
        batch_size=int(best["batch_size"]),
        profile_evidence=profile.id,
        busy_percent=100 * requests_per_day / (throughput * SECONDS_PER_DAY) if requests_per_day else None,
        capacity_per_day=throughput * SECONDS_PER_DAY * UTILISATIONS[1],
        options=tuple(_option(u, requests_per_day, throughput, price_per_hour) for u in UTILISATIONS)
        if requests_per_day
        else (),
        assumptions=(
            f"Every request is one text of {best['sequence_length']} tokens, in batches of {best['batch_size']}.",
            "Devices of the measured kind, paid for the whole day.",
            "The price per hour covers the device only: no people, storage or network.",
        ),
    )


def _option(
    utilisation: float, requests_per_day: float, throughput: float, price_per_hour: float | None
) -> CostAtUtilisation:
    devices = max(1, math.ceil(requests_per_day / (throughput * SECONDS_PER_DAY * utilisation)))
    per_day = None if price_per_hour is None else devices * price_per_hour * 24
    return CostAtUtilisation(
        utilisation=utilisation,
        devices=devices,
        cost_per_day=per_day,
        cost_per_month=None if per_day is None else per_day * DAYS_PER_MONTH,
        cost_per_thousand_requests=None if per_day is None else per_day / requests_per_day * 1000,
    )
