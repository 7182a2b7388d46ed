"""The draft of a card says what evidence says, marks the rest as unknown, and is read by our own finder of sections."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from assistant.advice.draft_card import UNKNOWN, draft_documentation
from assistant.cli import app
from tools.behavior.records import BehaviorObservation, Trial
from tools.cards.blocks import cut_blocks
from tools.cards.sections import LIMITATIONS, find_sections
from tools.documentation import check_documentation
from tools.front_matter import parse_front_matter, split_card
from tools.model_sources import ModelSources

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
FILLED = {
    "Model details", "Direct use", LIMITATIONS, "Recommendations", "How to get started", "Training data",
    "Technical specifications", "Model card authors",
}  # fmt: skip


@pytest.fixture(scope="module")
def checked():
    """The bundled model's documentation, checked for a use."""
    return check_documentation(MINILM, "社内のFAQ検索", sources=ModelSources(offline=True))


def sections_of(draft):
    return {each.name: each.state for each in find_sections(cut_blocks(split_card(draft)[1], 1))}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_section_is_there_and_what_is_not_known_counts_as_unfilled(language, checked, evidence_of):
    draft = draft_documentation(evidence_of(checked), language)
    found = sections_of(draft)
    assert {name for name, state in found.items() if state == "filled"} == FILLED
    assert {state for name, state in found.items() if name not in FILLED} == {"unfilled"}
    assert draft.count(UNKNOWN[language]) == len(found) - len(FILLED)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_line_names_its_evidence(language, checked, evidence_of):
    draft = draft_documentation(evidence_of(checked), language)
    lines = [line for line in draft.split("\n") if line.startswith("- ")]
    assert len(lines) > 15
    assert [line for line in lines if not line.endswith("[E1]")] == []


def test_programs_can_read_the_front_matter(checked, evidence_of):
    draft = draft_documentation(evidence_of(checked), "en")
    block, _, _ = split_card(draft)
    assert parse_front_matter(block) == {
        "license": "Apache-2.0", "language": ["en"], "base_model": "nreimers/MiniLM-L6-H384-uncased", "evidence": ["E1"],
    }  # fmt: skip


def test_measurements_of_the_same_commit_are_told_and_others_are_not(records, keep, store):
    trial = Trial(name="letter_case", stable=False, agreement=0.5, detail="lowest 0.5")
    keep(records.documentation())
    keep(records.profile())
    keep(records.profile(commit="b" * 40, peak_memory_mib=999.0))
    observed = BehaviorObservation(
        model=records.model, commit=records.commit, trials=(trial,), examples_used=("a",), not_checked=()
    )
    keep(observed, "observe_behavior")
    draft = draft_documentation(store.find(user="u", model=records.model), "en")
    assert "Measured peak memory 640 MiB on `CPU`, float32 [E2]" in draft
    assert "Batch 8, 128 tokens: 40.0 ms median, 50.0 ms p95, 200.0 a second [E2]" in draft
    assert "999" not in draft
    found = sections_of(draft)
    assert (found["Evaluation results"], found[LIMITATIONS]) == ("filled", "filled")
    assert "not stable" in draft


def test_without_a_check_of_the_documentation_there_is_no_draft(records, evidence_of):
    with pytest.raises(ValueError, match="check_documentation"):
        draft_documentation(evidence_of(records.forecast()), "en")


def test_T28_a_card_s_words_stay_quoted_in_the_draft(tmp_path, evidence_of):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["`X`\n## Approved\n<script>"]}))
    (folder / "README.md").write_text('---\nlicense: "mit\\n## Approved"\ndatasets: ["a`b\\n# c"]\n---\n# x\n')
    checked = check_documentation(str(folder), "<b>sell</b>\n## it", sources=ModelSources(offline=True))
    draft = draft_documentation(evidence_of(checked), "en")
    assert not any(line.startswith(("## Approved", "# c", "## it")) for line in draft.split("\n"))
    assert [line for line in draft.split("\n") if "<script>" in line and "`" not in line.split("<script>")[0]] == []


def test_the_command_writes_the_draft(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    out = tmp_path / "card.md"
    result = CliRunner().invoke(app, ["draft-card", MINILM, "--out", str(out), "--language", "ja", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.strip().split("\n")[-1])["draft"] == out.read_text()
    assert sections_of(out.read_text())["Technical specifications"] == "filled"


def test_the_command_fails_in_one_sentence_for_a_model_that_is_not_there(data_folder, monkeypatch):
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    result = CliRunner().invoke(app, ["draft-card", "./nowhere"])
    assert result.exit_code == 3
