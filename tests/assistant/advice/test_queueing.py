"""The waiting line's formulas against a simulation of it, and what can never be: more devices and a longer response."""

from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.advice.queueing import ServiceTime, devices_for, least_devices, line_of

TOLERANCE = 0.12
"""What the module's docstring promises, which leaves room for the simulation's own chance."""
EXPONENTIAL = ServiceTime(10.0, 1.0, tuple(-10.0 * math.log(1 - (i + 0.5) / 2001) for i in range(2001)))
CONSTANT = ServiceTime.lognormal(10.0, 10.0)


def lognormal(squared_variation):
    sigma = math.sqrt(math.log(1 + squared_variation))
    median = 10.0 / math.exp(sigma**2 / 2)
    return ServiceTime.lognormal(median, median * math.exp(1.6448536 * sigma))


def draw(service, rng):
    """A service time in milliseconds of that distribution, exactly rather than from its points."""
    if service is EXPONENTIAL:
        return rng.expovariate(1 / service.mean_ms)
    sigma = math.sqrt(math.log(1 + service.squared_variation))
    return rng.lognormvariate(math.log(service.mean_ms) - sigma**2 / 2, sigma)


def simulated_p95_ms(service, arrivals_per_s, devices, requests=60_000, seed=7):
    """95 % quantile of the response time: one line, first come first served, the first tenth left out."""
    rng = random.Random(seed)
    free_at = [0.0] * devices
    now, responses = 0.0, []
    for _ in range(requests):
        now += rng.expovariate(arrivals_per_s / 1000)
        done = max(now, free_at[0]) + draw(service, rng)
        heapq.heapreplace(free_at, done)
        responses.append(done - now)
    kept = sorted(responses[requests // 10 :])
    return kept[math.ceil(0.95 * len(kept)) - 1]


def predicted_p95_ms(service, devices, busy):
    return line_of(service, busy * devices * 1000 / service.mean_ms, devices).response_p95_ms()


@pytest.mark.parametrize("busy", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("devices", [1, 2, 4, 16])
@pytest.mark.parametrize(
    "service",
    [EXPONENTIAL, CONSTANT, lognormal(0.05), lognormal(0.5)],
    ids=["M/M/c", "M/D/c", "lognormal 0.05", "lognormal 0.5"],
)
def test_the_formula_agrees_with_a_simulation(service, devices, busy):
    simulated = simulated_p95_ms(service, busy * devices * 1000 / service.mean_ms, devices)
    assert predicted_p95_ms(service, devices, busy) == pytest.approx(simulated, rel=TOLERANCE)


@pytest.mark.parametrize(
    ("service", "devices", "busy"),
    [(EXPONENTIAL, 2, 0.9), (CONSTANT, 4, 0.9), (lognormal(0.05), 1, 0.9), (lognormal(2.0), 4, 0.6)],
)
def test_it_holds_near_the_limit_and_with_a_wide_spread(service, devices, busy):
    simulated = simulated_p95_ms(service, busy * devices * 1000 / service.mean_ms, devices, requests=200_000)
    assert predicted_p95_ms(service, devices, busy) == pytest.approx(simulated, rel=TOLERANCE)


def test_one_exponential_device_is_the_textbook_case():
    line = line_of(EXPONENTIAL, 50.0, 1)
    assert line.wait_probability == pytest.approx(0.5)
    assert line.mean_wait_ms == pytest.approx(10.0)
    assert line.response_p95_ms() == pytest.approx(-20.0 * math.log(0.05), rel=0.01)


def test_the_mean_wait_of_a_constant_service_is_half_of_an_exponential_one():
    """Pollaczek and Khinchine, exact for one device."""
    assert line_of(CONSTANT, 50.0, 1).mean_wait_ms == pytest.approx(5.0)


@pytest.mark.parametrize(("devices", "load", "wait"), [(2, 1.0, 1 / 3), (5, 3.0, 0.2362), (100, 90.0, 0.2172)])
def test_erlangs_probability_of_waiting(devices, load, wait):
    line = line_of(EXPONENTIAL, 100 * load, devices)
    assert line.wait_probability == pytest.approx(wait, abs=5e-4)


def test_a_line_that_grows_without_end_has_no_response_time():
    assert line_of(CONSTANT, 200.0, 2) is None
    assert line_of(CONSTANT, 199.0, 2) is not None
    assert (least_devices(CONSTANT, 199.0), least_devices(CONSTANT, 200.0)) == (2, 3)


def test_a_target_below_the_service_time_needs_something_else_than_devices():
    assert devices_for(ServiceTime.lognormal(10.0, 12.0), 1.0, 11.0) is None
    assert devices_for(ServiceTime.lognormal(10.0, 12.0), 1.0, 12.5) == 1


def test_without_a_measured_spread_the_wait_is_that_of_an_exponential_time():
    unknown = ServiceTime.of_unknown_spread(10.0)
    assert line_of(unknown, 150.0, 2).mean_wait_ms == line_of(EXPONENTIAL, 150.0, 2).mean_wait_ms
    assert devices_for(unknown, 1e-3, 10.5) == 1, "the time itself is taken as measured"


def test_a_million_devices_are_counted_at_once():
    assert 1_000_000 < devices_for(EXPONENTIAL, 1e8, 31.0) < 1_010_000


services = st.builds(
    lambda p50, times: ServiceTime.lognormal(p50, p50 * times), st.floats(0.1, 1e4), st.floats(1.0, 5.0)
)


@given(service=services, arrivals=st.floats(1e-4, 1e4), devices=st.integers(1, 400))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_one_more_device_never_makes_responses_slower(service, arrivals, devices):
    fewer, more = line_of(service, arrivals, devices), line_of(service, arrivals, devices + 1)
    if fewer is not None:
        assert more.response_p95_ms() <= fewer.response_p95_ms() * (1 + 1e-5)
        assert more.mean_wait_ms <= fewer.mean_wait_ms


@given(service=services, arrivals=st.floats(1e-3, 1e4), times=st.floats(1.05, 20.0))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_devices_for_a_target_keep_it_and_one_fewer_would_not(service, arrivals, times):
    target = service.points_ms[int(0.96 * len(service.points_ms))] * times
    devices = devices_for(service, arrivals, target)
    assert line_of(service, arrivals, devices).response_p95_ms() <= target * (1 + 1e-5)
    fewer = line_of(service, arrivals, devices - 1) if devices > 1 else None
    assert fewer is None or fewer.response_p95_ms() > target * (1 - 1e-5)


@given(service=services, arrivals=st.floats(1e-3, 1e3), more=st.floats(1.0, 10.0), devices=st.integers(1, 50))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_more_requests_never_wait_less(service, arrivals, more, devices):
    quiet, busy = line_of(service, arrivals, devices), line_of(service, arrivals * more, devices)
    if busy is not None:
        assert quiet.response_p95_ms() <= busy.response_p95_ms() * (1 + 1e-5)
