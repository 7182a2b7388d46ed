"""A request is counted in the tokens and lengths that were measured, and its response time contains its wait."""

from __future__ import annotations

import pytest

from assistant.advice.cost import estimate_cost
from assistant.advice.serving import DAYS_PER_MONTH
from tests.assistant.advice.cost_inputs import MODEL
from tools.errors import InvalidArgument

# --- requests and tokens ----------------------------------------------------------------------------------------------


@pytest.fixture
def writing(evidence_of, records):
    """Evidence of a model that writes 16 tokens for each of 4 prompts in half a second: 8 requests a second."""
    generation = {"unit": "tokens", "time_to_first_token_ms": 200.0, "inter_token_latency_ms": 20.0}
    return evidence_of(records.profile(records.measured(4, 500.0, 550.0, 128.0, **generation)))


def test_a_request_for_text_is_as_many_tokens_as_it_reads_and_writes(writing):
    estimate = estimate_cost(MODEL, 345_600, 1.0, evidence=writing)
    assert (estimate.unit, estimate.throughput_per_s, estimate.requests_per_s) == ("tokens", 128.0, 8.0)
    assert (estimate.new_tokens, estimate.tokens_per_request) == (16, 144)
    assert estimate.busy_percent == pytest.approx(50.0)
    assert "reads 128 tokens and writes 16" in estimate.assumptions[0]


def test_a_longer_answer_costs_what_the_measured_times_say(writing):
    (row,) = [s for s in estimate_cost(MODEL, None, 1.0, evidence=writing).sensitivity if s.input == "new_tokens"]
    assert (row.cheap_value, row.value, row.dear_value, row.basis) == (8, 16, 32, "measured")
    assert row.dear_percent == pytest.approx(100 * ((200 + 31 * 20) / 500 - 1))


def test_images_have_no_price_for_tokens(evidence_of, records):
    evidence = evidence_of(records.profile(records.measured(unit="inputs")))
    estimate = estimate_cost(MODEL, 1000, 1.0, evidence=evidence, alternative_price_per_thousand_requests=1.0)
    assert estimate.tokens_per_request is None
    assert {o.cost_per_million_tokens for o in estimate.options} == {None}
    assert estimate.break_even.price_per_million_tokens is None
    with pytest.raises(InvalidArgument, match="not counted in tokens"):
        estimate_cost(MODEL, 1000, 1.0, evidence=evidence, alternative_price_per_million_tokens=1.0)


def test_speech_is_written_in_tokens_but_not_read_in_them(evidence_of, records):
    speech = {"unit": "tokens", "time_to_first_token_ms": 200.0, "inter_token_latency_ms": 20.0}
    heard = records.profile(records.measured(1, 500.0, 550.0, 32.0, **speech))
    evidence = evidence_of(heard.model_copy(update={"task": "automatic-speech-recognition"}))
    estimate = estimate_cost(MODEL, 1000, 1.0, evidence=evidence)
    assert (estimate.requests_per_s, estimate.new_tokens, estimate.tokens_per_request) == (2.0, 16, None)
    assert estimate.assumptions[0] == "Every request is one input, in batches of 1."


def test_requests_have_the_middle_of_the_lengths_that_were_measured(evidence_of, records):
    runs = [records.measured(1, p50, p50, 1000 / p50, sequence_length=n) for n, p50 in ((64, 5), (256, 20), (512, 50))]
    estimate = estimate_cost(MODEL, None, 1.0, evidence=evidence_of(records.profile(*runs)))
    assert (estimate.sequence_length, estimate.requests_per_s) == (256, 50.0)
    (row,) = [s for s in estimate.sensitivity if s.input == "sequence_length"]
    assert (row.cheap_value, row.dear_value, row.basis) == (64, 512, "measured")
    assert (row.cheap_percent, row.dear_percent) == (pytest.approx(-75), pytest.approx(150))


# --- response times ---------------------------------------------------------------------------------------------------


def test_the_service_is_that_of_a_single_request(profiled):
    queueing = estimate_cost(MODEL, 864_000, 1.0, evidence=profiled, peak_factor=5).queueing
    assert (queueing.batch_size, queueing.service_p50_ms, queueing.service_p95_ms) == (1, 10.0, 12.0)
    assert (queueing.peak_factor, queueing.arrivals_per_s) == (5, 50.0)
    assert [at.devices for at in queueing.at] == [1, 2, 3]
    assert (queueing.target_p95_ms, queueing.devices_for_target) == (None, None)


def test_the_devices_for_a_target_stand_among_the_rows(profiled):
    queueing = estimate_cost(MODEL, 8_000_000, 1.0, evidence=profiled, latency_p95_target_ms=15.0).queueing
    rows = {at.devices: at for at in queueing.at}
    assert rows[queueing.devices_for_target].response_p95_ms <= 15.0
    assert rows[queueing.devices_for_target - 1].response_p95_ms > 15.0
    assert rows[1].response_p95_ms is None, "one device cannot keep up"
    assert rows[1].busy_percent > 100
    assert rows[5].cost_per_month == pytest.approx(5 * 24 * DAYS_PER_MONTH)
    assert queueing.batch_within_target == 1, "a batch of 8 takes longer than the target"


def test_a_target_below_the_service_time_is_out_of_reach(profiled):
    queueing = estimate_cost(MODEL, 1000, 1.0, evidence=profiled, latency_p95_target_ms=9.0).queueing
    assert (queueing.target_p95_ms, queueing.devices_for_target, queueing.batch_within_target) == (9.0, None, None)


def test_what_batches_would_change_is_measured(profiled):
    queueing = estimate_cost(MODEL, 1000, 1.0, evidence=profiled, latency_p95_target_ms=60.0).queueing
    found = (queueing.batch_within_target, queueing.batch_requests_per_s, queueing.batch_latency_p50_ms)
    assert found == (8, 200.0, 40.0)


@pytest.mark.parametrize("peak", [0.5, 25, float("nan")])
def test_a_peak_out_of_range_is_refused(profiled, peak):
    with pytest.raises(InvalidArgument, match="busiest hour"):
        estimate_cost(MODEL, 1000, 1.0, evidence=profiled, peak_factor=peak)


@pytest.mark.parametrize("target", [0, -1, float("inf"), float("nan")])
def test_a_target_out_of_range_is_refused(profiled, target):
    with pytest.raises(InvalidArgument, match="target"):
        estimate_cost(MODEL, 1000, 1.0, evidence=profiled, latency_p95_target_ms=target)
