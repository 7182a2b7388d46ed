"""Response times of a load in its busiest hour, and how many devices keep a target."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.advice.cost_records import Queueing, ResponseTime
from assistant.advice.queueing import ServiceTime, devices_for, least_devices, line_of
from assistant.advice.serving import DAYS_PER_MONTH, SECONDS_PER_DAY, ServedRun

PEAK_FACTOR = 3.0
"""Busiest hour over the average one when the user names none: an eighth of the day's requests in one hour."""


def response_times(
    runs: Sequence[ServedRun],
    requests_per_day: float,
    peak_factor: float,
    target_ms: float | None,
    price_per_hour: float | None,
    also: Sequence[int],
) -> Queueing:
    """Response times one request at a time.

    Args:
        runs: Runs of one sequence length; the one with the smallest batch is the service.
        requests_per_day: The load.
        peak_factor: Busiest hour over the average one.
        target_ms: Longest accepted 95 % response time in milliseconds.
        price_per_hour: Price of a device for an hour.
        also: Numbers of devices to show besides those that follow from load and target.
    """
    single = min(runs, key=lambda run: run.batch_size)
    service = single.service
    arrivals = requests_per_day * peak_factor / SECONDS_PER_DAY
    needed = None if target_ms is None else devices_for(service, arrivals, target_ms)
    least = least_devices(service, arrivals)
    # One more than needed shows what it would buy; without a target, the first three that keep up.
    shown = {least, least + 1, *also, *((needed, needed + 1) if needed else (least + 2,))}
    batched = max(
        (r for r in runs if target_ms is None or (r.latency_p95_ms or r.latency_ms) <= target_ms),
        key=lambda run: run.requests_per_s,
        default=None,
    )
    return Queueing(
        peak_factor=peak_factor,
        arrivals_per_s=arrivals,
        batch_size=single.batch_size,
        service_p50_ms=single.latency_ms,
        service_p95_ms=single.latency_p95_ms,
        squared_variation=service.squared_variation,
        at=tuple(_at(service, arrivals, devices, price_per_hour) for devices in sorted(shown)),
        target_p95_ms=target_ms,
        devices_for_target=needed,
        batch_within_target=batched.batch_size if batched else None,
        batch_requests_per_s=batched.requests_per_s if batched else None,
        batch_latency_p50_ms=batched.latency_ms if batched else None,
    )


def _at(service: ServiceTime, arrivals_per_s: float, devices: int, price_per_hour: float | None) -> ResponseTime:
    line = line_of(service, arrivals_per_s, devices)
    return ResponseTime(
        devices=devices,
        busy_percent=arrivals_per_s * service.mean_ms / 10 / devices,
        wait_percent=100 * line.wait_probability if line else None,
        mean_wait_ms=line.mean_wait_ms if line else None,
        response_p95_ms=line.response_p95_ms() if line else None,
        cost_per_month=None if price_per_hour is None else devices * price_per_hour * 24 * DAYS_PER_MONTH,
    )
