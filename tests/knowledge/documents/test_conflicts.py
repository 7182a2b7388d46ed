"""A conflict is told where policy and guidance rule on the same matter in different directions, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.documents.conflicts import conflicts_between
from knowledge.documents.limits import limits_in
from knowledge.documents.search import PolicyPassage
from knowledge.documents.stances import stances_of
from knowledge.entry import read_entries
from knowledge.passages import QUOTED, quote_of
from knowledge.search import Passage

POLICIES = Path(__file__).parents[1] / "policies"


def policy(text):
    return PolicyPassage(
        passage="Dabcdef01.0", document="Dabcdef01", title="Policy", place="", quote=text, sentence=text, shared=False, score=0.1
    )  # fmt: skip


def guidance(text, title="Advice", section="what", entry="G99"):
    return Passage(
        entry=entry, title=title, topics=(), quote=text, source="practice", references=(), score=0.1, language="en",
        section=section, sentence_to_say="", tools=(),
    )  # fmt: skip


def kinds(ruled, advised):
    return [(each.kind, each.subject) for each in conflicts_between([policy(ruled)], guidance(advised))]


@pytest.mark.parametrize(
    ("ruled", "advised", "expected"),
    [
        ("Fine-tuning is forbidden.", "Try fine-tuning on your own examples.", ("opposite", "fine_tuning")),
        ("追加学習を禁止する。", "Try fine-tuning on your own examples.", ("opposite", "fine_tuning")),
        ("Teams must use the latest version.", "Pin the commit before you build.", ("opposite", "latest_version")),
        ("モデルは常に最新版を使うこと。", "採用するコミットで版を固定します。", ("opposite", "latest_version")),
        ("Pickle files are allowed.", "Take models that come as safetensors.", ("opposite", "pickle")),
        ("trust_remote_code must be enabled.", "Never run a repository's own code.", ("opposite", "remote_code")),
        ("Weights are stored as ONNX only.", "Use safetensors for the weights.", ("choice", "onnx")),
        ("モデルは自社サーバーに限る。", "Rent by the hour at first.", ("choice", "own_servers")),
        ("A proof of concept lasts at most twelve weeks.", "A proof of concept takes four weeks.", ("limit", "proof_of_concept")),
        ("概念実証の期間は三か月以内とする。", "概念実証は6週間で足ります。", ("limit", "proof_of_concept")),
        ("Evaluation uses 50 labelled examples.", "Use at least 200 labelled examples.", ("limit", "evaluation_set")),
    ],
)  # fmt: skip
def test_what_pulls_in_different_directions(ruled, advised, expected):
    assert kinds(ruled, advised) == [expected]


@pytest.mark.parametrize(
    ("ruled", "advised"),
    [
        ("Pickle files are forbidden.", "Pickle files can run any program when they are loaded."),
        ("Pickle files are forbidden.", "Use safetensors instead of pickle."),
        ("No model may be used without a licence text.", "Read the licence text of the exact version."),
        ("ライセンスの本文がないモデルの利用を禁止する。", "ライセンスの本文を読みます。"),
        ("Every model is pinned to a commit hash.", "A branch such as `main` moves with every upload."),
        ("Fine-tuning is forbidden.", "Fine-tuning is the last of several remedies."),
        ("Fine-tuning is allowed.", "Do not fine-tune before you have measured."),
        ("Fine-tuning is forbidden.", "`profile_model` should be run after fine-tuning."),
        ("A proof of concept lasts at most six weeks.", "A proof of concept takes 42 days."),
        ("A proof of concept has ten users.", "A proof of concept takes four weeks."),
        ("Logs are kept for 30 days.", "A pilot takes 60 days."),
        ("Travel is booked through the portal.", "Pin the commit before you build."),
    ],
)  # fmt: skip
def test_what_does_not(ruled, advised):
    assert kinds(ruled, advised) == []


def test_both_sentences_are_quoted_word_by_word():
    ruled = "We move fast. Teams must always use the latest version (no exceptions). Ask IT."
    (conflict,) = conflicts_between([policy(ruled)], guidance("It saves trouble.", title="Pin the commit first"))
    assert conflict.policy == "Teams must always use the latest version (no exceptions)."
    assert conflict.guidance == "Pin the commit first"
    assert (conflict.document, conflict.entry) == ("Dabcdef01", "G99")


def test_reasons_and_checks_are_no_advice():
    text = "Try fine-tuning on your own examples."
    assert conflicts_between([policy("Fine-tuning is forbidden.")], guidance(text, section="why")) == ()


def test_ordinary_policies_are_at_peace_with_the_guidance():
    """No entry of the guidance is set against a policy that asks for the same."""
    texts = [file.read_text("utf-8") for file in sorted(POLICIES.glob("*.md"))]
    rules = [policy("\n".join(line for line in text.splitlines() if not line.startswith("#"))) for text in texts]
    found = [
        conflict
        for entry in read_entries()
        for language in ("en", "ja")
        for section in QUOTED
        for conflict in conflicts_between(
            rules, guidance(quote_of(entry, language, section), entry.title_in(language), section, entry.id)
        )
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "forces"),
    [
        ("No model without a licence text.", ["asks"]),
        ("ライセンスの本文が確認できないモデルを利用してはならない。", ["asks"]),
        ("Sending data to an external API is not allowed unless the officer agrees.", ["forbids"]),
        ("外部のAPIに送ってもよい。", ["allows"]),
        ("Pickle is older than safetensors.", []),
    ],
)
def test_what_a_sentence_asks_for(text, forces):
    assert [stance.force for stance in stances_of(text)] == forces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at most six weeks and ten users", {("time", 42), ("people", 10)}),
        ("二か月以内、20名以下", {("time", 60), ("people", 20)}),
        ("within 1,500 ms or 2 seconds", {("milliseconds", 1500), ("milliseconds", 2000)}),
        ("500件以上、1ポイント、99.5 %", {("examples", 500), ("points", 1), ("percent", 99.5)}),
        ("version 2 of the model", set()),
    ],
)
def test_figures_with_their_units(text, expected):
    assert {tuple(limit) for limit in limits_in(text)} == expected
