"""A report says every part of the plan in both languages, and cites nothing that it does not explain."""

from __future__ import annotations

import re

import pytest

from assistant.advice.plan import plan_adoption
from assistant.advice.report import build_decision_record, build_report
from assistant.advice.reporting.content import anchors, texts
from assistant.advice.reporting.material import material_of
from assistant.phrases import say
from tests.assistant.advice.plan_under_test import MODEL
from tests.assistant.advice.report_reading import (
    Page,
    assert_stands_alone,
    cited_ids,
    decision,
    in_both_languages,
    passage,
)
from tools.errors import InvalidArgument


@in_both_languages
def test_every_gate_rule_and_rule_of_operation_is_in_the_report(planned, language):
    plan, evidence = planned()
    document = build_report(material_of(plan, evidence, language))
    whole = "\n".join(texts(document)).lower()
    for stage in plan.stages:
        for group, codes in (
            ("gate", [g.code for g in stage.gates]), ("operating", [r.code for r in stage.operating_rules]),
            ("stop", [r.code for r in stage.stop_rules]), ("watch", [t.code for t in stage.monitoring]),
            ("role", [r.code for r in stage.roles]), ("rollback", stage.rollback),
        ):  # fmt: skip
            for code in codes:
                assert say(f"{group}.{code}", language).replace("your own", "our own").lower() in whole, (group, code)
    for rule in plan.rules:
        assert f"({rule.rule.lower()})" in whole
    for key in plan.not_checked:
        assert say(f"unchecked.{key}", language).replace("your ", "our ").lower() in whole


@in_both_languages
def test_every_id_that_is_cited_is_explained(planned, language):
    told = [passage("No model without a licence text may be used.")]
    plan, evidence = planned(passages=told, decisions=[decision()])
    document = build_report(material_of(plan, evidence, language, decisions=[decision()]))
    cited = cited_ids(document)
    assert cited <= anchors(document)
    assert {each[0] for each in cited} == set("EGKD")
    assert set(plan.evidence) <= anchors(document)


def test_english_stays_out_of_a_japanese_report_but_for_names_and_sources(write):
    page = Page(write(".html", "ja"))
    body = page.text.partition("参照した指針")[0]
    sentences = re.findall(r"[A-Za-z]{2,}(?: [A-Za-z']{2,}){4,}", body)
    assert [s for s in sentences if "sorting mail" not in s] == []


def test_the_three_sentences_carry_the_figures_of_the_evidence(planned):
    plan, evidence = planned()
    (section,) = (s for s in build_report(material_of(plan, evidence, "en")).sections if s.id == "sentences")
    small, measure, rules = section.blocks[0].items
    assert "2-week" in small
    assert "USD 80.00–336.00 [E7]" in small
    assert "12.0 ms" in measure
    assert "640 MiB [E5]" in measure
    assert "`aaaaaaaaaaaa`" in rules


@pytest.mark.parametrize(("noise", "said"), [("quiet", False), ("noisy", True)])
def test_a_figure_that_was_measured_amid_other_work_is_called_provisional(planned, records, noise, said):
    plan, evidence = planned(profile=records.profile().model_copy(update={"noise": noise}))
    for language, word in (("en", "provisional"), ("ja", "暫定値")):
        (section,) = (s for s in build_report(material_of(plan, evidence, language)).sections if s.id == "sentences")
        assert (word in section.blocks[0].items[1]) is said


def test_the_sentences_do_not_promise_a_trial_that_the_verdict_forbids(planned, records):
    plan, evidence = planned(inspection=records.inspection("refuse"))
    assert plan.verdict == "no"
    (section,) = (s for s in build_report(material_of(plan, evidence, "en")).sections if s.id == "sentences")
    small, _, rules = section.blocks[0].items
    assert "ends before anything was built on it" in small
    assert "[E2]" in small
    assert "stop here" in rules


def test_nothing_measured_is_said_and_has_no_plot(write):
    page = assert_stands_alone(write(".html", profile=None, cost=False))
    assert "svg" not in page.names
    assert "Nothing was measured yet" in page.text
    assert "nothing was measured on a machine of ours yet" in page.text


@in_both_languages
def test_without_any_evidence_the_report_still_says_what_is_missing(language):
    plan = plan_adoption(MODEL, evidence=[])
    document = build_report(material_of(plan, [], language))
    assert "evidence" in {section.id for section in document.sections}
    assert not any(section.empty for section in document.sections)
    assert cited_ids(document) <= anchors(document)


def test_an_engineer_gets_the_files_and_settings_that_a_manager_is_spared(planned, records):
    from tools.snapshot import SnapshotFile

    files = tuple(SnapshotFile(name=f"{n}.json", size_bytes=1, sha256=n * 64) for n in "abc")
    plan, evidence = planned(snapshot=records.snapshot(files=files))
    shown = {
        audience: "\n".join(texts(build_report(material_of(plan, evidence, "en", audience=audience))))
        for audience in ("manager", "engineer")
    }
    assert "b" * 64 in shown["engineer"]
    assert "b" * 64 not in shown["manager"]
    assert "Further files with hashes, in the report for engineers and in JSON: 3." in shown["manager"]


@in_both_languages
def test_statements_of_the_teams_documents_are_quoted_with_their_place(planned, language):
    told = [
        passage("No model without a licence text may be used.", place="Security › Licences"),
        passage("応答時間は 5 ms 以下とする。", 2, title="運用規程", place="第4条"),
        passage("Approval by the CISO is required.", 3),
    ]
    plan, evidence = planned(passages=told)
    assert plan.verdict != "go"
    document = build_report(material_of(plan, evidence, language))
    (policy,) = (s for s in document.sections if s.id == "policy")
    quotes = {b.quote: b for part in policy.parts for b in part.blocks if b.kind == "quotation"}
    assert set(quotes) >= {f.statement.quote for f in plan.policy}
    licence = quotes["No model without a licence text may be used."]
    assert (licence.anchor, "Security › Licences" in licence.source) == ("D0123abcd.1", True)
    whole = "\n".join(texts(document))
    assert "[D0123abcd.1]" in whole
    assert not re.search("貴社|\\byour (policy|document)", whole)
    from assistant.advice.reporting.markdown_text import markdown_of

    assert "> No model without a licence text may be used." in markdown_of(document)


def test_two_statements_of_one_passage_share_its_anchor(planned):
    told = [passage("No model without a licence text may be used. Peak memory must not exceed 1 GiB.")]
    plan, evidence = planned(passages=told)
    assert len({f.statement.passage for f in plan.policy}) < len(plan.policy)
    from assistant.advice.reporting.html_page import html_of

    assert_stands_alone(html_of(build_report(material_of(plan, evidence, "en"))))


@in_both_languages
def test_what_changed_since_the_last_version_and_why(planned, language):
    first, _ = planned()
    plan, evidence = planned(previous=first, passages=[passage("No model without a licence text may be used.")])
    for audience in ("manager", "engineer"):
        document = build_report(material_of(plan, evidence, language, audience=audience))
        (changes,) = (s for s in document.sections if s.id == "changes")
        table = next(b for b in changes.blocks if b.kind == "table")
        assert len(table.rows) == sum(c.what not in {"gate", "policy"} or audience == "engineer" for c in plan.changes)
        assert all(row.cells[0] for row in table.rows)
        if audience == "manager":
            assert changes.blocks[-1].role == "note"


@pytest.mark.parametrize(
    ("language", "state", "met"),
    [
        ("en", ("○ open: baseline set, no limit given", "○ open: no limit given"), "✓ met"),
        ("ja", ("○ 未確認(実測から目安を設定、上限の指定なし)", "○ 未確認(上限の指定なし)"), "✓ 達成"),
    ],
)
def test_a_figure_without_a_limit_is_shown_as_open_and_is_no_argument(planned, language, state, met):
    plan, evidence = planned()
    material = material_of(plan, evidence, language)
    rows = [
        row.cells
        for part in next(s for s in build_report(material).sections if s.id == "stages").parts
        for block in part.blocks
        if block.kind == "table"
        for row in block.rows
    ]
    for code, said in zip(("latency", "cost"), state, strict=True):
        gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == code)
        row = next(cells for cells in rows if gate.evidence and cells[-1] == f"[{gate.evidence}]" and said in cells)
        assert met not in row
    record = build_decision_record(material)
    spoken_for = next(s for s in record.sections if s.id == "decision-consequences").blocks[1].items
    assert not [item for item in spoken_for if "12.0 ms" in item or "729.60" in item]


def test_a_desk_check_that_nobody_closed_is_not_called_done(write):
    page = Page(write(".html", "ja"))
    assert "確認済み、終了の決定待ち" in page.cells
    assert "完了" not in page.cells


def test_a_gap_of_the_card_is_one_japanese_sentence(write, records):
    card = records.documentation().model_copy(
        update={"most_important_gap": "Evaluation results", "gap_reason": "Without it nobody knows."}
    )
    assert "評価結果:Without it nobody knows." in write(".html", "ja", documentation=card)


def test_an_old_or_another_record_is_no_plan(records):
    with pytest.raises(InvalidArgument, match="made from a plan"):
        material_of(records.inspection(), [], "en")


def test_evidence_that_is_gone_is_named_instead_of_left_out(planned):
    plan, evidence = planned()
    document = build_report(material_of(plan, [e for e in evidence if e.id != "E1"], "en"))
    assert "No longer in the store: E1." in list(texts(document))


def test_evidence_about_another_commit_is_not_shown_beside_the_plan(planned, records, keep, store):
    plan, _ = planned()
    keep(records.profile(records.measured(1, 999.0, 999.0), commit="b" * 40))
    document = build_report(material_of(plan, store.find(user="u"), "en"))
    assert "999" not in "\n".join(texts(document))
