"""Questions about stages of a plan are answered from the plan as it stands."""

from __future__ import annotations

import pytest

from assistant import Assistant, Settings
from assistant.evidence import Turn
from tests.assistant.planned.stored import MINILM, newest


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("question", "stage", "told", "untold"),
    [
        ("How long is stage 2?", "proof of concept", ("Time:** 2 wk",), ("Budget", "Stops when")),
        ("What does the pilot cost, and how long does it take?", "pilot", ("Time:** 4 wk", "Budget for devices:** "), ("Stops",)),
        ("When do we stop the pilot?", "pilot", ("Stops when:** an answer causes harm",), ("Budget",)),
        ("What must hold to leave the proof of concept?", "proof of concept", ("p95 latency", "quality on your own"), ("Budget",)),
        ("What happens in the next stage?", "proof of concept", ("Purpose and limit", "Time", "Stops when"), ()),
        ("What is monitored at stage 4?", "production", ("| watched |",), ("Budget",)),
        ("段階2の期間は?", "概念実証", ("期間**:2 週間",), ("予算",)),
        ("試験導入はいつ中止しますか", "試験導入", ("中止する場合**:",), ("機器の予算",)),
        ("本番の費用はいくらになりますか", "本番運用", ("機器の予算**:月 ",), ("期間",)),
        ("第2段階について詳しく", "概念実証", ("目的と制限", "期間", "次へ進む条件"), ()),
        ("概念実証から次へ進む条件は?", "概念実証", ("次へ進む条件", "p95"), ("期間", "入る条件")),
        ("What must hold before we go to production?", "production", ("Settle in writing", "to enter it", "to leave the pilot before it"), ("Budget",)),
        ("試験導入に入る条件は何ですか", "試験導入", ("事前に文書で決めること", "この段階に入る条件", "概念実証(PoC)を終える条件"), ("期間",)),
        ("What is needed to go from the proof of concept to the pilot?", "pilot", ("to enter it", "to leave the proof of concept"), ()),
        (f"How long is the pilot of {MINILM}?", "pilot", ("Time:** 4 wk",), ("Budget",)),
    ],
)  # fmt: skip
def test_a_question_about_a_stage_is_answered_from_the_plan_as_it_stands(ask, services, question, stage, told, untold):
    planned = newest(services).version
    answer = ask(question)
    head, *lines = answer.answer.splitlines()
    assert f"**{stage}" in head
    assert all(each in "\n".join(lines) for each in told)
    assert not [each for each in untold if each in "\n".join(lines)]
    assert answer.citations[0].id in head
    assert newest(services).version == planned


@pytest.mark.usefixtures("shown")
def test_two_stages_in_one_question_are_both_told(ask):
    answer = ask("試験導入と本番の予算はいくらですか").answer
    assert [name for name in ("机上確認", "概念実証", "試験導入", "本番運用") if f"**{name}" in answer] == [
        "試験導入",
        "本番運用",
    ]
    assert answer.count("機器の予算") == 2


@pytest.mark.usefixtures("shown")
def test_the_plan_is_found_again_behind_other_questions(ask, services):
    planned = newest(services).version
    ask("Who may stop the service at night?")
    ask("部下が勝手に版を上げないか心配です")
    assert "**試験導入" in ask("試験導入に入る条件は?").answer
    assert newest(services).version == planned


@pytest.mark.usefixtures("shown")
def test_many_questions_about_stages_leave_the_plan_in_view(home):
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        told = [list(assistant.stream("How long is the pilot?", conversation="c"))[-1].answer for _ in range(5)]
    assert all("in the plan for" in answer for answer in told)


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    "question",
    [
        "How long should a pilot last?",
        "How much memory does production need?",
        "How do we monitor drift in production?",
        "When do we start the pilot?",
        "How long does an epoch take?",
        "What if we skip the pilot, what does it cost?",
        "本番で使って問題ない内容ですか",
        "The pilot may cost 300 dollars a month",
        "Who approves it?",
    ],
)
def test_what_is_no_question_about_a_stage_is_not_answered_as_one(ask, question):
    assert "in the plan for" not in ask(question).answer


@pytest.mark.usefixtures("shown")
def test_nobody_is_told_of_another_user_s_stages(home, services):
    turn = Turn(question=f"Plan the adoption of {MINILM}", answer="The plan.", tools=("plan_adoption",))
    services.store.add_turn(turn, user="mia", conversation="c")
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        own = list(assistant.stream("How long is the pilot?", conversation="c", user="local"))[-1]
        said = list(assistant.stream("How long is the pilot?", conversation="c", user="mia"))[-1]
    assert "in the plan for" in own.answer
    assert "in the plan for" not in said.answer
