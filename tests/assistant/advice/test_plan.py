"""A plan's verdict follows from named rules, each bound to evidence, and nothing passes that nobody looked at."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.advice.plan import FiredRule, plan_adoption
from assistant.phrases import has

MODEL = "org/model"
TARGETS = {"requests_per_day": 10_000.0, "price_per_hour": 1.0, "currency": "USD"}


@pytest.fixture
def plan_of(evidence_of, store, priced):
    """The function that stores records, works out the cost when asked, and plans."""

    def plan(*given, cost=True, **targets):
        evidence_of(*given)
        if cost:
            priced()
        return plan_adoption(MODEL, "sorting mail", targets, evidence=store.find(user="u", model=MODEL))

    return plan


def effects(plan):
    return {rule.rule: rule.effect for rule in plan.rules if rule.effect != "supports"}


def test_a_model_about_which_everything_is_fine_goes_to_a_trial(plan_of, records):
    plan = plan_of(*records.sound(), **TARGETS)
    assert plan.rules == (
        FiredRule(rule="R-SAFE", effect="supports", value="accept", evidence="E2"),
        FiredRule(rule="R-LIC", effect="supports", value="Apache-2.0", evidence="E4"),
        FiredRule(rule="R-MEM", effect="supports", value="640 MiB", evidence="E5"),
        FiredRule(rule="R-LAT", effect="supports", value="12.0 ms", evidence="E5"),
        FiredRule(rule="R-VER", effect="supports", value="a" * 19, evidence="E1"),
        FiredRule(rule="R-DOC", effect="supports", value="filled", evidence="E4"),
        FiredRule(rule="R-COST", effect="supports", value="USD 729.60", evidence="E6"),
    )
    assert (plan.verdict, plan.commit, plan.budget) == ("go", "a" * 40, "USD 729.60")
    assert set(plan.evidence) == {"E1", "E2", "E4", "E5", "E6"}
    assert [(stage.name, stage.status) for stage in plan.stages] == [
        ("desk_check", "done"), ("proof_of_concept", "next"), ("pilot", "later"), ("production", "later"),
    ]  # fmt: skip
    assert plan.missing_inputs == ("latency",)


def test_without_any_evidence_nothing_goes_ahead():
    plan = plan_adoption(MODEL, evidence=[])
    assert plan.verdict == "not_yet"
    assert effects(plan) == {
        "R-SAFE": "blocks",
        "R-LIC": "blocks",
        "R-MEAS": "blocks",
        "R-VER": "condition",
        "R-DOC": "condition",
        "R-COST": "condition",
    }
    assert (plan.commit, plan.budget, plan.evidence) == ("", "", ())
    assert plan.missing_inputs == ("load_and_price", "latency")
    assert plan.stages[0].status == "open"


def test_refused_files_end_the_matter_however_good_the_rest_is(plan_of, records):
    plan = plan_of(*records.sound(inspection=records.inspection("refuse")), **TARGETS)
    assert (plan.verdict, effects(plan)) == ("no", {"R-SAFE": "ends"})
    assert (plan.rules[0].rule, plan.rules[0].evidence) == ("R-SAFE", "E2")
    assert plan.stages[0].status == "open"
    assert plan.stages[1].status == "later"


def test_refused_files_alone_are_enough_to_say_no(plan_of, records):
    plan = plan_of(records.inspection("refuse"), cost=False)
    assert (plan.verdict, plan.commit) == ("no", "a" * 40)


def test_flagged_files_may_be_tried(plan_of, records):
    assert plan_of(*records.sound(inspection=records.inspection("flag"))).verdict == "go"


@pytest.mark.parametrize(
    "licence",
    [
        {"tag": None, "spdx": None, "permissive": None, "agreement": "none"},
        {"tag": "our-own-terms", "spdx": None, "permissive": None},
        {"spdx": "CC-BY-NC-4.0", "permissive": False},
        {"agreement": "differs"},
    ],
    ids=["none", "unknown", "restricted", "text differs"],
)
def test_a_licence_that_is_not_clear_has_to_be_settled_first(plan_of, records, licence):
    plan = plan_of(*records.sound(documentation=records.documentation(**licence)), **TARGETS)
    assert (plan.verdict, effects(plan)) == ("not_yet", {"R-LIC": "blocks"})


@pytest.mark.parametrize(
    ("replaced", "targets", "verdict", "fired"),
    [
        ({"snapshot": None}, {}, "go_with_conditions", {"R-VER": "condition"}),
        ({"documentation": None}, {}, "not_yet", {"R-LIC": "blocks", "R-DOC": "condition"}),
        ({"inspection": None}, {}, "not_yet", {"R-SAFE": "blocks"}),
        ({"forecast": None}, {}, "go", {}),
        ({}, {"device_memory_gib": 0.5}, "not_yet", {"R-MEM": "blocks"}),
        ({}, {"device_memory_gib": 1}, "go", {}),
        ({}, {"latency_p95_ms": 11}, "not_yet", {"R-LAT": "blocks"}),
        ({}, {"latency_p95_ms": 12}, "go", {}),
        ({}, {"latency_p95_ms": 5, "device_memory_gib": 0.1}, "not_yet", {"R-LAT": "blocks", "R-MEM": "blocks"}),
    ],
)
def test_one_thing_amiss_fires_its_own_rule(plan_of, records, replaced, targets, verdict, fired):
    plan = plan_of(*records.sound(**replaced), **targets)
    assert (plan.verdict, effects(plan)) == (verdict, fired)


@pytest.mark.parametrize("section", ["unfilled", "missing"])
def test_undocumented_limitations_are_a_condition(plan_of, records, section):
    plan = plan_of(*records.sound(documentation=records.documentation(limitations=section)))
    assert (plan.verdict, effects(plan)) == ("go_with_conditions", {"R-DOC": "condition"})


def test_nothing_is_adopted_on_a_forecast_alone(plan_of, records):
    plan = plan_of(*records.sound(profile=None), cost=False)
    assert (plan.verdict, effects(plan)) == ("not_yet", {"R-MEAS": "blocks", "R-COST": "condition"})
    assert {rule.rule: rule.evidence for rule in plan.rules}["R-MEM"] == "E3"


def test_a_cost_that_is_not_known_is_a_condition(plan_of, records):
    plan = plan_of(*records.sound(), cost=False)
    assert (plan.verdict, effects(plan), plan.budget) == ("go_with_conditions", {"R-COST": "condition"}, "")


def test_a_budget_for_another_load_is_not_given_out_as_this_one(plan_of, records):
    plan = plan_of(*records.sound(), requests_per_day=5.0)
    assert (plan.budget, effects(plan)) == ("", {"R-COST": "condition"})


def test_what_was_found_in_an_older_version_counts_for_nothing(evidence_of, records):
    newer = records.snapshot(commit="b" * 40)
    plan = plan_adoption(MODEL, evidence=evidence_of(*records.sound(), newer))
    assert (plan.verdict, plan.commit, plan.evidence) == ("not_yet", "b" * 40, ("E6",))


def test_the_newest_finding_counts(evidence_of, records):
    evidence = evidence_of(*records.sound(), records.inspection("refuse"))
    assert plan_adoption(MODEL, evidence=evidence).verdict == "no"


@pytest.mark.parametrize(
    ("targets", "missing"),
    [
        ({}, ("load_and_price", "latency")),
        ({"requests_per_day": 1.0}, ("load_and_price", "latency")),
        ({"requests_per_day": 1.0, "price_per_hour": 1.0}, ("latency",)),
        ({"latency_p95_ms": 1.0}, ("load_and_price",)),
        ({"requests_per_day": 1.0, "price_per_hour": 0.0, "latency_p95_ms": 1.0}, ()),
    ],
)
def test_the_user_is_asked_only_for_what_was_not_said(targets, missing):
    assert plan_adoption(MODEL, targets=targets, evidence=[]).missing_inputs == missing


def test_behaviour_is_named_as_unchecked_until_it_was_observed(evidence_of, keep, records):
    assert "behavior" in plan_adoption(MODEL, evidence=evidence_of(*records.sound())).not_checked
    keep(records.snapshot(), "observe_behavior")
    assert "behavior" not in plan_adoption(MODEL, evidence=evidence_of()).not_checked


CHOICES = {
    "snapshot": ["as it is", None],
    "inspection": ["as it is", "refuse", None],
    "forecast": ["as it is", None],
    "documentation": ["as it is", "unknown licence", "no limitations", None],
    "profile": ["as it is", None],
}
cases = st.fixed_dictionaries(
    {name: st.sampled_from(choices) for name, choices in CHOICES.items()}
    | {"device_memory_gib": st.sampled_from([None, 0.1, 8.0]), "latency_p95_ms": st.sampled_from([None, 1.0, 50.0])}
)


def expected_verdict(case) -> str:
    """The verdict as a reader of the rules would give it, without a cost."""
    memory_known = case["profile"] or case["forecast"]
    if case["inspection"] == "refuse":
        return "no"
    settled = (
        case["inspection"],
        case["documentation"] in {"as it is", "no limitations"},
        memory_known and case["device_memory_gib"] != 0.1,
        case["profile"] and case["latency_p95_ms"] != 1.0,
    )
    return "go_with_conditions" if all(settled) else "not_yet"


@given(case=cases)
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_known_the_verdict_follows_the_rules_and_gates_name_their_evidence(tmp_path_factory, records, case):
    from assistant.evidence import EvidenceStore

    made = {
        "refuse": lambda: records.inspection("refuse"),
        "unknown licence": lambda: records.documentation(tag="ours", spdx=None, permissive=None),
        "no limitations": lambda: records.documentation(limitations="missing"),
    }
    store = EvidenceStore(f"sqlite:///{tmp_path_factory.mktemp('store') / 'e.sqlite3'}")
    for name in CHOICES:
        if case[name]:
            record = made[case[name]]() if case[name] in made else getattr(records, name)()
            store.add(record, user="u", conversation="c", tool=records.TOOLS[type(record)], arguments={})
    targets = {k: case[k] for k in ("device_memory_gib", "latency_p95_ms") if case[k] is not None}
    plan = plan_adoption(MODEL, targets=targets, evidence=store.find(user="u"))
    assert plan.verdict == expected_verdict(case)
    gates = list(itertools.chain.from_iterable(stage.gates for stage in plan.stages))
    assert len({gate.code for gate in gates}) == len(gates)
    for gate in gates:
        if gate.state == "missing":
            assert (gate.value, gate.evidence) == ("", "")
        else:
            assert gate.value
            assert store.get(gate.evidence, user="u") is not None
    cited = {gate.evidence for gate in gates} | {rule.evidence for rule in plan.rules}
    assert set(plan.evidence) == cited - {""}
    store.close()


def test_every_key_of_a_plan_has_its_sentence(plan_of, records):
    plans = [plan_adoption(MODEL, evidence=[]), plan_of(*records.sound(), **TARGETS)]
    plans += [plan_of(records.inspection("refuse"), records.documentation(limitations="missing"), cost=False)]
    for plan in plans:
        keys = [f"rule.{rule.rule}.{rule.effect}" for rule in plan.rules]
        keys += [f"verdict.{plan.verdict}"]
        for stage in plan.stages:
            keys += [f"stage.{stage.name}", f"stage.purpose.{stage.name}", f"stage.status.{stage.status}"]
            keys += [f"stop.{rule}" for rule in stage.stop_rules]
            keys += [f"gate.{gate.code}" for gate in stage.gates]
            keys += [f"gate.threshold.{gate.threshold_source}" for gate in stage.gates]
        for group, found in (
            ("operating", plan.operating_rules),
            ("owner", plan.owners),
            ("missing", plan.missing_inputs),
            ("unchecked", plan.not_checked),
        ):
            keys += [f"{group}.{key}" for key in found]
        assert [key for key in keys if not has(key)] == []
