"""The tool `estimate_cost`: what it costs to serve a model, from the throughput that was measured.

    busy share  = requests per day / (requests per second * 86,400)
    devices     = ceil(busy share / utilisation)
    cost        = devices * price per hour * 24

Utilisation is the share of the day in which a device may be kept busy. Real traffic has peaks, so the estimate is a
range over several utilisations; each has a range of its own from the spread of the measurement. What moves the result
most is worked out, not supposed. Response times in the busiest hour come from `queueing`.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.advice.cost_assumptions import assumptions_of_cost
from assistant.advice.cost_break_even import alternative_of, break_even
from assistant.advice.cost_records import CostAtCapacity, CostAtUtilisation, CostEstimate, Interval
from assistant.advice.cost_sensitivity import Case, moves_most, sensitivities
from assistant.advice.cost_waiting import PEAK_FACTOR, response_times
from assistant.advice.serving import (
    DAYS_PER_MONTH,
    SECONDS_PER_DAY,
    UTILISATIONS,
    ServedRun,
    devices_for_load,
    of_usual_length,
    served_runs,
)
from assistant.evidence import Evidence, latest, of_present_commit
from tools.errors import InvalidArgument, MissingEvidence


def estimate_cost(
    model: str,
    requests_per_day: float | None = None,
    price_per_hour: float | None = None,
    currency: str = "USD",
    *,
    evidence: Sequence[Evidence],
    latency_p95_target_ms: float | None = None,
    peak_factor: float = PEAK_FACTOR,
    alternative_price_per_million_tokens: float | None = None,
    alternative_price_per_thousand_requests: float | None = None,
) -> CostEstimate:
    """Estimate the cost of serving a model from its profile.

    Args:
        model: Canonical reference.
        requests_per_day: Load; absent gives what a device handles and costs at capacity only.
        price_per_hour: Price of one device for an hour.
        currency: ISO code of all prices.
        evidence: The user's evidence about the model, newest first.
        latency_p95_target_ms: Longest accepted response time, wait included, for 95 % of the requests, in milliseconds.
        peak_factor: Requests in the busiest hour over those in the average hour, from 1 to 24.
        alternative_price_per_million_tokens: What another offer takes for a million tokens read and written.
        alternative_price_per_thousand_requests: What another offer takes for a thousand requests; one of the two.

    Raises:
        MissingEvidence: The model was not profiled.
        InvalidArgument: Load, price, target or peak out of range.
    """
    _check(requests_per_day, price_per_hour, latency_p95_target_ms, peak_factor)
    profile = latest(of_present_commit(evidence), "profile_model")
    runs = served_runs(profile.record) if profile else []
    if profile is None or not runs:
        raise MissingEvidence(f"`{model}` was not measured.", f"Run `tameshi profile-model {model}` first.")
    usual = of_usual_length(runs)
    best = max(usual, key=lambda run: run.requests_per_s)
    alternative = alternative_of(best, alternative_price_per_million_tokens, alternative_price_per_thousand_requests)
    options = tuple(_option(u, requests_per_day, best, price_per_hour) for u in UTILISATIONS if requests_per_day)
    case = Case(runs, best, requests_per_day, price_per_hour, UTILISATIONS[1])
    sensitivity = sensitivities(case)
    low, high = best.requests_per_s_range
    also = [option.devices for option in options]
    return CostEstimate(
        model=model,
        commit=profile.commit,
        requests_per_day=requests_per_day,
        price_per_hour=price_per_hour,
        currency=currency,
        throughput_per_s=best.throughput_per_s,
        unit=best.unit,
        batch_size=best.batch_size,
        profile_evidence=profile.id,
        busy_percent=100 * requests_per_day / (best.requests_per_s * SECONDS_PER_DAY) if requests_per_day else None,
        capacity_per_day=best.requests_per_s * SECONDS_PER_DAY * UTILISATIONS[1],
        options=options,
        assumptions=assumptions_of_cost(
            best, peak_factor if requests_per_day else None, alternative[1] if alternative else None
        ),
        requests_per_s=best.requests_per_s,
        requests_per_s_range=Interval(low=low, high=high),
        spread_basis=best.spread,
        noise=profile.record.get("noise"),
        sequence_length=best.sequence_length,
        new_tokens=best.new_tokens,
        tokens_per_request=best.tokens_per_request,
        at_capacity=tuple(_at_capacity(u, best, price_per_hour) for u in UTILISATIONS),
        sensitivity_of=case.result_name,
        sensitivity=sensitivity,
        moves_most=moves_most(sensitivity),
        break_even=None
        if alternative is None or price_per_hour is None
        else break_even(best, price_per_hour, requests_per_day, *alternative),
        queueing=response_times(usual, requests_per_day, peak_factor, latency_p95_target_ms, price_per_hour, also)
        if requests_per_day
        else None,
    )


def _check(
    requests_per_day: float | None, price_per_hour: float | None, target_ms: float | None, peak_factor: float
) -> None:
    if requests_per_day is not None and not 1e-6 <= requests_per_day <= 1e12:
        raise InvalidArgument(f"`{requests_per_day}` requests a day is out of range.", "Give a number above zero.")
    if price_per_hour is not None and not 0 <= price_per_hour <= 1e7:
        raise InvalidArgument(f"A price of `{price_per_hour}` an hour is out of range.", "Give a price from zero up.")
    if target_ms is not None and not 0 < target_ms <= 1e9:
        raise InvalidArgument(f"A target of `{target_ms}` ms is out of range.", "Give a number above zero.")
    if not 1 <= peak_factor <= 24:
        raise InvalidArgument(
            f"A busiest hour of `{peak_factor}` times the average is out of range.",
            "Give a factor from 1 (the same load all day) to 24 (all requests in one hour).",
        )


def _option(
    utilisation: float, requests_per_day: float | None, run: ServedRun, price_per_hour: float | None
) -> CostAtUtilisation:
    load = requests_per_day or 0.0
    slow, fast = run.requests_per_s_range
    devices, fewest, most = (devices_for_load(load, rate, utilisation) for rate in (run.requests_per_s, fast, slow))
    device_per_day = None if price_per_hour is None else price_per_hour * 24
    per_day = None if device_per_day is None else devices * device_per_day
    per_request = None if per_day is None else per_day / load
    tokens = run.tokens_per_request
    return CostAtUtilisation(
        utilisation=utilisation,
        devices=devices,
        cost_per_day=per_day,
        cost_per_month=None if per_day is None else per_day * DAYS_PER_MONTH,
        cost_per_thousand_requests=None if per_request is None else per_request * 1000,
        cost_per_request=per_request,
        cost_per_million_tokens=None if per_request is None or tokens is None else per_request / tokens * 1e6,
        devices_range=Interval(low=fewest, high=most),
        cost_per_month_range=None
        if device_per_day is None
        else Interval(low=fewest * device_per_day * DAYS_PER_MONTH, high=most * device_per_day * DAYS_PER_MONTH),
    )


def _at_capacity(utilisation: float, run: ServedRun, price_per_hour: float | None) -> CostAtCapacity:
    slow, fast = run.requests_per_s_range
    tokens = run.tokens_per_request

    def per_thousand(rate: float) -> float | None:
        return None if price_per_hour is None else 1000 * price_per_hour / (3600 * rate * utilisation)

    def per_million(rate: float) -> float | None:
        cost = per_thousand(rate)
        return None if cost is None or tokens is None else 1000 * cost / tokens

    return CostAtCapacity(
        utilisation=utilisation,
        requests_per_day=run.requests_per_s * SECONDS_PER_DAY * utilisation,
        requests_per_day_range=Interval(
            low=slow * SECONDS_PER_DAY * utilisation, high=fast * SECONDS_PER_DAY * utilisation
        ),
        cost_per_thousand_requests=per_thousand(run.requests_per_s),
        cost_per_thousand_requests_range=_interval(per_thousand(fast), per_thousand(slow)),
        cost_per_million_tokens=per_million(run.requests_per_s),
        cost_per_million_tokens_range=_interval(per_million(fast), per_million(slow)),
    )


def _interval(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low=low, high=high)
