"""What a plan asks for, assumes or leaves unchecked, and what it pins so that it can be made again."""

from __future__ import annotations

import shlex

import pytest

from assistant.advice.plan import plan_adoption
from tests.assistant.advice.plan_under_test import MODEL, TARGETS
from tools.snapshot import SnapshotFile

ALL_TOLD = {
    "requests_per_day": 1.0, "price_per_hour": 0.0, "latency_p95_ms": 1.0, "data_class": "internal",
    "budget_per_month": 9.0, "deadline": "2027-06-30",
}  # fmt: skip


@pytest.mark.parametrize(
    ("use_case", "told", "missing"),
    [
        ("", (), ("use", "load_and_price")),
        ("FAQ", (), ("load_and_price", "latency")),
        ("FAQ", ("requests_per_day",), ("price", "latency")),
        ("FAQ", ("price_per_hour",), ("load", "latency")),
        ("FAQ", ("requests_per_day", "price_per_hour"), ("latency", "data_class")),
        ("FAQ", ("latency_p95_ms",), ("load_and_price", "data_class")),
        ("FAQ", ("requests_per_day", "price_per_hour", "latency_p95_ms", "data_class"), ("budget", "deadline")),
        ("FAQ", tuple(ALL_TOLD), ()),
    ],
)
def test_the_user_is_asked_the_two_weightiest_things_that_were_not_said(use_case, told, missing):
    targets = {name: ALL_TOLD[name] for name in told}
    assert plan_adoption(MODEL, use_case, targets, evidence=[]).missing_inputs == missing


def test_what_was_not_said_is_assumed_and_the_assumption_stated(plan_of, records):
    plan = plan_of(*records.sound(), cost=False)
    assumed = {a.code: (a.value, a.evidence) for a in plan.assumptions}
    assert assumed["latency"] == ("24 ms", "E5")
    assert assumed["memory"] == ("CPU", "E5")
    assert {"load", "price", "data_class", "budget", "deadline"} <= set(assumed)
    estimated = {a.code: a for a in plan_of().assumptions}
    assert {
        code: (estimated[code].value, estimated[code].evidence) for code in ("load_of_estimate", "price_of_estimate")
    } == {
        "load_of_estimate": ("10,000", "E7"),
        "price_of_estimate": ("USD 1", "E7"),
    }
    assert {"price_of_estimate", "load_of_estimate"} & {
        a.code for a in plan_of(requests_per_day=10_000).assumptions
    } == {"price_of_estimate"}
    assert {a.code for a in plan_of(**ALL_TOLD).assumptions} == {"memory"}


@pytest.mark.parametrize(
    ("said", "effect"),
    [("personal", "condition"), ("個人情報", "condition"), ("customer data", "condition"), ("public", "supports"),
     ("社内情報", "supports"), ("", "silent"), ("something else", "silent")],
)  # fmt: skip
def test_the_class_of_data_decides_what_has_to_be_settled(plan_of, records, said, effect):
    plan = plan_of(*records.sound(), data_class=said)
    assert next(r for r in plan.rules if r.rule == "R-DATA").effect == effect


def test_a_deadline_that_is_no_date_is_not_kept_and_said(plan_of, records):
    plan = plan_of(*records.sound(), deadline="as soon as possible")
    assert plan.timing.deadline is None
    assert "deadline_unread" in {a.code for a in plan.assumptions}


def test_behaviour_is_named_as_unchecked_until_it_was_observed(evidence_of, keep, records):
    assert "behavior" in plan_adoption(MODEL, evidence=evidence_of(*records.sound())).not_checked
    keep(records.snapshot(), "observe_behavior")
    assert "behavior" not in plan_adoption(MODEL, evidence=evidence_of()).not_checked


def test_what_is_pinned_has_its_hash(plan_of, records):
    file = SnapshotFile(name="model.safetensors", size_bytes=1, sha256="f" * 64)
    plan = plan_of(*records.sound(snapshot=records.snapshot(files=(file,))))
    pins = {(pin.kind, pin.name): pin.value for pin in plan.pins}
    assert pins["commit", "hub"] == "a" * 40
    assert pins["weights", "model.safetensors"] == "f" * 64
    assert pins["licence", "apache-2.0"] == "Apache-2.0"
    assert pins["licence_text", ""] == ""
    assert pins["library", "transformers"] == "5.23.0"


def test_commands_make_the_records_and_the_plan_again(plan_of, records):
    import typer.main

    from assistant.cli import app

    plan = plan_of(*records.sound(), **TARGETS, deadline="2027-06-30", data_class="personal data")
    assert {c.evidence for c in plan.commands} == {*plan.evidence, ""}
    commands = typer.main.get_command(app).commands
    for each in plan.commands:
        words = shlex.split(each.command)
        assert words[0] == "tameshi"
        known = {option for parameter in commands[words[1]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
    assert "--data-class 'personal data'" in plan.commands[-1].command
