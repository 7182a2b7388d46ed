"""A cost and a comparison as read: points for a manager, tables and the command for an engineer, in both languages."""

from __future__ import annotations

import re

import pytest

from assistant.advice.comparison import compare_models
from assistant.advice.cost import estimate_cost
from assistant.advice.cost_records import CostEstimate
from assistant.languages import LANGUAGES
from assistant.rendering.results import TurnResult, rendered

MODEL = "org/model"
AUDIENCES = ("auto", "manager", "engineer")
CASES = {
    "all": (8_000_000, 0.5, {"latency_p95_target_ms": 15.0, "alternative_price_per_million_tokens": 0.02}),
    "small": (20_000, 0.5, {"latency_p95_target_ms": 5.0, "alternative_price_per_thousand_requests": 1e-4}),
    "no price": (20_000, None, {"latency_p95_target_ms": 50.0}),
    "no load": (None, 0.5, {"alternative_price_per_thousand_requests": 1.0}),
    "nothing": (None, None, {}),
}


@pytest.fixture
def shown(evidence_of, records):
    """The function that works out a cost and renders it."""
    evidence = evidence_of(records.profile())

    def show(case, language="en", audience="engineer"):
        load, price, options = CASES[case]
        record = estimate_cost(MODEL, load, price, evidence=evidence, **options)
        return rendered(TurnResult("E2", "estimate_cost", {}, record), language, []).for_audience(audience)

    return show


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_told_in_both_languages(shown, case, language, audience):
    text = shown(case, language, audience)
    assert "None" not in text
    assert "{" not in text
    assert re.search(r"\[E[12]\]", text)
    if language == "ja":
        bare = re.sub(r"`[^`]*`", "", text)
        assert re.findall(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]*){3,}", bare) == []


def test_a_manager_reads_what_it_costs_what_moves_it_and_the_next_step(shown):
    amount, *points, step = shown("all", audience="manager").split("\n\n")
    assert amount.startswith("**USD 1,824.00 a month** for 95 % of the answers within 15 ms")
    depends, response, offer = "".join(points).split("\n")
    assert depends.startswith("- **It depends most on** utilisation")
    assert "need 5 × the measured device" in response
    assert "the other offer is cheaper: USD 622.59 a month against 729.60" in offer
    assert step.startswith("**Next step:**")
    assert "|" not in shown("all", audience="manager")


def test_an_engineer_reads_the_tables_and_the_command(shown):
    text = shown("all")
    assert "| 40 % | 2 (1–2) | 24.00 | 729.60 (364.80–729.60) | 0.00300 | 0.0234 |" in text
    assert "| requests processed together | 8 | – | 1 → +50 % | measured |" in text
    assert re.search(r"\| 1 \| 27\d % \| – \| overloaded, the line grows \| 364.80 \|", text)
    assert re.search(r"\| 40 % \| 6,912,000 \| 4,687,500 \| 14,062,500 \|", text)
    assert (
        "`tameshi estimate-cost org/model --requests-per-day 8000000 --price-per-hour 0.5 --currency USD "
        "--latency-p95-target-ms 15 --peak-factor 3 --alternative-price-per-million-tokens 0.02`"
    ) in text


def test_a_load_for_less_than_a_device_depends_on_its_price(shown):
    text = shown("small", audience="manager")
    assert "**It depends on** the price of the device alone" in text
    assert "more devices cannot bring 95 % of the answers within 5 ms" in text
    assert "the other offer is cheaper at every load" in text


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_disturbed_measurement_makes_it_provisional(evidence_of, records, audience):
    noisy = records.profile().model_copy(update={"noise": "noisy"})
    record = estimate_cost(MODEL, 20_000, 0.5, evidence=evidence_of(noisy))
    text = rendered(TurnResult("E2", "estimate_cost", {}, record), "en", []).for_audience(audience)
    assert text.count("**Provisional:**") == 1


def test_only_what_is_missing_is_asked_for(shown):
    assert "**Devices needed: 1**" in shown("no price")
    assert shown("no load").startswith("**USD 0.00174 per 1,000 requests**")
    asked = {case: shown(case).partition("**Next step:** ")[2].split("\n")[0] for case in CASES}
    assert "Tell me the requests per day and the price per hour" in asked["nothing"]
    assert "requests per day" in asked["no load"]
    assert "an hour" in asked["no price"]
    assert "requests per day" not in asked["no price"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_estimate_of_the_first_release_is_still_shown(evidence_of, records, language):
    record = estimate_cost(MODEL, 20_000, 0.5, evidence=evidence_of(records.profile()))
    later = {name: f.default for name, f in CostEstimate.model_fields.items() if not f.is_required()}
    stored = TurnResult("E2", "estimate_cost", {}, record.model_copy(update=later))
    assert "364.80" in rendered(stored, language, []).for_audience("engineer")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_pairs_that_are_not_ranked_are_named_with_the_reason(evidence_of, records, language, audience):
    times = {"latency_p50_low_ms": 9.0, "latency_p50_high_ms": 11.0}
    evidence_of(records.profile(records.measured(1, 10.0, **times), model="org/a"))
    evidence = evidence_of(records.profile(records.measured(1, 10.5, **times), model="org/b_*x*"))
    record = compare_models(["org/a", "org/b_*x*"], evidence=evidence)
    text = rendered(TurnResult("E3", "compare_models", {}, record), language, []).for_audience(audience)
    assert "10.0 (9.0–11.0)" in text
    assert "org/b\\_\\*x\\*" in text
    assert {"en": "cannot be told apart in latency", "ja": "差があるとは言えません"}[language] in text
