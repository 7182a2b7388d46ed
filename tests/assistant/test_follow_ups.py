"""A short follow-up is answered from what was shown before, and a question of its own is not taken for one."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from assistant.follow_ups import read_follow_up
from knowledge.embedding import Embedder
from knowledge.entry import read_entries
from knowledge.search import GuidanceSearch
from tests.fakes import call
from tools.mirrors import bundled_folder

ENTRIES = {entry.id: entry for entry in read_entries()}
WORRY = {
    "en": "Can't we just download a pre-trained model and use it?",
    "ja": "事前学習モデルは拾ってきて使えばいいだけではないのですか",
}


@pytest.mark.parametrize(
    ("question", "kind", "place"),
    [
        ("Why?", "why", 0), ("and why is that?", "why", 0), ("それはなぜですか?", "why", 0), ("なぜ？", "why", 0), ("理由は何ですか", "why", 0),
        ("なぜその金額になるのですか？", "why", 0), ("どうしてこの結論になったんですか", "why", 0), ("金額の内訳を教えてください", "why", 0),
        ("その費用はどうやって計算したのですか", "why", 0), ("Why is it that much?", "why", 0), ("How did you get that figure?", "why", 0),
        ("Why so expensive?", "why", 0), ("How is that amount calculated?", "why", 0),
        ("Why do they happen?", "why", 0), ("Why does that matter?", "why", 0), ("それはなぜ起きるのですか", "why", 0), ("なぜ大切なのでしょうか", "why", 0),
        ("In short?", "shorter", 0), ("Can you sum it up?", "shorter", 0), ("tl;dr", "shorter", 0), ("要するに?", "shorter", 0),
        ("一言で言うと？", "shorter", 0), ("まとめてください", "shorter", 0), ("つまり、どういうことですか", "shorter", 0),
        ("how do we do that?", "how", 0), ("What are the steps?", "how", 0), ("具体的にどうすればいいですか", "how", 0),
        ("手順を教えてください", "how", 0), ("まず何から始めればいいですか", "how", 0),
        ("What next?", "next", 0), ("What's the next step?", "next", 0), ("次は何をすればいいですか？", "next", 0), ("次の一歩は？", "next", 0),
        ("What if we don't?", "skipped", 0), ("what happens if we skip it", "skipped", 0), ("やらないとどうなりますか", "skipped", 0),
        ("Sources?", "sources", 0), ("says who?", "sources", 0), ("根拠は?", "sources", 0), ("出典を教えてください", "sources", 0),
        ("Tell me more.", "more", 0), ("もっと詳しく教えてください", "more", 0),
        ("and the second one?", "nth", 2), ("What about the third point?", "nth", 3), ("the last one", "nth", -1),
        ("二つ目は?", "nth", 2), ("２番目についてもっと詳しく教えてください", "nth", 2), ("では、三つ目は？", "nth", 3), ("最後の点について", "nth", -1),
    ],
)  # fmt: skip
def test_follow_ups_are_read_in_both_languages(question, kind, place):
    read = read_follow_up(question)
    assert (read.kind, read.place) == (kind, place)


@pytest.mark.parametrize(
    "question",
    [
        "Why does the service need so much memory?", "how much does it cost?", "What about the licence?", "In short, is it safe?",
        "要するに、小さく試してから段階的に投資するということですか。", "なぜメモリが足りないのですか", "二つのモデルを比べて", "費用は?", "はい", "", "?",
        "最後に会議で何と言えばいいですか", "手順書はありますか", "more memory", "second opinion on this licence",
    ],
)  # fmt: skip
def test_a_question_of_its_own_is_no_follow_up(question):
    assert read_follow_up(question) is None


def searching(messages):
    """A model that looks guidance up, and then says nothing."""
    return call(("search_guidance", {})) if isinstance(messages[-1], HumanMessage) else AIMessage("")


@pytest.fixture
def ask(make_assistant, data_folder, guidance_index):
    """The function that asks in one conversation and returns the last event."""
    data_folder.mkdir(exist_ok=True)
    (data_folder / "index").symlink_to(guidance_index)
    assistant = make_assistant([searching])
    # The guidance is judged by MiniLM's vectors, not by those of the stand-in.
    assistant.services.__dict__["_search"] = GuidanceSearch(data_folder / "index", Embedder(bundled_folder()))

    def ask(question, user="local"):
        return list(assistant.stream(question, conversation="c", user=user))[-1]

    ask.llm = assistant._given_llm
    return ask


def ids(answer):
    return [citation.id for citation in answer.citations]


@pytest.mark.parametrize(
    ("language", "questions"),
    [
        ("en", ("why?", "how do we do that?", "what if we don't?", "sources?", "in short?", "and the second one?")),
        ("ja", ("それはなぜですか?", "どうすればいいですか", "やらないとどうなりますか", "出典は?", "要するに?", "二つ目は?")),
    ],
)  # fmt: skip
def test_what_was_shown_answers(ask, language, questions):
    worry = ask(WORRY[language])
    shown = ids(worry)
    first, second_point = ENTRIES[shown[0]].text(language), ENTRIES[shown[2]].text(language)
    why, how, skipped, sources, short, second = (ask(question) for question in questions)
    assert first.why in why.answer
    assert first.steps in how.answer
    assert first.skipped in skipped.answer
    assert ENTRIES[shown[0]].sources[0].where in sources.answer
    assert all(ENTRIES[entry].text(language).say in short.answer for entry in shown[:3])
    assert second_point.what.split("\n\n")[0] in second.answer
    assert [ids(each) for each in (why, how, skipped, sources, second)] == [shown[:1]] * 4 + [[shown[2]]]


def test_what_follows_the_second_one_is_about_it(ask):
    shown = ids(ask(WORRY["en"]))
    ask("and the second one?")
    assert ENTRIES[shown[2]].en.why in ask("why?").answer
    assert ENTRIES[shown[3]].en.what.split("\n\n")[0] in ask("and the third?").answer


def test_the_llm_hears_of_a_follow_up_that_it_did_not_answer(ask):
    ask(WORRY["en"])
    asked = len(ask.llm.asked)
    why = ask("why?")
    assert len(ask.llm.asked) == asked, "the follow-up itself needs no LLM"
    ask("How do we pin the version of a model?")
    assert [why.answer] == [m.content for m in ask.llm.asked[-2] if m.content == why.answer]


def test_without_an_answer_before_it_goes_the_ordinary_way(ask):
    ask("why?")
    assert len(ask.llm.asked) > 0


def test_nobody_follows_up_on_the_answer_of_another(ask):
    ask(WORRY["en"], user="manager")
    answer = ask("why?", user="engineer")
    assert len(ids(answer)) != 1


@pytest.mark.parametrize(
    ("question", "asked"),
    [("and the second one?", "Which list do you mean?"), ("2つ目は？", "どの一覧の項目でしょうか。")],
)
def test_the_second_one_of_no_list_is_asked_back(ask, question, asked):
    answer = ask(question).answer
    assert answer.startswith(asked)
    assert ask.llm.asked == []


def test_a_place_beyond_the_list_is_asked_back(ask):
    ask(WORRY["en"])
    assert ask("and the fourth one?").answer.startswith("Which list do you mean?")


def test_a_turn_without_a_tool_does_not_end_the_chain(make_assistant, data_folder, guidance_index):
    data_folder.mkdir(exist_ok=True)
    (data_folder / "index").symlink_to(guidance_index)
    assistant = make_assistant([searching, AIMessage(""), AIMessage("No idea.")])
    assistant.services.__dict__["_search"] = GuidanceSearch(data_folder / "index", Embedder(bundled_folder()))
    shown, _, why = (list(assistant.stream(q, conversation="c"))[-1] for q in (WORRY["en"], "hm, that thing", "why?"))
    assert ENTRIES[ids(shown)[0]].en.why in why.answer
