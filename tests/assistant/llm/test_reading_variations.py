"""Questions that only say what is to be different from the last call repeat it with that, and no others do."""

from __future__ import annotations

import pytest

from assistant.llm.reading_variations import LastCall
from assistant.llm.turn_schema import read_turn

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MEASURED = LastCall(
    tool="profile_model",
    arguments={"model": MINILM, "batch_sizes": [8], "sequence_lengths": [64], "force": True},
)
FORECAST = LastCall(tool="estimate_memory", arguments={"model": MINILM, "batch_size": 8})
COST = LastCall(
    tool="estimate_cost",
    arguments={"model": MINILM, "requests_per_day": 500, "price_per_hour": 0.5, "currency": "USD"},
)


def asked(question, last):
    """The turn of a question after a call."""
    turn = read_turn(question, remembered=(MINILM,), last_tool=last.tool)
    return turn.model_copy(update={"last_call": last})


@pytest.mark.parametrize(
    ("question", "last", "different"),
    [
        ("and in bfloat16?", MEASURED, {"dtype": "bfloat16"}),
        ("and with batch 16?", MEASURED, {"batch_sizes": [16]}),
        ("では16件では？", MEASURED, {"batch_sizes": [16]}),
        ("What about 512 tokens?", MEASURED, {"sequence_lengths": [512]}),
        ("バッチ32と128トークンだとどうなりますか", MEASURED, {"batch_sizes": [32], "sequence_lengths": [128]}),
        ("intfloat/e5-smallはどうですか", MEASURED, {"model": "intfloat/e5-small"}),
        ("and on the GPU?", MEASURED, {"device": "cuda"}),
        ("for 32?", FORECAST, {"batch_size": 32}),
        ("int8なら?", FORECAST, {"dtype": "int8"}),
        ("and at 2,000 a day?", COST, {"requests_per_day": 2000}),
        ("1日5000件なら？", COST, {"requests_per_day": 5000}),
        ("what if it is 3 dollars an hour?", COST, {"price_per_hour": 3}),
    ],
)
def test_the_last_call_is_repeated_with_what_is_different(question, last, different):
    turn = asked(question, last)
    before = {name: value for name, value in last.arguments.items() if name != "force"}
    assert turn.varied == last.tool
    assert turn.complete(last.tool, {}) == {**before, **different}


@pytest.mark.parametrize(
    ("question", "last"),
    [
        ("How much memory does it need in bfloat16?", MEASURED),
        ("Which is better, 8 or 16?", MEASURED),
        ("bfloat16とは何ですか", MEASURED),
        ("and at 2,000 a day?", MEASURED),
        ("1時間500円なら", FORECAST),
        ("2", MEASURED),
        ("the second one", MEASURED),
        ("and with batch 16?", COST),
        ("and in bfloat16?", LastCall()),
        ("and in bfloat16?", LastCall(tool="check_version", arguments={"model": MINILM})),
    ],
)
def test_a_question_of_its_own_is_none(question, last):
    assert asked(question, last).varied == ""


def test_formats_that_were_compared_are_not_the_one_that_is_asked_for():
    compared = MEASURED.model_copy(update={"arguments": {"model": MINILM, "vary": ["dtype"]}})
    assert asked("and in bfloat16?", compared).complete("profile_model", {}) == {"model": MINILM, "dtype": "bfloat16"}


def test_a_price_in_another_currency_takes_the_place_of_all_prices():
    before = COST.model_copy(update={"arguments": COST.arguments | {"alternative_price_per_million_tokens": 2.0}})
    assert asked("1時間500円なら", before).complete("estimate_cost", {}) == {
        "model": MINILM, "requests_per_day": 500, "price_per_hour": 500, "currency": "JPY",
    }  # fmt: skip
