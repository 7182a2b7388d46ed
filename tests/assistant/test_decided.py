"""A question after past decisions is told from one about deciding, and a plan's use from the way it was asked for."""

from __future__ import annotations

import pytest

from assistant.advice.use_key import use_key
from assistant.decided import asks_decisions
from assistant.llm.turn_schema import read_turn

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    "question",
    [
        "What did we decide about X and why?", "Why did we decide to stop?", "What was decided about the model?",
        "Which decision was made about MiniLM?", "Have we decided anything yet?", "Show me the decisions", "Who decided to go on with it?",
        "What are our decisions so far?", "When was it decided?", "What have we agreed on?",
        "What was the decision on the FAQ model, and why?", "Xについて何を決めましたか、なぜですか", "このモデルについて決めたことを教えて",
        "決定事項を教えてください", "これまでの決定は?", "なぜ導入を決めたのですか", "もう決まっていますか?", "誰が決めたの?", "決めた理由は?",
    ],
)  # fmt: skip
def test_a_question_after_what_was_decided(question):
    assert asks_decisions(question)


@pytest.mark.parametrize(
    "question",
    [
        "Help me decide between two models", "How should we decide which model to use?", "What should we decide before the pilot?",
        "Which decision criteria matter?", "who decides when to stop?", "Is it decided by measurement?", "What was the p95 latency?",
        "Plan the adoption of X", "What did the model card say?", "何を決めておけばいいですか", "始める前に決めることは何ですか", "どのモデルにするか決めたい",
        "最初に何を決めるべきですか", "判断基準は何ですか", "運用ルールを先に決めた方がいいですか",
    ],
)  # fmt: skip
def test_a_question_about_deciding_is_none(question):
    assert not asks_decisions(question)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("FAQ search", "faq search"), ("faq  Search", "faq search"),
        (f"Plan the adoption of {MINILM} for FAQ search", "faq search"),
        (f"Plan the adoption of {MINILM} for FAQ search with 20000 requests a day at 0.5 dollars an hour.", "faq search"),
        (f"For FAQ search, plan {MINILM} again with p95 200 ms", "faq search"),
        (f"{MINILM} をFAQ検索に使う導入計画を作って", "faq検索"),
        (f"{MINILM} の導入計画を、FAQ検索用に1日3万件で作ってください", "faq検索"),
        ("社内FAQの検索", "社内faqの検索"),
        (f"{MINILM}を社内FAQ検索に導入する計画を立ててください", "社内faq検索"), (f"社内FAQ検索に {MINILM} を使う", "社内faq検索"),
        (f"社内FAQ検索に、{MINILM} を導入したい", "社内faq検索"), (f"FAQ検索に使いたい。{MINILM}の計画を", "faq検索"), (f"社内FAQ検索への{MINILM}の導入計画を立てて", "社内faq検索"),
        (f"社内FAQ検索に1日2万件で使う導入計画を作って。{MINILM}", "社内faq検索"),
        (f"社内FAQ検索の導入計画を{MINILM}で立てて", "社内faq検索"),
        (f"Plan to adopt {MINILM} in our FAQ search with p95 200 ms", "faq search"), ("採用応募者の書類の分類", "採用応募者の書類の分類"),
        (f"{MINILM}を来年度に導入する計画を", ""), (f"{MINILM}を4月に本番環境に導入する計画を", ""), (f"Plan the rollout of {MINILM} in March", ""),
        ("本番導入に向けて計画を作り直して", ""), ("このモデルの導入計画を作り直して", ""), (f"Plan {MINILM} again in Japanese", ""),
        ("導入計画を作り直して。p95は200ms", ""), ("Make an adoption plan", ""), (f"Plan adoption of {MINILM}", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_use_stays_the_same_however_a_plan_is_asked_for(words, key):
    assert use_key(words) == key


@pytest.mark.parametrize(
    ("question", "targets"),
    [
        ("Plan org/m with a budget of 500 dollars a month", {"budget_per_month": 500, "currency": "USD"}),
        ("plan org/m, yearly budget 6000 dollars", {"budget_per_month": 500.0, "currency": "USD"}),
        ("org/m の計画を。予算は月5万円", {"budget_per_month": 50_000, "currency": "JPY"}),
        ("Plan org/m, it must be in use by 2027-03-31", {"deadline": "2027-03-31"}),
        ("org/m を2027年3月末までに稼働させる計画を", {"deadline": "2027-03-31"}),
        ("Plan org/m within 6 weeks", {"deadline": 6}),
        ("org/m を3か月以内に始める計画", {"deadline": 13}),
        ("Plan org/m; it will see personal data", {"data_class": "personal"}),
        ("org/m の計画。要配慮個人情報を扱う", {"data_class": "sensitive_personal"}),
        ("Plan org/m without personal data", {}),
        ("org/m の計画。個人情報は含まない", {}),
        ("Plan org/m; the log has 3 months of data", {}),
    ],
)
def test_budget_data_and_deadline_are_read_from_the_question(question, targets):
    assert read_turn(question).arguments("plan_adoption").get("targets", {}) == targets
