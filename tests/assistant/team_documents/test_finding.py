"""What real policies say is found by real MiniLM, in both languages; and where they say nothing, nothing is shown.

The thresholds were set on `model-policy` alone; `data-standard` only checks them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tools.mirrors import bundled_folder

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
QUESTIONS = tomllib.loads((KNOWLEDGE / "policy_questions.toml").read_text(encoding="utf-8"))
every_policy = pytest.mark.parametrize("name", QUESTIONS)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """A library with one document each, by its name."""
    from assistant.team_documents.library import TeamDocuments
    from knowledge.embedding import Embedder

    embedder, opened = Embedder(bundled_folder()), {}
    for name in QUESTIONS:
        folder = tmp_path_factory.mktemp("library")
        opened[name] = TeamDocuments(f"sqlite:///{folder / 'team.sqlite3'}", lambda: embedder, folder / "documents")
        opened[name].add_file(KNOWLEDGE / "policies" / f"{name}.md")
    yield opened
    for library in opened.values():
        library.close()


@every_policy
def test_the_passage_that_answers_comes_first(libraries, name):
    asked = QUESTIONS[name]["answered"]
    found = [libraries[name].search(question["ask"]) for question in asked]
    first = [
        bool(passages) and question["place"] in passages[0].place
        for question, passages in zip(asked, found, strict=True)
    ]
    assert sum(first) / len(first) >= 0.9
    assert all(passage.sentence in passage.quote for passages in found for passage in passages)


@every_policy
def test_nothing_is_shown_where_the_policy_is_silent(libraries, name):
    asked = QUESTIONS[name]["silent"]
    assert sum(bool(libraries[name].search(question)) for question in asked) / len(asked) <= 0.1


def test_an_english_policy_answers_a_japanese_question_as_far_as_the_glossary_goes(libraries):
    (first, *_) = libraries["model-policy.en"].search("pickle 形式の重みは使えますか")
    assert first.place == "File formats"


@pytest.mark.parametrize(
    ("name", "question", "place"),
    [
        ("model-policy.en", "What does our company policy say about pickle files?", "File formats"),
        ("model-policy.ja", "社内規程では pickle は使えますか", "第4条"),
        ("model-policy.ja", "弊社のルールでは概念実証は何か月までですか", "第7条"),
    ],
)
def test_a_question_may_name_the_policy(libraries, name, question, place):
    assert place in libraries[name].search(question)[0].place
