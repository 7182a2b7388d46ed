"""Trials of steadiness with real models."""

from __future__ import annotations

import pytest

from tools.behavior import observe_behavior
from tools.errors import InvalidArgument
from tools.model_sources import ModelSources

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)


def test_minilm_is_steady_and_ignores_case():
    seen = observe_behavior(MINILM, ["The Delivery was late.", "A cat sat on the mat in the sun."], sources=OFFLINE)
    trials = {trial.name: trial for trial in seen.trials}
    assert set(trials) == {"determinism", "batch_position", "dtype", "letter_case", "whitespace"}
    assert all(trial.stable for trial in seen.trials)
    assert trials["letter_case"].agreement > 0.9999  # an uncased model
    assert trials["dtype"].agreement < 1
    assert len(seen.examples_used) == 2
    assert any("labelled" in line for line in seen.not_checked)


def test_without_a_tokenizer_no_claim_about_texts_is_made(tiny_models):
    seen = observe_behavior(str(tiny_models["llama"]))
    assert {trial.name for trial in seen.trials} == {"determinism", "batch_position", "dtype"}
    assert seen.examples_used == ()
    assert any("no tokenizer" in line for line in seen.not_checked)


def test_texts_without_case_are_not_called_steady_under_case():
    seen = observe_behavior(MINILM, ["荷物が遅れて届きました。", "請求書を送ってください。"], sources=OFFLINE)
    assert "letter_case" not in {trial.name for trial in seen.trials}
    assert any(line.startswith("letter case") for line in seen.not_checked)


@pytest.mark.parametrize("examples", [[""], ["x" * 5000], ["a"] * 100])
def test_examples_have_limits(examples):
    with pytest.raises(InvalidArgument):
        observe_behavior(MINILM, examples, sources=OFFLINE)
