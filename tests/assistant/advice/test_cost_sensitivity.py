"""Which input moves a cost most, and from which load on own devices are cheaper than another offer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.advice.cost import estimate_cost
from tests.assistant.advice.cost_inputs import MODEL, loads, prices, shared
from tools.errors import InvalidArgument

# --- what moves the result --------------------------------------------------------------------------------------------


def test_a_load_for_less_than_a_device_depends_on_its_price_alone(profiled):
    estimate = estimate_cost(MODEL, 1000, 1.0, evidence=profiled)
    assert (estimate.sensitivity_of, estimate.moves_most) == ("cost_per_month", "price")
    assert [s.input for s in estimate.sensitivity if s.cheap_percent or s.dear_percent] == ["price"]


def test_what_is_only_assumed_is_not_called_the_strongest(profiled):
    estimate = estimate_cost(MODEL, None, 1.0, evidence=profiled)
    assert estimate.sensitivity_of == "cost_per_thousand_requests"
    assert (estimate.sensitivity[0].input, estimate.sensitivity[0].basis) == ("sequence_length", "assumed")
    assert estimate.moves_most == "utilisation"


def test_the_batch_is_compared_with_the_other_measured_ones(profiled):
    (row,) = [s for s in estimate_cost(MODEL, None, 1.0, evidence=profiled).sensitivity if s.input == "batch"]
    assert (row.value, row.cheap_value, row.dear_value) == (8, 8, 1)
    assert (row.cheap_percent, row.dear_percent) == (0, pytest.approx(100))


def test_without_load_and_price_there_is_no_result_to_move(profiled):
    estimate = estimate_cost(MODEL, evidence=profiled)
    assert (estimate.sensitivity_of, estimate.sensitivity, estimate.moves_most) == (None, (), None)


@given(load=st.none() | loads, price=st.none() | prices)
@shared
def test_inputs_stand_in_the_order_of_what_they_move(profiled, load, price):
    rows = estimate_cost(MODEL, load, price, evidence=profiled).sensitivity
    assert all(row.cheap_percent <= 0 <= row.dear_percent for row in rows)
    moves = [row.dear_percent - row.cheap_percent for row in rows]
    assert moves == sorted(moves, reverse=True)


# --- against another offer --------------------------------------------------------------------------------------------


def test_both_ways_of_naming_a_price_are_the_same_price(profiled):
    by_tokens = estimate_cost(MODEL, 1000, 1.0, evidence=profiled, alternative_price_per_million_tokens=10.0)
    by_requests = estimate_cost(MODEL, 1000, 1.0, evidence=profiled, alternative_price_per_thousand_requests=1.28)
    assert by_tokens.break_even.price_per_thousand_requests == pytest.approx(1.28)
    assert by_tokens.break_even.given_as == "million_tokens"
    assert by_requests.break_even.price_per_million_tokens == pytest.approx(10.0)
    assert by_tokens.break_even.at[1].from_requests_per_day == pytest.approx(24 / 0.00128)


def test_an_offer_below_the_cost_at_capacity_is_never_beaten(profiled):
    estimate = estimate_cost(MODEL, 1000, 1.0, evidence=profiled, alternative_price_per_thousand_requests=0.003)
    assert [at.from_requests_per_day is None for at in estimate.break_even.at] == [True, True, False]
    assert {at.cheaper_here for at in estimate.break_even.at} == {"other"}


def test_without_an_offer_or_a_price_there_is_nothing_to_compare(profiled):
    assert estimate_cost(MODEL, 1000, 1.0, evidence=profiled).break_even is None
    offer = {"alternative_price_per_thousand_requests": 1.0}
    assert estimate_cost(MODEL, 1000, evidence=profiled, **offer).break_even is None


@pytest.mark.parametrize(("tokens", "requests"), [(1.0, 1.0), (-1.0, None), (None, float("nan"))])
def test_an_offer_that_makes_no_sense_is_refused(profiled, tokens, requests):
    with pytest.raises(InvalidArgument, match="alternative"):
        estimate_cost(
            MODEL, 1000, 1.0, evidence=profiled,
            alternative_price_per_million_tokens=tokens, alternative_price_per_thousand_requests=requests,
        )  # fmt: skip


@given(price=st.floats(0.01, 100), offer=st.floats(1e-5, 10), times=st.floats(1.001, 50))
@shared
def test_the_break_even_agrees_with_both_prices(profiled, price, offer, times):
    """From it on at the same number of devices, and always from the second figure on, own devices are no dearer."""

    def at(load):
        return estimate_cost(
            MODEL, load, price, evidence=profiled, alternative_price_per_thousand_requests=offer
        ).break_even.at

    for i, found in enumerate(at(1000)):
        first, always = found.from_requests_per_day, found.always_from_requests_per_day
        if first is None:
            assert found.capacity_per_day * offer / 1000 < price * 24
            assert at(found.capacity_per_day * 0.999)[i].cheaper_here == "other"
            continue
        assert at(first * 0.999)[i].cheaper_here == "other"
        if first * 1.001 < found.capacity_per_day:
            assert at(first * 1.001)[i].cheaper_here == "own"
        if always is not None and always * times <= 1e12:
            assert at(always * times)[i].cheaper_here == "own"
            assert always >= first
