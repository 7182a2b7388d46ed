"""A gate is passed or failed by evidence that it names, or says that nothing was found out yet."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.advice.cost import estimate_cost
from assistant.advice.gates import Gate, desk_check_gates, trial_gates
from tools.licences.uses import UseAnswer

GIB = 1024
USE_YES = UseAnswer(use="commercial_product", answer="yes", reason="It allows it.", stated=True)
USE_NO = USE_YES.model_copy(update={"answer": "no"})


def gate(gates, code):
    return next(each for each in gates if each.code == code)


@pytest.fixture
def desk(evidence_of):
    """The function that stores records and gives the desk check's gates by code."""

    def judge(*given, **targets):
        return {each.code: each for each in desk_check_gates(evidence_of(*given), targets)}

    return judge


@pytest.fixture
def trial(evidence_of):
    """The function that stores records and gives the trial's gates by code."""

    def judge(*given, **targets):
        return {each.code: each for each in trial_gates(evidence_of(*given), targets)}

    return judge


def test_without_evidence_every_gate_is_missing_and_names_none():
    gates = (*desk_check_gates([], {}), *trial_gates([], {}))
    assert {each.code: (each.state, each.value, each.evidence) for each in gates} == dict.fromkeys(
        ["files_safe", "advisories", "licence_known", "version_pinned", "library_fit", "limitations_documented",
         "documented_for_use", "memory", "quality", "behaviour", "latency", "cost"],
        ("missing", "", ""),
    )  # fmt: skip


def test_the_desk_check_of_a_sound_model_passes_with_its_evidence(desk, records):
    gates = desk(*records.sound())
    assert {code: (each.state, each.value, each.evidence) for code, each in gates.items()} == {
        "files_safe": ("passed", "accept", "E2"),
        "advisories": ("passed", "none_reached", "E6"),
        "licence_known": ("passed", "Apache-2.0", "E4"),
        "version_pinned": ("passed", "a" * 19, "E1"),
        "library_fit": ("passed", "transformers 5.23.0", "E6"),
        "limitations_documented": ("passed", "filled", "E4"),
        "documented_for_use": ("missing", "", ""),
        "memory": ("passed", "640 MiB", "E5"),
    }


def test_the_trial_of_a_measured_model(trial, records):
    found = trial(*records.sound())
    assert found["latency"] == Gate(
        code="latency",
        state="no_limit",
        value="12.0 ms",
        threshold="24 ms",
        threshold_source="measured",
        source="E5",
        evidence="E5",
        number=12.0,
        limit=24.0,
        unit="ms",
        answered_by="team",
    )
    open_ones = {code: (g.state, g.threshold_source, g.answered_by) for code, g in found.items() if code != "latency"}
    assert open_ones == {
        "quality": ("missing", "team", "team"),
        "behaviour": ("missing", "guidance", "observe_behavior"),
        "cost": ("missing", "team", "estimate_cost"),
    }


@pytest.mark.parametrize(("verdict", "state"), [("accept", "passed"), ("flag", "passed"), ("refuse", "failed")])
def test_only_refused_files_fail(desk, records, verdict, state):
    found = desk(records.inspection(verdict))["files_safe"]
    assert (found.state, found.value, found.evidence) == (state, verdict, "E1")


@pytest.mark.parametrize(
    ("licence", "state", "value"),
    [
        ({}, "passed", "Apache-2.0"),
        ({"agreement": "agrees", "text_file": "LICENSE"}, "passed", "Apache-2.0"),
        ({"agreement": "differs", "text_file": "LICENSE"}, "failed", "Apache-2.0"),
        ({"spdx": "CC-BY-NC-4.0", "permissive": False}, "failed", "CC-BY-NC-4.0"),
        ({"tag": "our-own-terms", "spdx": None, "permissive": None}, "failed", "our-own-terms"),
        ({"tag": None, "spdx": None, "permissive": None, "agreement": "none"}, "failed", "none"),
        ({"tag": None, "spdx": "MIT", "agreement": "text_only", "text_file": "LICENSE"}, "passed", "MIT"),
    ],
)
def test_a_licence_passes_when_it_is_known_allows_the_use_and_agrees_with_its_text(
    desk, records, licence, state, value
):
    found = desk(records.documentation(**licence))["licence_known"]
    assert (found.state, found.value, found.evidence) == (state, value, "E1")


@pytest.mark.parametrize(("section", "state"), [("filled", "passed"), ("unfilled", "failed"), ("missing", "failed")])
def test_limitations_must_be_filled_in(desk, records, section, state):
    found = desk(records.documentation(limitations=section))["limitations_documented"]
    assert (found.state, found.value) == (state, section)


def test_a_card_without_sections_documents_no_limitations(desk, records):
    bare = records.documentation().model_copy(update={"sections": ()})
    found = desk(bare)["limitations_documented"]
    assert (found.state, found.value) == ("failed", "missing")


def test_memory_is_known_from_the_forecast_until_it_is_measured(desk, records):
    assert desk(records.forecast(500.0))["memory"].value == "500 MiB"
    found = desk(records.profile(peak_memory_mib=640.0))["memory"]
    assert (found.value, found.evidence) == ("640 MiB", "E2")


memory = settings(
    max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def one_forecast(evidence_of, records):
    return evidence_of(records.forecast(1.0))


@given(peak=st.floats(1, 1e6), limit=st.floats(0.1, 1e3))
@memory
def test_memory_passes_exactly_when_the_peak_fits_what_the_user_has(one_forecast, peak, limit):
    evidence = [e.model_copy(update={"record": e.record | {"total_mib": peak}}) for e in one_forecast]
    found = gate(desk_check_gates(evidence, {"device_memory_gib": limit}), "memory")
    assert found.state == ("passed" if peak <= limit * GIB else "failed")
    assert (found.threshold, found.threshold_source, found.evidence) == (f"{limit:g} GiB", "user", "E1")


@pytest.mark.parametrize(("peak", "state"), [(1000.0, "passed"), (1024.0, "passed"), (1024.5, "failed")])
def test_a_gib_is_1024_mib_and_a_full_device_still_fits(desk, records, peak, state):
    assert desk(records.forecast(peak), device_memory_gib=1)["memory"].state == state


def test_without_a_limit_memory_must_only_be_known(desk, records):
    found = desk(records.forecast(10_000_000.0))["memory"]
    assert (found.state, found.threshold, found.threshold_source) == ("passed", "known", "guidance")


@given(p95=st.floats(0.1, 1e5), target=st.floats(0.1, 1e5))
@memory
def test_latency_passes_exactly_when_the_single_p95_meets_the_target(one_profile, p95, target):
    record = one_profile[0].record
    runs = [record["runs"][0] | {"latency_p95_ms": p95}, record["runs"][1] | {"latency_p95_ms": 1e9}]
    evidence = [one_profile[0].model_copy(update={"record": record | {"runs": runs}})]
    found = gate(trial_gates(evidence, {"latency_p95_ms": target}), "latency")
    assert found.state == ("passed" if p95 <= target else "failed")
    assert (found.threshold_source, found.evidence) == ("user", "E1")


@pytest.fixture
def one_profile(evidence_of, records):
    return evidence_of(records.profile())


def test_a_profile_with_too_few_repeats_for_a_p95_does_not_judge_latency(trial, records):
    found = trial(records.profile(records.measured(p95=None)))["latency"]
    assert (found.state, found.evidence) == ("missing", "")


def test_runs_that_failed_do_not_judge_latency(trial, records):
    assert trial(records.profile(records.failed(1)))["latency"].state == "missing"
    found = trial(records.profile(records.failed(1), records.measured(8, p95=50.0)))["latency"]
    assert (found.state, found.value) == ("no_limit", "50.0 ms")


def test_cost_is_known_from_the_ordinary_utilisation(evidence_of, records, priced, store):
    evidence_of(records.profile())
    priced(requests=10_000.0, price=2.0, currency="EUR")
    found = gate(trial_gates(store.find(user="u"), {}), "cost")
    assert (found.state, found.value, found.evidence) == ("no_limit", "EUR 1,459.20", "E2")


@pytest.mark.parametrize(
    ("targets", "state"),
    [({}, "no_limit"), ({"budget_per_month": 2_000}, "passed"), ({"budget_per_month": 1}, "failed")],
)
def test_a_cost_is_met_or_missed_only_against_a_budget(evidence_of, records, priced, store, targets, state):
    evidence_of(records.profile())
    priced()
    found = gate(trial_gates(store.find(user="u"), targets), "cost")
    assert (found.state, found.is_open, found.value) == (state, state == "no_limit", "USD 729.60")


@pytest.mark.parametrize("p95", [0.5, 12.0, 90_000.0])
def test_no_measurement_passes_the_limit_that_was_made_from_it(trial, records, p95):
    found = trial(records.profile(records.measured(p95=p95)))["latency"]
    assert (found.state, found.is_open, found.limit, found.threshold_source) == ("no_limit", True, 2 * p95, "measured")


@pytest.mark.parametrize(("ref", "state"), [("E1", "no_limit"), ("E0", "passed")])
def test_another_measurement_may_set_the_limit(evidence_of, records, monkeypatch, ref, state):
    from assistant.advice import gates
    from assistant.advice.plan_facts import PlanFacts
    from assistant.advice.plan_lines import Line

    facts = PlanFacts(evidence_of(records.profile()), {})
    monkeypatch.setattr(gates, "latency_line", lambda *_: Line(24.0, "measured", ref))
    assert gates.latency_gate(facts, ()).state == state


def test_a_cost_with_a_response_time_is_that_of_the_devices_it_needs(evidence_of, records, keep, store):
    load = {"requests_per_day": 8_000_000, "price_per_hour": 1.0}
    evidence = evidence_of(records.profile())
    keep(estimate_cost(records.model, **load, evidence=evidence, latency_p95_target_ms=15.0), "estimate_cost")
    found = gate(trial_gates(store.find(user="u"), load), "cost")
    assert found.value == f"USD {5 * 24 * 30.4:,.2f}"


def test_a_cost_without_amounts_is_not_known(evidence_of, records, priced, store):
    evidence_of(records.profile())
    priced(price=None)
    priced(requests=None)
    assert gate(trial_gates(store.find(user="u"), {}), "cost").state == "missing"


@pytest.mark.parametrize(
    ("targets", "evidence_id"),
    [
        ({}, "E3"),
        ({"requests_per_day": 100.0}, "E2"),
        ({"requests_per_day": 100.0, "price_per_hour": 1.0, "currency": "USD"}, "E2"),
        ({"requests_per_day": 100.0, "currency": "JPY"}, ""),
        ({"price_per_hour": 9.0}, ""),
    ],
)
def test_a_cost_for_another_load_or_price_than_the_users_does_not_count(
    evidence_of, records, priced, store, targets, evidence_id
):
    evidence_of(records.profile())
    priced(requests=100.0, price=1.0)
    priced(requests=200.0, price=1.0)
    assert gate(trial_gates(store.find(user="u"), targets), "cost").evidence == evidence_id


@pytest.mark.parametrize(
    ("licence", "state"),
    [
        ({"permissive": False, "uses": (USE_YES,)}, "passed"),
        ({"permissive": True, "uses": (USE_NO,)}, "failed"),
        ({"permissive": True, "uses": (USE_NO.model_copy(update={"stated": False}),)}, "passed"),
        ({"permissive": True, "text_modified": True}, "failed"),
        ({"permissive": True, "on_allow_list": False}, "failed"),
        ({"permissive": True, "on_allow_list": True}, "passed"),
    ],
)
def test_the_stated_use_and_the_team_s_list_decide_about_a_licence(desk, records, licence, state):
    assert desk(records.documentation(**licence))["licence_known"].state == state
