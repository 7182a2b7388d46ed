"""A turn that is cancelled, left, only planned, or another user's."""

from __future__ import annotations

import threading

import pytest
from fakes import ScriptedChat, call
from langchain_core.messages import AIMessage, HumanMessage

from assistant.turn_events import ToolFailed, ToolFinished, ToolPlanned, ToolProgress, ToolStarted
from tests.told_events import answer_of, of
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def test_cancel_in_the_middle_ends_the_turn_without_another_step(make_assistant):
    llm = ScriptedChat(
        script=[call(("check_version", {})), call(("check_documentation", {})), call(("fetch_model", {}))]
    )
    assistant = make_assistant(llm)
    events = []
    for event in assistant.stream(f"Tell me about {MINILM}", user="alice", conversation="c"):
        events.append(event)
        if isinstance(event, ToolFinished):
            assistant.cancel(user="mallory", conversation="c")
        if isinstance(event, ToolPlanned) and event.name == "check_documentation":
            assistant.cancel(user="alice", conversation="c")
    assert [e.name for e in of(ToolFinished, events)] == ["check_version"], "another user's cancel stops nothing"
    assert [e.name for e in of(ToolFailed, events)] == ["check_documentation"]
    assert len(llm.asked) == 2
    assert "[E1]" in answer_of(events).answer


def test_a_reader_who_goes_away_stops_the_turn_and_the_conversation_goes_on(make_assistant):
    llm = ScriptedChat(script=[call(("check_version", {})), AIMessage("Well.")])
    assistant = make_assistant(llm)
    events = assistant.stream(f"Which version is {MINILM}?")
    next(events)
    events.close()
    assert answer_of(list(assistant.stream("How are you?"))).answer == "Well."


def test_a_reader_who_goes_away_while_a_tool_runs_does_not_wait_for_it(make_assistant):
    assistant = make_assistant(ScriptedChat(script=[call(("profile_model", {}))]))
    events = assistant.stream(f"Profile {MINILM}", user="alice", conversation="c")
    for event in events:
        if isinstance(event, ToolProgress):
            break
    events.close()
    assert assistant.services.store.find(user="alice", tool="profile_model") == [], "the measurement went on"


def test_a_step_that_waits_for_another_ones_tool_says_so_and_can_be_stopped(make_assistant):
    llm = ScriptedChat(script=[call(("profile_model", {})), call(("check_version", {})), AIMessage("Done.")])
    assistant, stopped = make_assistant(llm), CancelToken()
    running = assistant.stream(f"Profile {MINILM}", user="alice", conversation="c")
    next(event for event in running if isinstance(event, ToolProgress))
    threading.Timer(0.3, stopped.cancel).start()
    waiting = list(assistant.stream(f"Which version is {MINILM}?", user="alice", conversation="d", cancel=stopped))
    running.close()
    assert [e.message for e in of(ToolProgress, waiting)] == ["Waiting for other questions: 1 before this one"]
    assert [e.message for e in of(ToolFailed, waiting)] == ["The step was stopped."]


def test_a_dry_run_only_plans(make_assistant):
    llm = ScriptedChat(script=[call(("profile_model", {"model": "evil-org/backdoor"}))])
    assistant = make_assistant(llm, approve_above_gib=0)
    events = list(assistant.stream(f"Profile {MINILM} at batch 4", dry_run=True))
    assert [e.kind for e in events] == ["tool_planned", "turn_finished"]
    assert events[0].arguments == {"model": MINILM, "batch_sizes": [4]}
    assert assistant.history() == []
    assert assistant.services.store.find(user="local") == []


def test_T36_a_dry_run_is_planned_by_the_pilot_when_the_llm_fails(make_assistant):
    events = list(make_assistant([RuntimeError("down")]).stream(f"Which version is {MINILM}?", dry_run=True))
    answer_of(events)
    assert of(ToolStarted, events) == []


def test_T28_a_dry_run_shows_no_invented_figure(make_assistant):
    finished = answer_of(list(make_assistant([AIMessage("It needs 98765 MiB.")]).stream("How much?", dry_run=True)))
    assert "98765" not in finished.answer
    assert finished.unsupported_figures == ("98765",)


def test_T27_another_users_conversation_is_not_continued(make_assistant):
    llm = ScriptedChat(script=[call(("check_version", {"model": MINILM})), AIMessage("The canary is out.")])
    assistant = make_assistant(llm)
    list(assistant.stream(f"Which version is {MINILM}?", user="alice", conversation="c"))
    assistant._given_llm.script[:] = [call(("check_documentation", {"model": MINILM}))]
    events = list(assistant.stream("And its documentation?", user="mallory", conversation="c"))
    assert [m.content for m in llm.asked[-1] if isinstance(m, HumanMessage)] == ["And its documentation?"]
    assert "canary" not in " ".join(str(m.content) for m in llm.asked[-1])
    assert of(ToolPlanned, events) == [], "alice's model is not known to mallory"
    assert [t.question for t in assistant.history(user="mallory", conversation="c")] == ["And its documentation?"]


@pytest.mark.parametrize(
    ("question", "planned"),
    [
        ("What would that cost?", []), ("Estimate the cost", []), ("その費用はいくらですか", []), ("費用を見積もって", []),
        ("What does it usually cost to run one?", []), ("How much do models cost to run?", ["search_guidance"]),
        ("費用はどれくらいかかりますか", ["search_guidance"]),
    ],
)  # fmt: skip
def test_without_a_model_a_general_question_is_answered_from_the_guidance(make_assistant, question, planned):
    assistant = make_assistant([call(("estimate_cost", {})), AIMessage("")])
    assert [event.name for event in of(ToolPlanned, list(assistant.stream(question, dry_run=True)))] == planned


def test_T27_user_and_conversation_names_cannot_be_shifted(make_assistant):
    from assistant.conversation import thread_id

    pairs = [("a", "bc"), ("ab", "c"), ("1:a", "bc"), ("", "abc"), ("2:ab", "c")]
    assert len({thread_id(*pair) for pair in pairs}) == len(pairs)
