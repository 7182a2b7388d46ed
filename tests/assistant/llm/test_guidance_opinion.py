"""Worries, symptoms and pasted errors reach the guidance; requests, greetings and other matters stay what they are."""

from __future__ import annotations

import pytest

from assistant.llm.guidance_opinion import with_guidance
from assistant.llm.pilot_chat import PilotChat
from assistant.llm.turn_schema import read_turn
from assistant.services import Services
from assistant.settings import Settings

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory, guidance_index):
    home = tmp_path_factory.mktemp("opinion")
    (home / "index").symlink_to(guidance_index)
    services = Services(Settings(home=home, offline=True))
    yield PilotChat(routing=services.route_model, closest_entry=services.closest_entry)
    services.close()


@pytest.mark.parametrize(
    "question",
    [
        "too slow in prod",
        "_pickle.UnpicklingError: Weights only load failed. The partner who made the checkpoint no longer exists.",
        "Two runs on the same invoice give different totals and nobody touched anything",
        "繁忙期だけ遅い",
        "デモは良かったのに",
        "transformersを上げたら、テスト30件中4件だけ出力が変わった。エラーは出ていない。",
    ],
)
def test_a_worry_or_a_symptom_in_a_new_conversation_goes_to_the_guidance(pilot, question):
    assert pilot.decide(read_turn(question)).routes == ("search_guidance",)


@pytest.mark.parametrize(
    ("question", "route"),
    [
        ("hello", "talk"),
        ("ありがとうございました", "talk"),
        ("What is a good recipe for pancakes?", "off_topic"),
        ("明日の天気は?", "off_topic"),
        (f"Is {MINILM} safe to load?", "inspect_files"),
        (f"{MINILM} の版を確認して", "check_version"),
    ],
)
def test_what_is_no_worry_goes_where_it_went(pilot, question, route):
    assert pilot.decide(read_turn(question)).routes == (route,)


def routes(question, *chosen, closest=0.3, by_wording=0.2, **turn):
    return with_guidance(chosen, by_wording, read_turn(question, **turn), lambda _: closest)


def test_nothing_close_in_the_guidance_changes_nothing():
    assert routes("it behaves oddly since Monday", "off_topic", closest=0.0) == ("off_topic",)
    assert routes("it behaves oddly since Monday", "off_topic") == ("search_guidance",)


def test_an_order_or_a_named_model_is_not_asked_about():
    asked = []
    for question in ("Please measure the speed", "速度を測ってください", f"{MINILM} is slow"):
        turn = read_turn(question)
        assert with_guidance(("profile_model",), 0.9, turn, lambda q: asked.append(q) or 1.0) == ("profile_model",)
    assert asked == []


def test_with_a_model_in_the_conversation_a_cheap_check_runs_beside_and_a_dear_one_does_not():
    known = {"remembered": (MINILM,), "known": ()}
    question = "The upgrade changed our results, what now?"
    assert routes(question, "check_version", **known) == ("check_version", "search_guidance")
    assert routes(question, "profile_model", **known) == ("search_guidance",)
    assert routes(question, "check_version") == ("search_guidance",)


def test_who_says_to_be_worried_gets_more_than_a_record():
    after = {"remembered": (MINILM,), "last_tool": "plan_adoption", "closest": 0.05, "by_wording": 0.1}
    assert routes("部下が勝手に版を上げないか心配です", "check_version", **after) == (
        "check_version",
        "search_guidance",
    )
    assert routes("その版は最新ですか", "check_version", **after) == ("check_version",)


def test_after_a_tool_it_takes_more_to_leave_what_the_tool_found():
    question = "and is that all right?"
    between = {"closest": 0.11, "by_wording": 0.01}
    assert routes(question, "check_documentation", **between) == ("search_guidance",)
    after = routes(question, "check_documentation", **between, remembered=(MINILM,), last_tool="check_documentation")
    assert after == ("check_documentation",)
