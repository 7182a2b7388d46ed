"""Turn events as chat messages: nested steps, their progress, the answer with its choices, and the consent."""

from __future__ import annotations

import pytest
from dirty_equals import IsFloat
from pydantic import BaseModel

from assistant.turn_events import (
    AnswerText,
    ApprovalNeeded,
    ToolFailed,
    ToolFinished,
    ToolPlanned,
    ToolProgress,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from assistant.web.messages import TurnMessages


class _Record(BaseModel):
    model: str = "org/name"


def started(name="fetch_model", **arguments):
    return ToolStarted(name=name, arguments=arguments or {"model": "org/name"})


def finished(name="fetch_model", evidence_id="E1"):
    return ToolFinished(name=name, arguments={}, evidence_id=evidence_id, record=_Record())


def after(*events, language="en"):
    turn = TurnMessages(language)
    for event in events:
        turn.add(event)
    return turn


def test_before_anything_happened_there_is_a_sign_of_life():
    assert [m["content"] for m in after().messages()] == ["…"]


def test_a_running_step_is_pending_and_shows_its_progress():
    (step,) = after(started(), ToolProgress(name="fetch_model", fraction=0.256, message="Hashing")).messages()
    assert step == {
        "role": "assistant",
        "content": "org/name",
        "metadata": {
            "title": "Fetch the model",
            "id": "steps-0",
            "status": "pending",
            "log": "███░░░░░░░░░  26 % Hashing",
        },
    }


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Waiting for other questions: 1 before this one"), ("ja", "ほかの質問の処理待ち(先に 1 件)")],
)
def test_a_question_that_waits_for_another_says_so_until_its_step_begins(language, text):
    waits = ToolProgress(name="fetch_model", fraction=0, message="Waiting for other questions: 1 before this one")
    (step,) = after(waits, language=language).messages()
    assert (step["metadata"]["status"], step["metadata"]["log"]) == ("pending", text)
    (step,) = after(waits, started(), language=language).messages()
    assert step["metadata"]["log"] == ""


def test_the_time_left_is_told_once_it_can_be():
    now = iter([0.0, 0.0, 30.0, 45.0, 60.0])
    turn = TurnMessages("en", clock=lambda: next(now))
    turn.add(started("profile_model"))
    logs = []
    for fraction in (0.25, 0.75, 1.0):
        turn.add(ToolProgress(name="profile_model", fraction=fraction, message="Measuring"))
        logs.append(turn.steps[0]["metadata"]["log"].partition("Measuring")[2])
    assert logs == [" · about 90 s left", " · about 15 s left", ""]


def test_a_finished_step_is_done_and_names_its_evidence():
    turn = after(started(), finished())
    assert turn.messages()[0]["metadata"] == {
        "title": "Fetch the model",
        "id": "steps-0",
        "status": "done",
        "log": "[E1]",
        "duration": IsFloat(ge=0, le=60),
    }
    assert [e.evidence_id for e in turn.evidence] == ["E1"]


def test_a_failed_step_is_done_and_says_why():
    turn = after(started(), ToolFailed(name="fetch_model", message="The disk is full.", next_step="Free some."))
    assert turn.messages()[0]["metadata"]["status"] == "done"
    assert turn.messages()[0]["metadata"]["log"] == "The disk is full."
    assert turn.evidence == []


def test_what_a_step_needs_first_is_nested_in_it():
    turn = after(
        started("plan_adoption"),
        started("fetch_model"),
        finished("fetch_model", "E1"),
        started("profile_model"),
        ToolProgress(name="profile_model", fraction=0.5, message="Half"),
        finished("profile_model", "E2"),
        finished("plan_adoption", "E3"),
        started("check_version"),
    )
    seen = [(m["metadata"]["id"], m["metadata"].get("parent_id"), m["metadata"]["log"]) for m in turn.steps]
    assert seen == [
        ("steps-0", None, "[E3]"),
        ("steps-1", "steps-0", "[E1]"),
        ("steps-2", "steps-0", "[E2]"),
        ("steps-3", None, ""),
    ]


@pytest.mark.parametrize(
    ("arguments", "content"),
    [({"models": ["org/a", "org/b"]}, "org/a, org/b"), ({"query": "How?"}, " "), ({"model": "org/`x`\n"}, "org/")],
    ids=["several models", "no model", "marks of Markdown"],
)
def test_a_step_says_what_it_is_about(arguments, content):
    shown = after(started(**arguments)).messages()[0]["content"]
    assert shown.startswith(content)
    assert "`" not in shown
    assert "\n" not in shown


def test_the_labels_are_in_the_turns_language():
    assert after(started(), language="ja").messages()[0]["metadata"]["title"] == "モデルを取得"


def test_an_unknown_step_is_shown_by_its_name():
    assert after(started("new_tool")).messages()[0]["metadata"]["title"] == "new_tool"


def test_the_answer_grows_and_the_last_word_counts():
    turn = after(AnswerText(text="One. "), AnswerText(text="Two."))
    assert turn.messages()[-1]["content"] == "One. Two."
    turn.add(TurnFinished(answer="One. Two. Three.", choices=("And now?", "What else?")))
    assert turn.messages()[-1] == {
        "role": "assistant",
        "content": "One. Two. Three.",
        "options": [{"value": "And now?"}, {"value": "What else?"}],
    }


def test_a_turn_that_failed_says_what_to_do_next():
    content = after(TurnFailed(message="The message is empty.", next_step="Type.")).messages()[-1]["content"]
    assert content == "The message is empty.\n\n**Next step:** Type."


def test_a_consent_is_kept_for_the_buttons_and_nothing_is_run():
    asked = ApprovalNeeded(id="x", name="profile_model", arguments={"model": "org/name"}, reason="Large.")
    turn = after(ToolPlanned(name="profile_model", arguments={}), asked)
    assert turn.consent is asked
    assert turn.steps == []


def test_the_reason_of_a_consent_can_be_read():
    asked = ApprovalNeeded(id="x", name="profile_model", arguments={"model": "org/name"}, reason="4.0 GiB of weights.")
    assert "4.0 GiB of weights." in after(asked).messages()[-1]["content"]


def test_events_without_a_running_step_change_nothing():
    turn = after(ToolProgress(name="x", fraction=1, message="late"), finished())
    assert turn.steps == []
    assert [e.evidence_id for e in turn.evidence] == ["E1"]


def test_the_messages_of_a_growing_turn_keep_their_places():
    turn = after(started(), finished())
    before = turn.messages()[0]["metadata"]["id"]
    turn.add(TurnFinished(answer="Done."))
    assert [m.get("metadata", {}).get("id") for m in turn.messages()] == [before, None]
