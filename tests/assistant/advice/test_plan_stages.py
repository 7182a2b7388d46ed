"""A stage has its gates, a budget from the estimate, its time before the deadline, and triggers from measurements."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.advice.plan import plan_adoption
from assistant.phrases import has
from tests.assistant.advice.plan_under_test import MODEL, TARGETS, TODAY, effects
from tools.behavior.records import BehaviorObservation, Trial


@pytest.mark.parametrize(
    ("language", "code", "line"),
    [
        ("en", "latency", "p95 latency at batch 1 at most 24 ms (from the measured baseline) – 12.0 ms [E5] – "
         "*open: baseline set, no limit given*"),
        ("ja", "latency", "p95 応答時間(バッチ 1) 24 ms 以下 (実測を基準に設定) – 12.0 ms [E5] – "
         "*未確認(実測から目安を設定、上限の指定なし)*"),
        ("en", "cost", "monthly running cost (to be set by the team) – USD 729.60 [E7] – *open: no limit given*"),
        ("ja", "cost", "月あたりの運用費 (チームで設定) – 729.60 ドル [E7] – *未確認(上限の指定なし)*"),
    ],
)  # fmt: skip
def test_a_gate_without_a_limit_is_told_as_open_with_its_figure(plan_of, records, language, code, line):
    from assistant.rendering.plan_parts import gate_text

    plan = plan_of(*records.sound(), **TARGETS)
    found = next(g for g in plan.stage("proof_of_concept").gates if g.code == code)
    assert gate_text(found, language) == line


@pytest.mark.parametrize(("stable", "effect"), [(True, None), (False, "condition")])
def test_observed_behaviour_is_a_gate_of_the_trial(plan_of, keep, records, stable, effect):
    trial = Trial(name="determinism", stable=stable, agreement=1.0, detail="")
    keep(BehaviorObservation(model=MODEL, commit=records.commit, trials=(trial,), examples_used=(), not_checked=()),
         "observe_behavior")  # fmt: skip
    plan = plan_of(*records.sound())
    gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == "behaviour")
    assert (gate.state, gate.evidence) == ("passed" if stable else "failed", "E1")
    assert effects(plan).get("R-BEH") == effect
    assert "behavior" not in plan.not_checked


def test_budgets_are_drawn_from_the_estimate(plan_of, records):
    plan = plan_of(*records.sound(), **TARGETS)
    assert plan.stage("desk_check").budget.reason == "nothing_runs"
    trial = plan.stage("proof_of_concept").budget
    assert (trial.low, trial.high, trial.currency, trial.evidence) == (2 * 40.0, 2 * 168.0, "USD", "E7")
    running = plan.stage("production").budget
    assert (running.low, running.high, running.per) == (729.6, 729.6, "month")
    pilot = plan.stage("pilot").budget
    assert pilot.low == pytest.approx(729.6 * 28 / 30.4, abs=0.01)


@pytest.mark.parametrize(
    ("budget", "state", "effect"),
    [(1_000, "passed", "supports"), (729.6, "passed", "supports"), (700, "failed", "blocks")],
)
def test_a_budget_is_held_against_the_dear_end_of_the_range(plan_of, records, budget, state, effect):
    plan = plan_of(*records.sound(), **TARGETS, budget_per_month=budget)
    gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == "cost")
    rule = next(r for r in plan.rules if r.rule == "R-COST")
    assert (gate.state, gate.threshold_source, rule.effect) == (state, "user", effect)


def test_a_budget_for_another_load_is_not_given_out_as_this_one(plan_of, records):
    plan = plan_of(*records.sound(), requests_per_day=5.0)
    assert (plan.stage("production").budget.high, effects(plan)) == (None, {"R-COST": "condition"})


@pytest.mark.parametrize(
    ("deadline", "weeks", "fits", "reached"),
    [
        (None, (1, 2, 4), None, None),
        ("2027-03-31", (1, 2, 4), True, None),
        (7, (1, 2, 4), True, None),
        (6, (1, 2, 3), True, None),
        ("5 weeks", (1, 2, 2), True, None),
        ("4週間", (1, 1, 2), True, None),
        (3, (1, 1, 2), False, "proof_of_concept"),
        (1, (1, 1, 2), False, "desk_check"),
        ("2026-11-30", (1, 1, 2), False, None),
        ("2020-01-01", (1, 1, 2), False, None),
    ],
)
def test_time_boxes_give_way_to_the_deadline_and_say_when_it_is_too_short(deadline, weeks, fits, reached):
    targets = {} if deadline is None else {"deadline": deadline}
    plan = plan_adoption(MODEL, "FAQ", targets, evidence=[], today=TODAY)
    assert tuple(stage.time_box_weeks for stage in plan.stages[:3]) == weeks
    assert (plan.timing.fits, plan.timing.reached) == (fits, reached)
    assert ("R-TIME" in effects(plan)) == (fits is False)
    assert sum(phase.weeks for phase in plan.stage("pilot").phases) == weeks[2]


def test_stages_end_in_order_before_the_deadline():
    plan = plan_adoption(MODEL, "FAQ", {"deadline": "2027-03-31"}, evidence=[], today=TODAY)
    ends = [stage.latest_end for stage in plan.stages[:3]]
    assert ends == [dt.date(2027, 2, 17), dt.date(2027, 3, 3), dt.date(2027, 3, 31)]


def test_triggers_come_from_what_was_measured(plan_of, records):
    plan = plan_of(*records.sound(), **TARGETS)
    watched = {t.code: t for t in plan.stage("production").monitoring}
    assert (watched["latency"].baseline, watched["latency"].threshold, watched["latency"].evidence) == (
        "12.0 ms",
        "24 ms",
        "E5",
    )
    assert (watched["memory"].baseline, watched["memory"].threshold) == ("640 MiB", "768 MiB")
    assert (watched["commit"].baseline, watched["licence"].baseline) == ("a" * 19, "Apache-2.0")
    assert watched["load"].threshold.replace(",", "").isdigit()
    assert watched["wrong_answers"].threshold == ""


def test_memory_acts_at_the_nearer_of_limit_and_growth(plan_of, records):
    plan = plan_of(*records.sound(), device_memory_gib=0.7)
    (memory,) = (t for t in plan.stage("pilot").monitoring if t.code == "memory")
    assert (memory.threshold, memory.threshold_source) == ("717 MiB", "user")


def test_every_key_of_a_plan_has_its_sentence(plan_of, records):
    plans = [plan_adoption(MODEL, evidence=[]), plan_of(*records.sound(), **TARGETS)]
    plans += [
        plan_of(records.inspection("refuse"), records.documentation(limitations="missing"), cost=False, deadline=1)
    ]
    for plan in plans:
        keys = [f"rule.{rule.rule}.{rule.effect}" for rule in plan.rules]
        keys += [f"change.{rule.change}" for rule in plan.rules if rule.change]
        keys += [f"verdict.{plan.verdict}", *(f"missing.{key}" for key in plan.missing_inputs)]
        keys += [f"assumption.{each.code}" for each in plan.assumptions]
        keys += [f"unchecked.{key}" for key in plan.not_checked]
        keys += [f"pin.{pin.kind}" for pin in plan.pins]
        for stage in plan.stages:
            keys += [f"stage.{stage.name}", f"stage.status.{stage.status}", f"stage.purpose.{stage.purpose}"]
            keys += [f"stage.scope.{stage.scope}", f"stage.limit.{stage.limit}"]
            keys += [f"stop.{rule.code}" for rule in stage.stop_rules]
            keys += [f"gate.{gate.code}" for gate in stage.gates]
            keys += [f"plan_change.value.{word}" for word in (stage.status, *(gate.state for gate in stage.gates))]
            keys += [f"gate.threshold.{gate.threshold_source}" for gate in stage.gates]
            keys += [f"operating.{rule.code}" for rule in stage.operating_rules]
            keys += [f"role.{role.code}" for role in stage.roles]
            keys += [f"rollback.{key}" for key in stage.rollback]
            keys += [f"phase.{phase.code}" for phase in stage.phases]
            keys += [f"watch.{t.code}" for t in stage.monitoring]
            keys += [f"watch.action.{t.action}" for t in stage.monitoring]
            budget = stage.budget
            keys += [f"budget.reason.{budget.reason}" if budget.reason else f"budget.basis.{budget.basis}"]
        assert [key for key in keys if not has(key)] == []


def test_guidance_that_a_plan_follows_is_there():
    from knowledge.entry import read_entries

    known = {entry.id for entry in read_entries()}
    plan = plan_adoption(MODEL, evidence=[])
    sources = {gate.source for stage in plan.stages for gate in stage.gates}
    sources |= {each.source for stage in plan.stages for each in (*stage.operating_rules, *stage.stop_rules)}
    sources |= {trigger.source for stage in plan.stages for trigger in stage.monitoring}
    sources |= {rule.source for rule in plan.rules}
    assert {source for source in sources if source.startswith("G")} <= known
    assert {source for source in sources if source and not source.startswith("G")} == set()
