"""`tameshi plan-adoption --out`: refused early where it cannot be written, otherwise the report of the stored plan."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from assistant.advice.decision_records import StageDecision
from assistant.advice.plan import plan_adoption
from assistant.cli import app
from assistant.plan_reports import decisions_about

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def tameshi(data_folder, monkeypatch, tmp_path):
    """The function that runs a command in this process, from a folder of its own."""
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "plan.pdf"), "has no known ending"),
        (("--out", "plan.md", "--format", "docx"), "is no format"),
        (("--out", "no/folder/plan.md"), "does not exist"),
        (("--out", "mine.md"), "is there already"),
        (("--out", "plan.md", "--audience", "everybody"), "for a manager or for an engineer"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_runs(tameshi, tmp_path, words, says):
    (tmp_path / "mine.md").write_text("mine")
    result = tameshi("plan-adoption", MINILM, *words)
    assert result.exit_code == 2
    assert says in " ".join(re.sub(r"[^\w.]+", " ", result.stderr).split())
    assert "→" not in result.stderr
    assert (tmp_path / "mine.md").read_text() == "mine"


def test_a_plan_its_report_its_decision_and_the_decision_record(tameshi, tiny_model, tmp_path):
    folder = tiny_model()
    measured = tameshi("profile-model", folder, "--batch-sizes", "1", "--sequence-lengths", "8")
    assert measured.exit_code == 0, measured.stderr
    (tmp_path / "plan.html").write_text("an older one")
    made = tameshi("plan-adoption", folder, "--use-case", "sorting mail", "--out", "plan.html", "--force", "--json")
    assert made.exit_code in {0, 1}, made.stderr
    assert "Report: plan.html" in made.stderr
    assert (tmp_path / "plan.html").read_text(encoding="utf-8").startswith("<!doctype html>")

    closing = ("--decision", "go", "--by", "Mori", "--note", "cheap", "--reason", "a first try")
    assert tameshi("close-stage", folder, "desk_check", *closing).exit_code == 0
    stored = ("plan-adoption", folder, "--use-case", "sorting mail", "--version", "1")
    assert tameshi(*stored, "--out", "0001.md", "--format", "adr", "--language", "ja").exit_code == 0
    record = (tmp_path / "0001.md").read_text(encoding="utf-8")
    assert "承認(" in record
    assert "Mori" in record

    assert tameshi(*stored, "--out", "plan.json", "--audience", "engineer").exit_code == 0
    document = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert (document["plan"], document["audience"]) == (json.loads(made.stdout), "engineer")
    assert [decision["id"] for decision in document["decisions"]] == ["K1"]


def test_decisions_about_another_use_commit_or_later_version_are_not_this_plans():
    plan = plan_adoption("org/model", "Sorting mail", evidence=[])

    def decided(**changes):
        fields = {
            "id": "K1", "model": "org/model", "commit": plan.commit, "use_case": "sorting mail", "plan_version": 1, "plan_evidence": "E1",
            "stage": "desk_check", "decision": "go", "verdict": "go", "by": "Mori", "note": "", "reason": "", "gates": (),
            "decided_at": "2026-11-03T09:00:00+00:00",
        }  # fmt: skip
        return StageDecision.model_validate(fields | changes)

    others = [decided(use_case="translation"), decided(commit="b" * 40), decided(plan_version=2)]
    assert decisions_about(plan, [decided(), *others]) == [decided()]
