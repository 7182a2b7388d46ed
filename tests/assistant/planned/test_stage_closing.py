"""A stage is closed with its evidence, by somebody, for a reason."""

from __future__ import annotations

import json

import pytest

from assistant.planning import resolve_call
from assistant.stage_closing import close_stage
from tests.assistant.planned.stored import MINILM, close
from tools.errors import GatesOpen, InvalidArgument, MissingEvidence


def test_gates_that_do_not_hold_are_named_and_need_a_reason(services):
    with pytest.raises(GatesOpen, match="`limitations_documented`"):
        close(services)
    assert services.plans.decisions("local") == []
    made = close(services, reason="we test them ourselves", note="worth a trial")
    assert (made.id, made.by, made.decision, made.plan_version) == ("K1", "Sato", "go", 1)
    assert [gate.code for gate in made.unmet] == ["limitations_documented"]
    held = {gate.code: gate.evidence for gate in made.gates if gate.state == "passed"}
    assert services.store.get(held["memory"], user="local").tool == "profile_model"


def test_what_the_team_found_itself_holds_as_stated_but_does_not_undo_a_failed_gate(services):
    close(services, reason="tested by us")
    with pytest.raises(GatesOpen, match="`behaviour`"):
        close(services, "proof_of_concept", stated={"quality": "46 of 50"})
    stated = {"quality": "46 of 50", "behaviour": "looked steady"}
    with pytest.raises(GatesOpen, match="`latency`, `cost`"):  # known here, and nobody gave a limit
        close(services, "proof_of_concept", stated=stated)
    made = close(services, "proof_of_concept", stated=stated | {"latency": "fast enough", "cost": "within the budget"})
    assert {g.code: (g.state, g.value) for g in made.gates}["quality"] == ("stated", "46 of 50")
    with pytest.raises(GatesOpen, match="limitations_documented"):
        close(services, stated={"limitations_documented": "surely"})


def test_a_stage_cannot_be_left_quietly_before_the_one_before_it(services):
    with pytest.raises(GatesOpen, match="`desk_check_closed`"):
        close(services, "proof_of_concept", stated={"quality": "1", "behaviour": "1"})


@pytest.mark.parametrize(
    ("given", "message"),
    [({"stage": "launch"}, "no stage"), ({"decision": "maybe"}, "no decision"), ({"by": " "}, "name of somebody"), ({"stated": {"mood": "good"}}, "no gate")],
)  # fmt: skip
def test_what_is_no_stage_decision_or_gate_is_refused(services, given, message):
    with pytest.raises(InvalidArgument, match=message):
        close(services, **given)


def test_a_model_without_a_plan_has_nothing_to_close(services):
    with pytest.raises(MissingEvidence, match="no plan"):
        close_stage(services, {"model": "org/none"}, "desk_check", "go", by="Sato")


def test_a_closed_stage_moves_the_plan_on_and_an_open_gate_stays_visible(services, plan):
    close(services, reason="we test them ourselves")
    moved = plan()
    assert [(s.name, s.status) for s in moved.stages[:3]] == [
        ("desk_check", "done"),
        ("proof_of_concept", "next"),
        ("pilot", "later"),
    ]
    assert moved.stage("desk_check").closing.unmet == ("limitations_documented",)
    assert {(r.rule, r.effect) for r in moved.rules} >= {("R-DEC", "supports"), ("R-GATE", "condition")}
    found = {"quality": "46 of 50", "behaviour": "steady", "latency": "fast enough", "cost": "within the budget"}
    close(services, "proof_of_concept", stated=found)
    third = plan()
    assert third.next_stage == "pilot"
    assert ("stage", "proof_of_concept", "K2") in {(c.what, c.name, *c.causes) for c in third.changes}
    assert next(g for g in third.stage("pilot").gates if g.code == "poc_closed").evidence == "K2"


def test_a_stop_ends_the_matter_until_it_is_decided_anew(services, plan):
    close(services, decision="stop", note="no owner")
    stopped = plan()
    assert (stopped.verdict, stopped.stages[0].status) == ("no", "stopped")
    assert stopped.stages[1].status == "later"
    close(services, decision="repeat", note="an owner was found")
    assert plan().verdict == "go_with_conditions"


def test_a_decision_about_another_version_of_the_model_does_not_count(services, plan):
    close(services, reason="fine")
    stored = services.plans.decisions("local")[0]
    key = resolve_call(services, {"model": MINILM}, "local").key
    services.plans.decide(key, stored.model_copy(update={"commit": "c" * 40, "decision": "stop"}))
    assert plan().verdict == "go_with_conditions"


def test_the_command_closes_and_refuses(tameshi):
    refused = tameshi("close-stage", MINILM, "desk_check", "--decision", "go", "--by", "Sato")
    assert refused.exit_code == 1
    assert "limitations_documented" in refused.stderr
    done = tameshi(
        "close-stage", MINILM, "desk_check", "--decision", "go", "--by", "Sato", "--reason", "own tests", "--json"
    )
    assert done.exit_code == 0
    assert json.loads(done.stdout)["id"] == "K1"
    assert tameshi("close-stage", MINILM, "launch", "--decision", "go", "--by", "Sato").exit_code == 3
    assert (
        tameshi("close-stage", MINILM, "desk_check", "--decision", "go", "--by", "x", "--found", "quality").exit_code
        == 2
    )
