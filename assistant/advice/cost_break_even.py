"""From which load own devices are cheaper than a price for each request."""

from __future__ import annotations

import math
from typing import Literal

from assistant.advice.cost_records import BreakEven, BreakEvenAt
from assistant.advice.serving import DAYS_PER_MONTH, SECONDS_PER_DAY, UTILISATIONS, ServedRun, devices_for_load
from tools.errors import InvalidArgument


def alternative_of(
    run: ServedRun, per_million_tokens: float | None, per_thousand_requests: float | None
) -> tuple[float, Literal["million_tokens", "thousand_requests"]] | None:
    """The alternative's price for a thousand requests and what the user gave; None when nothing was given.

    Raises:
        InvalidArgument: Both prices, a negative one, or one for tokens where inputs are not tokens.
    """
    given = per_thousand_requests if per_million_tokens is None else per_million_tokens
    if given is None:
        return None
    if per_million_tokens is not None and per_thousand_requests is not None:
        raise InvalidArgument(
            "The alternative has two prices.", "Give its price for a million tokens or for a thousand requests."
        )
    if not 0 <= given <= 1e9:
        raise InvalidArgument(f"An alternative price of `{given}` is out of range.", "Give a price from zero up.")
    if per_million_tokens is None:
        return given, "thousand_requests"
    if run.tokens_per_request is None:
        raise InvalidArgument(
            "Inputs of this model are not counted in tokens.", "Give the alternative's price for a thousand requests."
        )
    return given * run.tokens_per_request / 1000, "million_tokens"


def break_even(
    run: ServedRun,
    price_per_hour: float,
    requests_per_day: float | None,
    price_per_thousand: float,
    given_as: Literal["million_tokens", "thousand_requests"],
) -> BreakEven:
    """Own devices, paid for the whole day, against a price for each request."""
    tokens = run.tokens_per_request
    return BreakEven(
        price_per_thousand_requests=price_per_thousand,
        price_per_million_tokens=None if tokens is None else 1000 * price_per_thousand / tokens,
        given_as=given_as,
        at=tuple(
            _at(u, run.requests_per_s, 24 * price_per_hour, price_per_thousand / 1000, requests_per_day)
            for u in UTILISATIONS
        ),
        alternative_cost_per_month=None
        if requests_per_day is None
        else requests_per_day * price_per_thousand / 1000 * DAYS_PER_MONTH,
    )


def _at(
    utilisation: float, requests_per_s: float, device_per_day: float, per_request: float, requests_per_day: float | None
) -> BreakEvenAt:
    """Where n devices carry n * capacity, they are no dearer from n * device / price on, if that is within n * capacity."""
    capacity = requests_per_s * SECONDS_PER_DAY * utilisation
    gain = capacity * per_request - device_per_day
    first = always = None
    if device_per_day == 0:
        first = always = 0.0
    elif gain >= 0:
        first = device_per_day / per_request
        # After n full devices, n + 1 cost no more than the alternative once n gains pay for one device.
        always = max(1, math.ceil(device_per_day / gain)) * first if gain else None
    return BreakEvenAt(
        utilisation=utilisation,
        capacity_per_day=capacity,
        from_requests_per_day=first,
        always_from_requests_per_day=always,
        cheaper_here=None
        if requests_per_day is None
        else _cheaper(
            devices_for_load(requests_per_day, requests_per_s, utilisation) * device_per_day,
            requests_per_day * per_request,
        ),
    )


def _cheaper(own: float, other: float) -> Literal["own", "other", "same"]:
    return "same" if own == other else "own" if own < other else "other"
