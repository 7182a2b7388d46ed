"""A plan's verdict follows from named rules, each bound to evidence, and nothing passes that nobody looked at."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.advice.plan import plan_adoption
from assistant.phrases import has
from tests.assistant.advice.plan_under_test import MODEL, TARGETS, effects
from tools.advisories import Advisory


def test_a_model_about_which_everything_is_fine_goes_to_a_trial(plan_of, records):
    plan = plan_of(*records.sound(), **TARGETS)
    assert {(r.rule, r.effect, r.value, r.evidence) for r in plan.rules if r.effect != "silent"} == {
        ("R-SAFE", "supports", "accept", "E2"),
        ("R-ADV", "supports", "none_reached", "E6"),
        ("R-LIC", "supports", "Apache-2.0", "E4"),
        ("R-LIB", "supports", "transformers 5.23.0", "E6"),
        ("R-VER", "supports", "a" * 19, "E1"),
        ("R-NEW", "supports", "a" * 19, "E6"),
        ("R-DOC", "supports", "filled", "E4"),
    }
    assert {r.rule for r in plan.rules if r.effect == "silent"} == {
        "R-MEM", "R-USE", "R-BEH", "R-DATA", "R-POL", "R-LAT", "R-COST",
    }  # fmt: skip
    assert (plan.verdict, plan.next_stage, plan.commit) == ("go", "proof_of_concept", "a" * 40)
    assert set(plan.evidence) == {"E1", "E2", "E4", "E5", "E6", "E7"}
    assert [(stage.name, stage.status) for stage in plan.stages] == [
        ("desk_check", "ready"), ("proof_of_concept", "next"), ("pilot", "later"), ("production", "later"),
    ]  # fmt: skip
    assert plan.missing_inputs == ("latency", "data_class")


def test_figures_speak_for_a_model_only_where_somebody_gave_a_limit(plan_of, records):
    def found(**limits):
        plan = plan_of(*records.sound(), **TARGETS, **limits)
        return {r.rule: (r.effect, r.value, r.change) for r in plan.rules if r.rule in {"R-MEM", "R-LAT", "R-COST"}}

    assert found() == {
        "R-MEM": ("silent", "640 MiB", ""),
        "R-LAT": ("silent", "12.0 ms", ""),
        "R-COST": ("silent", "USD 729.60", ""),
    }
    assert found(device_memory_gib=1, latency_p95_ms=20, budget_per_month=1_000) == {
        "R-MEM": ("supports", "640 MiB", ""),
        "R-LAT": ("supports", "12.0 ms", ""),
        "R-COST": ("supports", "USD 729.60", ""),
    }


def test_without_any_evidence_nothing_goes_ahead():
    plan = plan_adoption(MODEL, evidence=[])
    assert plan.verdict == "not_yet"
    assert effects(plan) == {
        "R-SAFE": "blocks",
        "R-LIC": "blocks",
        "R-MEAS": "blocks",
        "R-ADV": "condition",
        "R-VER": "condition",
        "R-DOC": "condition",
        "R-COST": "condition",
    }
    assert (plan.commit, plan.evidence, plan.version) == ("", (), 1)
    assert plan.stages[0].status == "open"
    assert all(stage.budget.low is None and stage.budget.reason for stage in plan.stages)


def test_every_rule_that_speaks_against_the_stage_says_what_would_change_it(plan_of, records):
    for plan in (plan_adoption(MODEL, evidence=[]), plan_of(*records.sound(), deadline=1, latency_p95_ms=1)):
        against = [r for r in plan.rules if r.effect in {"ends", "blocks", "condition"}]
        assert against
        assert [r.rule for r in against if not has(f"change.{r.change}")] == []


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
        ({"version": None}, {}, "go_with_conditions", {"R-ADV": "condition"}),
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


@pytest.mark.parametrize(("noise", "change"), [("quiet", "R-LAT.failed"), ("noisy", "R-LAT.failed_amid_noise")])
def test_a_latency_that_failed_amid_other_work_is_to_be_measured_again_first(plan_of, records, noise, change):
    plan = plan_of(*records.sound(profile=records.profile().model_copy(update={"noise": noise})), latency_p95_ms=11)
    assert {rule.rule: rule.change for rule in plan.rules}["R-LAT"] == change


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
    assert (plan.verdict, effects(plan)) == ("go_with_conditions", {"R-COST": "condition"})
    assert plan.stage("production").budget.reason == "not_told"


def test_what_was_found_in_an_older_version_counts_for_nothing(evidence_of, records):
    newer = records.snapshot(commit="b" * 40)
    plan = plan_adoption(MODEL, evidence=evidence_of(*records.sound(), newer))
    assert (plan.verdict, plan.commit, plan.evidence) == ("not_yet", "b" * 40, ("E7",))


def test_the_newest_finding_counts(evidence_of, records):
    evidence = evidence_of(*records.sound(), records.inspection("refuse"))
    assert plan_adoption(MODEL, evidence=evidence).verdict == "no"


def advisory(affected):
    return Advisory(
        id="CVE-1", package="torch", installed="1.0", affected=affected, file="model.bin", reason="It runs.", fixed_in="2.0",
        next_step="Update.",
    )  # fmt: skip


@pytest.mark.parametrize(("affected", "effect"), [(True, "blocks"), (False, None), (None, None)])
def test_a_vulnerability_that_the_files_reach_holds_the_plan_up(plan_of, records, affected, effect):
    plan = plan_of(*records.sound(version=records.version(advisories=(advisory(affected),))))
    assert effects(plan).get("R-ADV") == effect


def test_a_newer_version_is_a_condition(plan_of, records):
    plan = plan_of(*records.sound(version=records.version(newest_commit="b" * 40, behind=3)))
    assert effects(plan) == {"R-NEW": "condition"}
    assert next(r for r in plan.rules if r.rule == "R-NEW").value == "b" * 19


def test_a_library_that_does_not_know_the_model_holds_the_plan_up(plan_of, records):
    library = records.version().library.model_copy(update={"architecture_known": False})
    assert effects(plan_of(*records.sound(version=records.version(library=library)))) == {"R-LIB": "blocks"}


CHOICES = {
    "snapshot": ["as it is", None],
    "inspection": ["as it is", "refuse", None],
    "forecast": ["as it is", None],
    "documentation": ["as it is", "unknown licence", "no limitations", None],
    "profile": ["as it is", None],
    "version": ["as it is", None],
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
    for rule in plan.rules:
        assert rule.evidence == "" or store.get(rule.evidence, user="u") is not None
    cited = {gate.evidence for gate in gates} | {rule.evidence for rule in plan.rules}
    assert set(plan.evidence) == cited - {""}
    store.close()
