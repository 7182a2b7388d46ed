"""Numbers in an LLM's words are shown only when the evidence has them."""

from __future__ import annotations

import pytest

from assistant.grounding import check_text, figures_of, is_supported, split_sentences

FIGURES = [86.73, 1200.0, 30000.0, 0.873]


@pytest.mark.parametrize(
    ("value", "raw"),
    [(87.0, "87"), (86.7, "86.7"), (1200.0, "1,200"), (30000.0, "3万"), (87.3, "87.3"), (0.085, "0.085")],
)
def test_rounding_and_units_are_understood(value, raw):
    assert is_supported(value, raw, FIGURES)


@pytest.mark.parametrize(("value", "raw"), [(95.0, "95"), (80.2, "80.2"), (5000.0, "5,000")])
def test_other_numbers_are_not_supported(value, raw):
    assert not is_supported(value, raw, FIGURES)


def test_T28_a_sentence_with_an_invented_figure_is_left_out():
    checked = check_text("It peaked at 86.7 MiB [E1]. It reaches 4321 texts/s. Go ahead.", FIGURES, ["E1"])
    assert checked.text == "It peaked at 86.7 MiB [E1]. Go ahead."
    assert checked.unsupported == ("4321",)


def test_a_citation_that_does_not_exist_is_left_out():
    assert check_text("See the profile [E9].", FIGURES, ["E1"]).unsupported == ("E9",)


def test_japanese_sentences_are_checked_one_by_one():
    checked = check_text("ピークは87 MiBです。速度は4321件です。", FIGURES, [])
    assert checked.text == "ピークは87 MiBです。"


def test_sentences_joined_are_the_text():
    text = "One. Two!\nThree 3.5 and four。五です"
    assert "".join(split_sentences(text)) == text


def test_figures_of_nested_records():
    assert figures_of({"a": [1, {"b": 2.5}], "c": "3 files", "d": True, "e": None}) == [1.0, 2.5, 3.0]


def test_the_digits_of_a_model_s_name_are_no_figures():
    assert figures_of(["Profile lab/model-43 with batch 8", {"model": "lab/model-43"}], ["lab/model-43"]) == [8.0]
