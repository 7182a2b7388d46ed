"""A plan of the bundled model from the real tools: every gate bound, and a planted policy."""

from __future__ import annotations

import pytest

from assistant.rendering.results import TurnResult, render_result
from tests.assistant.planned.stored import LOAD, MINILM, first

POLICY = "# AI policy\n\n## Licences\n\nNo model without a licence text.\n"
POLICY_JA = "# AI利用規程\n\n## ライセンス\n\nライセンス本文のないモデルは使わない。\n"


def test_every_gate_of_a_full_plan_is_bound_to_evidence_or_named_as_missing(services):
    made = first(services)
    gates = [gate for stage in made.stages for gate in stage.gates]
    assert len(gates) > 20
    for gate in gates:
        if gate.state == "missing":
            assert gate.evidence == ""
            assert gate.answered_by
        else:
            stored = services.store.get(gate.evidence, user="local")
            assert stored is not None
            assert gate.value
    for name in ("files_safe", "advisories", "licence_known", "version_pinned", "memory"):
        assert next(g for g in gates if g.code == name).state == "passed", name
    for name in ("latency", "cost"):  # known, and nobody gave a limit
        assert next(g for g in gates if g.code == name).state == "no_limit", name
    assert {g.code: g.answered_by for g in gates}["behaviour"] == "observe_behavior"


def test_its_figures_are_those_of_the_records(services):
    made = first(services)
    gates = {gate.code: gate for stage in made.stages for gate in stage.gates}
    profile = services.store.get(gates["latency"].evidence, user="local").record
    single = min(profile["runs"], key=lambda run: run["batch_size"])
    assert gates["latency"].number == single["latency_p95_ms"]
    assert gates["memory"].number == profile["peak_memory_mib"]
    cost = services.store.get(gates["cost"].evidence, user="local").record
    assert gates["cost"].number == max(option["cost_per_month_range"]["high"] for option in cost["options"])
    budget = made.stage("production").budget
    assert budget.low <= budget.high == round(gates["cost"].number, 2)


def test_it_pins_what_was_fetched_and_says_how_to_make_it_again(services):
    made = first(services)
    pins = {(pin.kind, pin.name): pin.value for pin in made.pins}
    weights = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert pins["weights", "model.safetensors"] == weights
    assert {"torch", "transformers"} <= {name for kind, name in pins if kind == "library"}
    assert made.commands[-1].command.startswith(f"tameshi plan-adoption {MINILM} --use-case 'FAQ search'")
    assert {c.evidence for c in made.commands} - {""} == set(made.evidence)


@pytest.mark.parametrize(
    ("language", "verdict", "table"),
    [
        ("en", "**Verdict: go to the proof of concept", "| stage | purpose and limit |"),
        ("ja", "**判断:条件付き", "| 段階 | 目的と制限 |"),
    ],
)
def test_it_reads_in_both_languages(services, language, verdict, table):
    text = render_result(TurnResult("E8", "plan_adoption", {}, first(services)), language)
    assert text.startswith(verdict)
    assert table in text
    assert "(R-DOC) [E" in text


@pytest.mark.parametrize(
    ("text", "quote"),
    [(POLICY, "No model without a licence text."), (POLICY_JA, "ライセンス本文のないモデルは使わない。")],
)
def test_a_planted_policy_changes_the_verdict_and_is_quoted(services, plan, text, quote):
    before = plan("FAQ search", **LOAD)
    assert before.verdict == "go_with_conditions"
    added = services.team_documents.add(text.encode(), "policy.md", user="local")
    after = plan("FAQ search", **LOAD)
    assert (after.verdict, after.version) == ("not_yet", 3)
    (finding,) = after.policy
    assert (finding.state, finding.statement.quote, finding.statement.document) == (
        "violated",
        quote,
        added.document.id,
    )
    assert "Licences" in finding.statement.place or "ライセンス" in finding.statement.place
    assert [(c.what, c.after, c.causes) for c in after.changes][:1] == [("verdict", "not_yet", ("R-POL",))]
    assert (finding.statement.passage,) in {c.causes for c in after.changes if c.why == "policy" and c.what == "gate"}
    services.team_documents.remove(added.document.id, user="local")
    assert plan("FAQ search", **LOAD).verdict == "go_with_conditions"


def test_another_user_s_own_document_is_no_policy_and_a_shared_one_is(services, plan):
    services.team_documents.add(POLICY.encode(), "policy.md", user="mia")
    assert plan("FAQ search").policy == ()
    services.team_documents.add(POLICY.encode(), "policy.md", user="mia", shared=True)
    assert plan("FAQ search").verdict == "not_yet"
