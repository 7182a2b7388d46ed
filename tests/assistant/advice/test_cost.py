"""Cost follows from measured throughput by the formulas, grows with load and price, and is never guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assistant.advice.cost import (
    DAYS_PER_MONTH,
    SECONDS_PER_DAY,
    UTILISATIONS,
    CostAtUtilisation,
    CostEstimate,
    estimate_cost,
)
from assistant.evidence import of_present_commit
from tools.errors import InvalidArgument, MissingEvidence

MODEL = "org/model"
loads = st.floats(0.001, 1e9)
prices = st.floats(0, 1e4)
throughputs = st.floats(0.01, 1e6)
shared = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def profiled(evidence_of, records):
    """Evidence of a profile whose best throughput is 200 texts a second."""
    return evidence_of(records.profile())


def with_throughput(evidence, throughput):
    """The same evidence with one run of that throughput."""
    (found,) = evidence
    run = found.record["runs"][0] | {"throughput_per_s": throughput}
    return [found.model_copy(update={"record": found.record | {"runs": [run]}})]


def test_the_estimate_rests_on_the_best_run_and_says_how(profiled):
    assert estimate_cost(MODEL, 8_640_000, 2.0, "EUR", evidence=profiled) == CostEstimate(
        model=MODEL,
        commit="a" * 40,
        requests_per_day=8_640_000,
        price_per_hour=2.0,
        currency="EUR",
        throughput_per_s=200.0,
        unit="texts",
        batch_size=8,
        profile_evidence="E1",
        busy_percent=50.0,
        capacity_per_day=6_912_000.0,
        options=(
            CostAtUtilisation(
                utilisation=0.2,
                devices=3,
                cost_per_day=144.0,
                cost_per_month=144.0 * DAYS_PER_MONTH,
                cost_per_thousand_requests=144.0 / 8_640_000 * 1000,
            ),
            CostAtUtilisation(
                utilisation=0.4,
                devices=2,
                cost_per_day=96.0,
                cost_per_month=96.0 * DAYS_PER_MONTH,
                cost_per_thousand_requests=96.0 / 8_640_000 * 1000,
            ),
            CostAtUtilisation(
                utilisation=0.7,
                devices=1,
                cost_per_day=48.0,
                cost_per_month=48.0 * DAYS_PER_MONTH,
                cost_per_thousand_requests=48.0 / 8_640_000 * 1000,
            ),
        ),
        assumptions=(
            "Every request is one text of 128 tokens, in batches of 8.",
            "Devices of the measured kind, paid for the whole day.",
            "The price per hour covers the device only: no people, storage or network.",
        ),
    )


@given(load=loads, price=prices, throughput=throughputs)
@shared
def test_devices_carry_the_load_and_one_fewer_would_not(profiled, load, price, throughput):
    estimate = estimate_cost(MODEL, load, price, evidence=with_throughput(profiled, throughput))
    assert [option.utilisation for option in estimate.options] == list(UTILISATIONS)
    for option in estimate.options:
        one_device = throughput * SECONDS_PER_DAY * option.utilisation
        assert option.devices == max(1, math.ceil(load / one_device))
        assert option.devices * one_device >= load * (1 - 1e-12)
        assert option.devices == 1 or (option.devices - 1) * one_device < load
        assert option.cost_per_day == pytest.approx(option.devices * price * 24)
        assert option.cost_per_month == pytest.approx(option.cost_per_day * DAYS_PER_MONTH)
        assert option.cost_per_thousand_requests == pytest.approx(option.cost_per_day / load * 1000)
    assert estimate.busy_percent == pytest.approx(100 * load / (throughput * SECONDS_PER_DAY))


@given(load=loads, more=loads, price=prices, throughput=throughputs)
@shared
def test_more_load_never_costs_less_a_day_nor_needs_fewer_devices(profiled, load, more, price, throughput):
    evidence = with_throughput(profiled, throughput)
    less, greater = (estimate_cost(MODEL, each, price, evidence=evidence) for each in sorted((load, more)))
    for low, high in zip(less.options, greater.options, strict=True):
        assert low.devices <= high.devices
        assert low.cost_per_day <= high.cost_per_day
        assert low.cost_per_month <= high.cost_per_month


@given(load=loads, price=prices, dearer=prices, throughput=throughputs)
@shared
def test_a_dearer_device_costs_more_for_the_same_devices(profiled, load, price, dearer, throughput):
    assume(price < dearer)
    evidence = with_throughput(profiled, throughput)
    less, more = (estimate_cost(MODEL, load, each, evidence=evidence) for each in (price, dearer))
    for low, high in zip(less.options, more.options, strict=True):
        assert low.devices == high.devices
        assert low.cost_per_day < high.cost_per_day
        assert low.cost_per_thousand_requests <= high.cost_per_thousand_requests


@given(load=loads, throughput=throughputs, price=prices)
@shared
def test_smoother_traffic_and_faster_devices_never_cost_more(profiled, load, throughput, price):
    slow = estimate_cost(MODEL, load, price, evidence=with_throughput(profiled, throughput))
    fast = estimate_cost(MODEL, load, price, evidence=with_throughput(profiled, throughput * 2))
    costs = [option.cost_per_day for option in slow.options]
    assert costs == sorted(costs, reverse=True)
    assert all(f.cost_per_day <= s.cost_per_day for f, s in zip(fast.options, slow.options, strict=True))
    assert fast.capacity_per_day == pytest.approx(2 * slow.capacity_per_day)


def test_without_a_price_devices_are_known_and_amounts_are_not(profiled):
    estimate = estimate_cost(MODEL, 8_640_000, evidence=profiled)
    assert [option.devices for option in estimate.options] == [3, 2, 1]
    for option in estimate.options:
        assert (option.cost_per_day, option.cost_per_month, option.cost_per_thousand_requests) == (None, None, None)


@pytest.mark.parametrize("price", [None, 3.0])
def test_without_a_load_only_the_capacity_is_known(profiled, price):
    estimate = estimate_cost(MODEL, None, price, evidence=profiled)
    assert (estimate.options, estimate.busy_percent) == ((), None)
    assert estimate.capacity_per_day == pytest.approx(200 * SECONDS_PER_DAY * 0.4)


def test_a_free_device_costs_nothing_and_that_is_an_amount(profiled):
    estimate = estimate_cost(MODEL, 1000, 0, evidence=profiled)
    assert {option.cost_per_day for option in estimate.options} == {0}


@pytest.mark.parametrize("load", [0, -1, float("nan"), float("inf"), 1e13])
def test_a_load_out_of_range_is_refused(profiled, load):
    with pytest.raises(InvalidArgument, match="requests a day"):
        estimate_cost(MODEL, load, 1.0, evidence=profiled)


@pytest.mark.parametrize("price", [-0.01, float("nan"), float("inf"), 1e8])
def test_a_price_out_of_range_is_refused(profiled, price):
    with pytest.raises(InvalidArgument, match="price"):
        estimate_cost(MODEL, 1000, price, evidence=profiled)


def test_a_model_that_was_not_measured_has_no_cost(evidence_of, records):
    evidence = evidence_of(*records.sound(profile=None))
    with pytest.raises(MissingEvidence, match="`org/model` was not measured") as missing:
        estimate_cost(MODEL, 1000, 1.0, evidence=evidence)
    assert "profile-model org/model" in missing.value.next_step


def test_runs_that_failed_are_no_measurement(evidence_of, records):
    only_failed = evidence_of(records.profile(records.failed(1), records.failed(8)))
    with pytest.raises(MissingEvidence):
        estimate_cost(MODEL, 1000, 1.0, evidence=only_failed)
    mixed = evidence_of(records.profile(records.measured(1), records.failed(8)))
    assert estimate_cost(MODEL, 1000, 1.0, evidence=mixed).batch_size == 1


def test_the_newest_profile_counts(evidence_of, records):
    evidence = evidence_of(records.profile(), records.profile(records.measured(4, throughput=50.0)))
    estimate = estimate_cost(MODEL, 1000, 1.0, evidence=evidence)
    assert (estimate.throughput_per_s, estimate.profile_evidence) == (50.0, "E2")


def test_a_measurement_of_another_version_has_no_say(evidence_of, records):
    evidence = evidence_of(records.profile(), records.snapshot(commit="b" * 40))
    assert [each.tool for each in of_present_commit(evidence)] == ["fetch_model"]
    with pytest.raises(MissingEvidence):
        estimate_cost(MODEL, 1000, 1.0, evidence=evidence)
