"""A team's documents change a plan: violated, held or not checkable, quoted with their place, above guidance."""

from __future__ import annotations

import pytest

from assistant.advice.plan import MOST_PASSAGES, MOST_STATEMENTS, plan_adoption
from assistant.languages import LANGUAGES
from assistant.rendering.results import TurnResult, render_result
from knowledge.team_passage import TeamPassage
from tools.file_safety.findings import Finding
from tools.snapshot import SnapshotFile

MODEL = "org/model"
TARGETS = {"requests_per_day": 10_000.0, "price_per_hour": 1.0, "currency": "USD"}


def passage(text, number=0, document="D1a2b3c4d", title="AI model policy", place="p. 3"):
    return TeamPassage(id=f"{document}.{number}", document=document, title=title, place=place, text=text, shared=True)


@pytest.fixture
def plan_with(evidence_of, records, store, priced):
    """The function that plans a sound model under the given texts of documents."""

    def plan(*texts, use_case="sorting mail", targets=None, given=None, **replaced):
        evidence_of(*(records.sound(**replaced) if given is None else given))
        priced()
        passages = [passage(text, i) if isinstance(text, str) else text for i, text in enumerate(texts)]
        return plan_adoption(
            MODEL, use_case, TARGETS | (targets or {}), evidence=store.find(user="u", model=MODEL), passages=passages
        )

    return plan


def policy_rules(plan):
    return {(r.rule, r.effect, r.source) for r in plan.rules if r.rule in {"R-POL", "R-READ"}}


@pytest.mark.parametrize("text", ["No model without a licence text.", "ライセンス本文のないモデルは使わない。"])
def test_a_policy_changes_the_verdict_and_is_quoted(plan_with, text):
    assert plan_with().verdict == "go"
    plan = plan_with(text)
    assert plan.verdict == "not_yet"
    assert policy_rules(plan) == {("R-POL", "blocks", "D1a2b3c4d.0")}
    (finding,) = plan.policy
    assert (finding.state, finding.value, finding.statement.quote) == ("violated", "none", text)
    gate = next(g for g in plan.stages[0].gates if g.code == "policy_licence_text")
    assert (gate.state, gate.threshold_source, gate.source, gate.evidence) == (
        "failed",
        "policy",
        "D1a2b3c4d.0",
        finding.evidence,
    )
    for language in LANGUAGES:
        shown = render_result(TurnResult("E9", "plan_adoption", {}, plan), language)
        assert text.rstrip(".。") in shown
        assert "AI model policy, p. 3 [D1a2b3c4d.0]" in shown


def test_the_same_policy_lets_a_model_with_a_licence_text_pass(plan_with, records):
    plan = plan_with(
        "No model without a licence text.", documentation=records.documentation(text_file="LICENSE", agreement="agrees")
    )
    assert (plan.verdict, plan.policy[0].state, plan.policy[0].value) == ("go", "held", "LICENSE")


@pytest.mark.parametrize(
    "text",
    ["A licence text is not required.", "ライセンス本文は必須ではない。", "Must models have a licence text?", "The vendor says: “no model without a licence text”."],
)  # fmt: skip
def test_a_release_a_question_and_a_quotation_leave_the_verdict_alone(plan_with, text):
    assert plan_with(text).verdict == "go"


def test_a_recommendation_is_listed_and_holds_nothing_up(plan_with):
    plan = plan_with("Models should have a licence text.")
    assert (plan.verdict, plan.policy[0].state) == ("go", "violated")


def test_a_statement_with_a_condition_of_its_own_is_only_a_condition(plan_with):
    plan = plan_with("For medical uses, models must have a licence text.")
    assert (plan.verdict, plan.policy[0].statement.only_if) == ("go_with_conditions", "For medical uses")


def test_what_is_not_understood_is_quoted_and_a_condition(plan_with):
    plan = plan_with("The training data of a model must be disclosed.")
    assert policy_rules(plan) == {("R-READ", "condition", "D1a2b3c4d.0")}
    assert (plan.policy[0].state, plan.policy[0].reason) == ("not_checkable", "unrecognised")
    assert plan.verdict == "go_with_conditions"


SAFE = (SnapshotFile(name="model.safetensors", size_bytes=1, sha256="f" * 64),)
PICKLED = (SnapshotFile(name="pytorch_model.bin", size_bytes=1, sha256="f" * 64),)


@pytest.mark.parametrize(
    ("text", "replaced", "state"),
    [
        ("Only Apache-2.0 and MIT licences are allowed.", {}, "held"),
        ("Only MIT licences are allowed.", {}, "violated"),
        ("Models under the Apache-2.0 licence are prohibited.", {}, "violated"),
        ("Models under the GPL licence are prohibited.", {}, "held"),
        ("Every model must have a clear licence.", {}, "held"),
        ("Every model must have a clear licence.", {"licence": {"spdx": None, "tag": "own"}}, "violated"),
        ("Only permissive licences are accepted.", {}, "held"),
        ("Only permissive licences are accepted.", {"licence": {"permissive": False}}, "violated"),
        ("Non-commercial licences are not allowed.", {}, "held"),
        ("Only safetensors files may be loaded.", {"files": SAFE}, "held"),
        ("Only safetensors files may be loaded.", {"files": PICKLED}, "violated"),
        ("Only safetensors files may be loaded.", {}, "not_checkable"),
        ("Remote code must never be executed.", {}, "held"),
        ("Remote code must never be executed.", {"findings": ("flag",)}, "held"),
        ("Remote code must never be executed.", {"findings": ("refuse",)}, "violated"),
        ("The version must be pinned to a commit.", {}, "held"),
        ("Models must be mirrored internally.", {}, "violated"),
        ("Models must be mirrored internally.", {"source": "mirror"}, "held"),
        ("Every model must have a model card.", {}, "held"),
        ("The limitations of the model must be documented.", {"limitations": "missing"}, "violated"),
        ("Models must run on our own servers.", {}, "held"),
        ("Models with known vulnerabilities must not be deployed.", {}, "held"),
        ("All files of models must be scanned for malware.", {}, "held"),
        ("A model may use at most 1 GB of memory.", {}, "held"),
        ("A model may use at most 0.5 GB of memory.", {}, "violated"),
        ("p95 latency of a model must stay under 10 ms.", {}, "violated"),
        ("p95 latency of a model must stay under 500 ms.", {}, "held"),
        ("The monthly cost of a model must stay below $500.", {}, "violated"),
        ("The monthly cost of a model must stay below $900.", {}, "held"),
        ("The monthly cost of a model must stay below 500 euros.", {}, "not_checkable"),
        ("Personal data must not be entered into models.", {}, "not_checkable"),
        ("Personal data must not be entered into models.", {"targets": {"data_class": "personal"}}, "violated"),
        ("Personal data must not be entered into models.", {"targets": {"data_class": "internal"}}, "held"),
        ("Every model needs the approval of the CISO.", {}, "not_checkable"),
        ("Models must be piloted before production.", {}, "not_checkable"),
        ("Models must be evaluated on our own data.", {}, "not_checkable"),
        ("Accuracy of the model must be at least 90 %.", {}, "not_checkable"),
    ],
)  # fmt: skip
def test_each_requirement_is_set_against_what_was_found(plan_with, records, text, replaced, state):
    snapshot = records.snapshot(files=replaced.get("files", ()), source=replaced.get("source", "hub"))
    documentation = records.documentation(
        limitations=replaced.get("limitations", "filled"), **replaced.get("licence", {})
    )
    found = tuple(
        Finding(rule="T04", file="config.json", found="own code", next_step="", severity=severity)
        for severity in replaced.get("findings", ())
    )
    inspection = records.inspection().model_copy(update={"findings": found})
    plan = plan_with(
        text, targets=replaced.get("targets"), snapshot=snapshot, documentation=documentation, inspection=inspection
    )
    (finding,) = plan.policy
    assert (finding.state, bool(finding.reason)) == (state, state == "not_checkable")
    if state != "not_checkable" and finding.statement.requirement != "data_class":
        assert finding.evidence in plan.evidence or finding.evidence.startswith("E")


def test_without_evidence_nothing_is_held_or_violated():
    texts = [
        "Models must have a licence text.",
        "Weights must be in safetensors format.",
        "Models must have a model card.",
    ]
    plan = plan_adoption(MODEL, evidence=[], passages=[passage(text, i) for i, text in enumerate(texts)])
    assert {(f.state, f.reason) for f in plan.policy} == {("not_checkable", "no_evidence")}
    gates = [g for g in plan.stages[0].gates if g.threshold_source == "policy"]
    assert [g.state for g in gates] == ["missing"] * 3
    assert {g.answered_by for g in gates} == {"check_documentation", "fetch_model"}


# --- whose line counts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "limit", "source", "wins"),
    [(None, "300 ms", "policy", "policy"), (500.0, "300 ms", "policy", "policy"), (100.0, "100 ms", "user", "user"), (300.0, "300 ms", "policy", None)],
)  # fmt: skip
def test_a_policy_outranks_the_baseline_and_the_stricter_of_policy_and_target_counts(
    plan_with, user, limit, source, wins
):
    targets = {} if user is None else {"latency_p95_ms": user}
    plan = plan_with("p95 latency of a model must be at most 300 ms.", targets=targets)
    gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == "latency")
    assert (gate.threshold, gate.threshold_source) == (limit, source)
    conflict = next((c for c in plan.conflicts if c.gate == "latency"), None)
    assert (conflict.wins if conflict else None) == wins
    (trigger,) = (t for t in plan.stage("pilot").monitoring if t.code == "latency")
    assert (trigger.threshold, trigger.threshold_source) == (limit, source)


@pytest.mark.parametrize(
    ("language", "line", "change"),
    [
        ("en", "JPY 100,000", "an estimate in the currency of the budget in the team's documents"),
        ("ja", "100,000 円", "社内文書の予算と同じ通貨で見積もり直す"),
    ],
)
def test_a_budget_in_another_currency_is_open_and_not_a_missing_limit(plan_with, language, line, change):
    plan = plan_with("Spending on models must not exceed 100000 JPY per month.")
    gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == "cost")
    assert (gate.state, gate.threshold_source, gate.source) == ("missing", "policy", "D1a2b3c4d.0")
    assert next(r for r in plan.rules if r.rule == "R-COST").effect == "condition"
    shown = render_result(TurnResult("E9", "plan_adoption", {}, plan), language)
    assert line in shown
    assert change in shown


def test_the_strictest_of_several_documents_counts(plan_with):
    plan = plan_with("p95 latency of a model must be at most 300 ms.", "p95 latency of a model must be at most 200 ms.")
    gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == "latency")
    assert (gate.threshold, gate.source) == ("200 ms", "D1a2b3c4d.1")


def test_what_a_document_releases_takes_back_what_only_guidance_asks_for(plan_with, records):
    bare = records.documentation(limitations="missing")
    assert plan_with(documentation=bare).verdict == "go_with_conditions"
    plan = plan_with("A limitations section of the model is not required.", documentation=bare)
    assert plan.verdict == "go"
    assert [(c.gate, c.against, c.wins) for c in plan.conflicts] == [("limitations_documented", "guidance", "policy")]


def test_one_document_does_not_release_what_another_asks_for(plan_with):
    strict = passage("Models must have a licence text.", document="D11111111")
    loose = passage("A licence text of a model is not required.", document="D22222222")
    plan = plan_with(strict, loose)
    assert plan.verdict == "not_yet"
    assert [(c.against, c.passage, c.source) for c in plan.conflicts if c.against == "policy"] == [
        ("policy", "D11111111.0", "D22222222.0")
    ]


def test_a_licence_list_of_the_team_allows_what_the_general_rule_would_not(plan_with, records):
    restricted = records.documentation(spdx="LicenseRef-Gemma", tag="gemma", permissive=False)
    assert plan_with(documentation=restricted).verdict == "not_yet"
    plan = plan_with("Licences of models must be MIT or the Gemma licence.", documentation=restricted)
    gate = next(g for g in plan.stages[0].gates if g.code == "licence_known")
    assert (gate.state, gate.threshold_source) == ("passed", "policy")


# --- what only the team can do ----------------------------------------------------------------------------------------


def test_approval_becomes_a_gate_and_names_the_approver(plan_with):
    plan = plan_with("Every model needs the approval of the data protection officer.")
    stage = plan.stage("proof_of_concept")
    gate = next(g for g in stage.gates if g.code == "approval")
    assert (gate.when, gate.state, gate.threshold, gate.threshold_source) == (
        "entry",
        "missing",
        "data protection officer",
        "policy",
    )
    assert next(r for r in stage.roles if r.code == "approver").name == "data protection officer"
    assert plan.verdict == "go", "a gate of a later stage does not hold up this one"


@pytest.mark.parametrize(
    ("text", "stage", "code"),
    [
        ("Models must be piloted before production.", "production", "pilot_closed"),
        ("Answers of the model must be checked by a human.", "pilot", "human_review"),
        ("Models must be mirrored internally.", "production", "own_copy"),
        ("Models must be evaluated on our own data.", "proof_of_concept", "quality"),
        ("Accuracy of the model must be at least 90 %.", "proof_of_concept", "quality"),
    ],
)
def test_a_requirement_sets_the_line_of_its_stage(plan_with, text, stage, code):
    gate = next(g for g in plan_with(text).stage(stage).gates if g.code == code)
    assert (gate.threshold_source, gate.source) == ("policy", "D1a2b3c4d.0")


def test_the_class_of_data_is_asked_first_when_a_document_depends_on_it(plan_with):
    assert plan_with("Personal data must not be entered into models.").missing_inputs[0] == "data_class"


# --- much text --------------------------------------------------------------------------------------------------------


def test_statements_beyond_the_list_are_counted(plan_with):
    plan = plan_with("\n".join(f"- Models must satisfy rule {i} of annex {i}." for i in range(100)))
    assert (len(plan.policy), plan.policy_unread) == (MOST_STATEMENTS, 100 - MOST_STATEMENTS)
    assert next(r for r in plan.rules if r.rule == "R-READ").value == "100"


def test_documents_beyond_the_limit_are_told():
    short = [passage("models", i) for i in range(MOST_PASSAGES + 1)]
    assert "documents" in plan_adoption(MODEL, evidence=[], passages=short).not_checked
    assert "documents" not in plan_adoption(MODEL, evidence=[], passages=short[1:]).not_checked


@pytest.mark.parametrize("language", LANGUAGES)
def test_T34_a_document_s_words_are_text_in_the_plan(plan_with, language):
    evil = "Models must have a licence text <img src=x> | [a](http://x.example) `b` **c**."
    shown = render_result(
        TurnResult("E9", "plan_adoption", {}, plan_with(passage(evil, title="<b>T</b>", place="a|b"))), language
    )
    assert "<img" not in shown.replace("\\<img", "")
    assert "](http" not in shown.replace("\\](http", "")
