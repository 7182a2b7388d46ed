"""What is said after a plan: new targets, sentences for a meeting, other questions."""

from __future__ import annotations

import sqlite3

import pytest

from assistant import Assistant, Settings
from assistant.held_answer import hold_to_turn
from assistant.llm.turn_schema import read_turn
from assistant.rendering.results import TurnResult, rendered
from assistant.toolbox import read_record
from knowledge.policy_search import GuidanceAnswer
from tests.assistant.planned.stored import LOAD, MINILM, newest
from tests.fakes import call


def test_what_a_plan_asked_for_is_told_to_it_and_questions_about_it_plan_nothing(ask, services):
    ask(f"Plan the adoption of {MINILM} for FAQ search with 20000 requests a day at 0.5 dollars an hour")
    planned = newest(services).version
    assert "[G" in ask("Who approves it?").answer
    assert newest(services).version == planned
    told = ask("The budget is 900 dollars a month")
    assert (newest(services).version, newest(services).targets["budget_per_month"]) == (planned + 1, 900)
    assert newest(services).targets["requests_per_day"] == LOAD["requests_per_day"]
    assert f"version {planned + 1}" in told.answer
    ask("It will see confidential data")
    assert newest(services).targets["data_class"] == "confidential"


@pytest.mark.parametrize(
    ("question", "asks_for_a_model"),
    [
        ("誤った回答をしたとき誰が責任を負いますか", "候補のモデル名"),
        ("Who may stop the service at night?", "Tell me the model"),
    ],
)
def test_guidance_offers_to_check_the_model_that_is_spoken_of(ask, home, question, asks_for_a_model):
    answered = ask(question)
    assert "[G" in answered.answer
    assert asks_for_a_model not in answered.answer
    assert answered.choices
    assert all(MINILM in choice for choice in answered.choices)
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        fresh = list(assistant.stream(question, conversation="new", user="mia"))[-1]
    assert asks_for_a_model in fresh.answer
    assert fresh.choices == ()


def test_guidance_beside_a_check_tells_no_second_next_step_and_does_not_offer_that_check(services):
    found = services.search.search("部下が勝手に版を上げないか心配です")
    guidance = TurnResult("E90", "search_guidance", {}, GuidanceAnswer(**dict(found)), spoken_of=MINILM)
    stored = services.store.find(user="local", model=MINILM, tool="check_version", limit=1)[0]
    version = TurnResult(stored.id, stored.tool, stored.arguments, read_record(stored))
    alone, beside = rendered(guidance, "ja", [guidance]), rendered(guidance, "ja", [version, guidance])
    request = f"{MINILM} の版を確認して"
    assert "次の一歩" in alone.advice
    assert request in alone.choices
    assert "次の一歩" not in beside.advice
    assert request not in beside.choices


def test_a_question_about_the_cost_goes_on_with_the_load_and_price_that_were_told(ask, services):
    def costs():
        return services.store.find(user="local", model=MINILM, tool="estimate_cost", limit=1)[0].arguments

    ask(f"Plan the adoption of {MINILM} for FAQ search with 20000 requests a day at 0.5 dollars an hour")
    answered = ask("費用はいくらかかりますか")
    assert "20,000 件" in answered.answer
    assert (costs()["requests_per_day"], costs()["price_per_hour"], costs()["currency"]) == (20_000, 0.5, "USD")
    ask("What would it cost at 50000 requests a day?")
    assert (costs()["requests_per_day"], costs()["price_per_hour"]) == (50_000, 0.5)
    ask("And what does it cost at 80 yen an hour?")
    assert (costs()["requests_per_day"], costs()["price_per_hour"], costs()["currency"]) == (50_000, 80, "JPY")


def test_amounts_in_a_currency_that_was_given_up_are_not_read_as_the_new_one(plan):
    assert plan(use_case="FAQ search", **LOAD, budget_per_month=300.0).targets["budget_per_month"] == 300.0
    changed = plan(currency="JPY", price_per_hour=60.0)
    assert "budget_per_month" not in changed.targets
    assert (changed.targets["price_per_hour"], changed.targets["requests_per_day"]) == (60.0, LOAD["requests_per_day"])


@pytest.mark.parametrize(
    ("question", "starts"),
    [
        ("Give me sentences for tomorrow's meeting", ("We try it small first", "We decide by measurement", "We set the operating")),
        ("明日の会議で使える言い方を教えてください", ("まず小さく試します", "実測で判断します", "運用ルールを先に定めます")),
    ],
)  # fmt: skip
def test_the_sentences_for_a_meeting_carry_the_figures_of_the_plan(ask, services, question, starts):
    answer = ask(question)
    said = [line.partition(". ")[2] for line in answer.answer.splitlines() if line[:1].isdigit()]
    assert all(sentence.startswith(start) for sentence, start in zip(said, starts, strict=True))
    profile = services.store.find(user="local", model=MINILM, tool="profile_model", limit=1)[0]
    assert f"{profile.record['peak_memory_mib']:,.0f} MiB" in said[1]
    assert profile.id in {citation.id for citation in answer.citations}
    assert answer.unsupported_figures == ()


def test_without_a_plan_they_carry_what_was_measured_and_without_either_the_guidance(home, services):
    with sqlite3.connect(home / "tameshi.sqlite3") as database:
        database.execute("DELETE FROM evidence WHERE tool = 'plan_adoption'")
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        measured = list(assistant.stream("What can I say in the meeting?", conversation="c"))[-1]
        general = list(assistant.stream("What can I say in the meeting?", conversation="d", user="mia"))[-1]
    assert "95 % of single calls" in measured.answer
    assert "We decide by measurement." in general.answer
    assert [citation.id for citation in general.citations] == ["G03"]


@pytest.mark.parametrize(
    ("question", "last_tool", "proposed", "made"),
    [
        ("It will see confidential data", "plan_adoption", "check_documentation", "plan_adoption"),
        ("p95は200ms以内にしたい", "plan_adoption", "profile_model", "plan_adoption"),
        ("予算は月4万円です", "search_guidance", "estimate_cost", "plan_adoption"),
        ("Measure it again, p95 under 200 ms", "plan_adoption", "profile_model", "profile_model"),
        ("Check the licence for a product with customer data", "search_guidance", "check_documentation", "check_documentation"),
        ("What would 900 dollars a month pay for?", "plan_adoption", "estimate_cost", "estimate_cost"),
        ("Who approves it?", "plan_adoption", "plan_adoption", "search_guidance"),
        ("Make the plan for contract review", "plan_adoption", "plan_adoption", "plan_adoption"),
    ],
)  # fmt: skip
def test_a_message_after_a_plan_goes_where_it_belongs(question, last_tool, proposed, made):
    turn = read_turn(question, remembered=(MINILM,), known=(), last_tool=last_tool)
    assert [c["name"] for c in hold_to_turn(call((proposed, {"model": MINILM})), turn).tool_calls] == [made]
