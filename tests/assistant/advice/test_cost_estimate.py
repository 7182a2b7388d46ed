"""Cost follows from measured throughput by the formulas, grows with load and price, and is never guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assistant.advice.cost import estimate_cost
from assistant.advice.cost_records import CostEstimate
from assistant.advice.serving import DAYS_PER_MONTH, SECONDS_PER_DAY, UTILISATIONS
from assistant.evidence import of_present_commit
from tests.assistant.advice.cost_inputs import MODEL, loads, prices, shared
from tools.errors import InvalidArgument, MissingEvidence

throughputs = st.floats(0.01, 1e6)


def with_throughput(evidence, throughput):
    """The same evidence with one run of that throughput, one request at a time."""
    (found,) = evidence
    times = {f"latency_{name}_ms": 1000 / throughput for name in ("p50", "p95", "min", "max")}
    run = found.record["runs"][0] | {"throughput_per_s": throughput, **times}
    return [found.model_copy(update={"record": found.record | {"runs": [run]}})]


def test_the_estimate_rests_on_the_best_run_and_says_how(profiled):
    estimate = estimate_cost(MODEL, 8_640_000, 2.0, "EUR", evidence=profiled)
    assert (estimate.throughput_per_s, estimate.unit, estimate.batch_size) == (200.0, "texts", 8)
    assert (estimate.commit, estimate.profile_evidence, estimate.noise) == ("a" * 40, "E1", "quiet")
    assert (estimate.busy_percent, estimate.capacity_per_day) == (50.0, 6_912_000.0)
    assert (estimate.sequence_length, estimate.new_tokens, estimate.tokens_per_request) == (128, 0, 128)
    assert [(o.utilisation, o.devices, o.cost_per_day) for o in estimate.options] == [
        (0.2, 3, 144.0),
        (0.4, 2, 96.0),
        (0.7, 1, 48.0),
    ]
    assert estimate.assumptions[:3] == (
        "Every request is one text of 128 tokens, in batches of 8.",
        "Devices of the measured kind, paid for the whole day.",
        "At 20, 40 and 70 % utilisation, hours with 5, 2.5 and 1.4 times the average are still carried.",
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
        assert option.cost_per_request == pytest.approx(option.cost_per_day / load)
        assert option.cost_per_million_tokens == pytest.approx(option.cost_per_request / 128 * 1e6)
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


@given(load=loads, price=prices, times=st.floats(0.1, 10))
@shared
def test_every_cost_scales_with_the_price(profiled, load, price, times):
    once, more = (estimate_cost(MODEL, load, each, evidence=profiled) for each in (price, price * times))
    for a, b in zip(once.options, more.options, strict=True):
        assert (b.cost_per_month, b.cost_per_request) == pytest.approx(
            (a.cost_per_month * times, a.cost_per_request * times)
        )
    for a, b in zip(once.at_capacity, more.at_capacity, strict=True):
        assert b.cost_per_million_tokens == pytest.approx(a.cost_per_million_tokens * times)
    for a, b in zip(once.queueing.at, more.queueing.at, strict=True):
        assert b.cost_per_month == pytest.approx(a.cost_per_month * times)


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


@pytest.mark.parametrize("load", [0, -1, 1e-7, float("nan"), float("inf"), 1e13])
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
    evidence = evidence_of(records.profile(), records.profile(records.measured(4, 80.0, 90.0, 50.0)))
    estimate = estimate_cost(MODEL, 1000, 1.0, evidence=evidence)
    assert (estimate.throughput_per_s, estimate.profile_evidence) == (50.0, "E2")


def test_a_measurement_of_another_version_has_no_say(evidence_of, records):
    evidence = evidence_of(records.profile(), records.snapshot(commit="b" * 40))
    assert [each.tool for each in of_present_commit(evidence)] == ["fetch_model"]
    with pytest.raises(MissingEvidence):
        estimate_cost(MODEL, 1000, 1.0, evidence=evidence)


# --- the spread of the measurement ------------------------------------------------------------------------------------


def test_the_range_is_that_of_the_medians_interval(evidence_of, records):
    run = records.measured(1, 10.0, 30.0, 100.0, latency_p50_low_ms=8.0, latency_p50_high_ms=12.5)
    estimate = estimate_cost(MODEL, 4_000_000, 1.0, evidence=evidence_of(records.profile(run)))
    assert estimate.spread_basis == "interval"
    assert (estimate.requests_per_s_range.low, estimate.requests_per_s_range.high) == (80.0, 125.0)
    middle = estimate.options[1]
    assert (middle.devices_range.low, middle.devices, middle.devices_range.high) == (1, 2, 2)
    assert middle.cost_per_month_range.low == pytest.approx(24 * DAYS_PER_MONTH)
    assert middle.cost_per_month_range.high == middle.cost_per_month


def test_without_an_interval_the_range_is_that_of_the_calls(profiled):
    estimate = estimate_cost(MODEL, 1000, evidence=profiled)
    assert estimate.spread_basis == "calls"
    assert (estimate.requests_per_s_range.low, estimate.requests_per_s_range.high) == (160.0, 400.0)


@given(load=loads, price=prices, low=st.floats(0.5, 1), high=st.floats(1, 2))
@shared
def test_every_figure_lies_within_its_range(evidence_of, records, profiled, load, price, low, high):
    (found,) = with_throughput(profiled, 100.0)
    run = found.record["runs"][0] | {"latency_p50_low_ms": 10 * low, "latency_p50_high_ms": 10 * high}
    evidence = [found.model_copy(update={"record": found.record | {"runs": [run]}})]
    estimate = estimate_cost(MODEL, load, price, evidence=evidence)
    ranges = [(o.devices, o.devices_range) for o in estimate.options]
    ranges += [(o.cost_per_month, o.cost_per_month_range) for o in estimate.options]
    for full in estimate.at_capacity:
        ranges += [
            (full.requests_per_day, full.requests_per_day_range),
            (full.cost_per_thousand_requests, full.cost_per_thousand_requests_range),
            (full.cost_per_million_tokens, full.cost_per_million_tokens_range),
        ]
    assert all(r.low * (1 - 1e-9) <= value <= r.high * (1 + 1e-9) for value, r in ranges)


# --- what was stored before -------------------------------------------------------------------------------------------


def test_an_estimate_of_the_first_release_is_still_read(profiled):
    """Stored evidence has none of the later fields."""
    first = {
        "model", "commit", "requests_per_day", "price_per_hour", "currency", "throughput_per_s", "unit", "batch_size",
        "profile_evidence", "busy_percent", "capacity_per_day", "options", "assumptions",
    }  # fmt: skip
    of_options = {
        "utilisation",
        "devices",
        "cost_per_day",
        "cost_per_month",
        "cost_per_thousand_requests",
    }
    record = estimate_cost(MODEL, 1000, 1.0, evidence=profiled).model_dump(mode="json", include=first)
    record["options"] = [{k: v for k, v in option.items() if k in of_options} for option in record["options"]]
    stored = CostEstimate.model_validate(record)
    assert (stored.queueing, stored.sensitivity, stored.options[0].devices_range) == (None, (), None)
