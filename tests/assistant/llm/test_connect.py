"""The OpenAI-compatible path against a real server on loopback, whatever the server does."""

from __future__ import annotations

import socket
import time

import pytest
from langchain_core.messages import HumanMessage
from llm_server import LlmServer, Reply
from openai import APIConnectionError

from assistant.llm.connect import connect_llm
from assistant.llm.server_chat import MOST_BYTES, ServerChat, connect_server
from assistant.settings import Settings

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
QUESTION = f"Which version is {MINILM}?"
ASKS = Reply(calls=(("check_version", f'{{"model": "{MINILM}"}}'),))
STANDS_IN = "I stand in."
LEAKED = f'I look it up. <tool_call>\n{{"name": "check_version", "arguments": {{"model": "{MINILM}"}}}}\n</tool_call>'


def ask(make_assistant, server, **settings):
    """The events of one turn with this server, and how long they took."""
    url = server if isinstance(server, str) else server.url
    assistant = make_assistant(**{"llm_timeout_s": 20, **settings}, llm=url)
    started = time.monotonic()
    events = list(assistant.stream(QUESTION, language="en"))
    assert events[-1].kind == "turn_finished", events[-1]
    return events, time.monotonic() - started


def tools_of(events):
    return [event.name for event in events if event.kind == "tool_finished"]


# --- the factory ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v1"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/v1"),
        ("https://llm.example/v1", "https://llm.example/v1"),
        ("https://llm.example/api/openai", "https://llm.example/api/openai"),
    ],
)
def test_a_url_becomes_a_server(url, address):
    llm = connect_llm(Settings(llm=url, llm_model="m"), pilot=None)
    assert isinstance(llm, ServerChat)
    assert llm.openai_api_base == address


def test_pilot_is_the_pilot_and_anything_else_a_model_in_process():
    from assistant.llm.transformers_chat import TransformersChat

    pilot = object()
    assert connect_llm(Settings(llm="pilot"), pilot) is pilot
    assert type(connect_llm(Settings(llm="org/name"), pilot)) is TransformersChat


def test_without_a_name_the_first_model_listed_is_asked_once_for():
    with LlmServer([Reply("Hello.")]) as server:
        llm = connect_server(server.url, "", "", 20)
        assert [llm.invoke("Hi").text for _ in range(2)] == ["Hello."] * 2
        server.models = ("another",)
        llm.invoke("Hi")
    assert [body["model"] for body in server.asked] == ["first-model"] * 3


def test_the_configured_name_and_key_are_sent_and_the_key_is_not_shown():
    with LlmServer([Reply("Hello.")]) as server:
        settings = Settings(llm=server.url, llm_model="mine", llm_api_key="canary-key")
        llm = connect_llm(settings, pilot=None)
        llm.invoke("Hi")
    assert server.asked[0]["model"] == "mine"
    assert server.headers[0]["Authorization"] == "Bearer canary-key"
    assert "canary-key" not in repr(settings) + repr(llm) + str(llm.model_dump())


def test_streamed_pieces_are_the_whole():
    words = "One two three 四五 six."
    with LlmServer([Reply(words, calls=(("check_version", '{"model": "x/y"}'),))]) as server:
        chunks = list(connect_server(server.url, "m", "", 20).stream("Hi"))
    assert "".join(chunk.text for chunk in chunks) == words
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [("check_version", {"model": "x/y"})]


def test_T36_a_stream_that_is_cut_raises_and_is_not_taken_for_the_whole():
    with LlmServer([Reply("One two three four.", cut=True)]) as server, pytest.raises(APIConnectionError):
        list(connect_server(server.url, "m", "", 20).stream("Hi"))


# --- a turn -----------------------------------------------------------------------------------------------------------


def test_a_sound_server_runs_the_conversation(make_assistant):
    with LlmServer([ASKS, Reply("Here it is [E1]. It has 98765 stars.")]) as server:
        events, _ = ask(make_assistant, server)
    assert tools_of(events) == ["check_version"]
    assert events[-1].answer.startswith("Here it is [E1].\n\n")
    assert events[-1].unsupported_figures == ("98765",)
    assert STANDS_IN not in events[-1].answer
    first, second = server.asked
    assert MINILM in first["messages"][0]["content"], "the models of the turn are in the instructions"
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"check_version", "plan_adoption"}
    call, result = second["messages"][-2:]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]


def test_T36_down(make_assistant):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        events, seconds = ask(make_assistant, f"http://127.0.0.1:{held.getsockname()[1]}")
    assert STANDS_IN in events[-1].answer
    assert seconds < 20


@pytest.mark.parametrize(
    "reply",
    [Reply("Late.", wait_s=30), Reply("Late.", drip_s=0.3)],
    ids=["no first byte", "a byte now and then"],
)
def test_T36_slow_beyond_the_timeout_is_asked_once_a_turn(make_assistant, reply):
    with LlmServer([reply]) as server:
        events, seconds = ask(make_assistant, server, llm_timeout_s=1.0)
    assert len(server.asked) == 1
    assert STANDS_IN in events[-1].answer
    assert seconds < 15


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(status=401),
        Reply("One two three.", cut=True),
        Reply(body=b"<html>log in first</html>"),
        Reply(body=b"{}"),
        Reply(body=b'{"choices": []}'),
        Reply(body=b"\xff\xfe"),
        Reply(calls=(("check_version", '{"model": '),)),
        Reply(calls=(("check_version", "[1, 2]"),)),
        Reply(calls=(("delete_everything", "{}"),)),
        Reply(""),
        Reply('<tool_call>{"name": "check_version", "arg'),
    ],
    ids=[
        "500", "401", "cut", "login page", "empty object", "no choice", "no text", "malformed call", "arguments no object",
        "unknown tool", "empty answer", "broken text call",
    ],
)  # fmt: skip
def test_T36_what_cannot_be_used_leaves_the_turn_to_the_pilot(make_assistant, reply):
    with LlmServer([reply]) as server:
        events, _ = ask(make_assistant, server)
    assert len(server.asked) <= 2, "once more, then no more in this turn"
    assert STANDS_IN in events[-1].answer


def test_T36_a_server_that_recovers_at_the_second_try(make_assistant):
    with LlmServer([Reply(status=500), ASKS, Reply("Here it is.")]) as server:
        events, _ = ask(make_assistant, server)
    assert tools_of(events) == ["check_version"]
    assert STANDS_IN not in events[-1].answer


def test_T36_down_after_the_tools_ran_keeps_their_results(make_assistant):
    with LlmServer([ASKS, Reply(status=500)]) as server:
        events, _ = ask(make_assistant, server)
    assert tools_of(events) == ["check_version"]
    assert "[E1]" in events[-1].answer
    assert STANDS_IN in events[-1].answer


def test_T36_a_leaked_tool_call_is_made(make_assistant):
    with LlmServer([Reply(LEAKED), Reply("Here it is.")]) as server:
        events, _ = ask(make_assistant, server)
    assert tools_of(events) == ["check_version"]
    assert "tool_call" not in events[-1].answer
    assert STANDS_IN not in events[-1].answer


def test_T36_a_long_answer_is_cut_and_a_huge_one_is_not_read(make_assistant):
    with LlmServer([Reply("Well. " * 100_000)]) as server:
        events, _ = ask(make_assistant, server)
    assert 0 < len(events[-1].answer) < 10_000
    assert STANDS_IN not in events[-1].answer
    with LlmServer([Reply("x" * (MOST_BYTES + 1))]) as server:
        events, _ = ask(make_assistant, server)
    assert STANDS_IN in events[-1].answer
    assert "xxxx" not in events[-1].answer


def test_T36_a_server_that_lists_no_model(make_assistant):
    with LlmServer([Reply("Hello.")], models=()) as server:
        events, _ = ask(make_assistant, server)
    assert server.asked == []
    assert STANDS_IN in events[-1].answer


def test_the_next_turn_asks_the_server_again(make_assistant):
    with LlmServer([Reply(status=500), Reply(status=500), Reply("I am back.")]) as server:
        assistant = make_assistant(llm=server.url)
        list(assistant.stream(QUESTION))
        assert list(assistant.stream("How are you?"))[-1].answer == "I am back."


def test_the_servers_own_text_reaches_it_unchanged():
    with LlmServer([Reply("Hello.")]) as server:
        connect_server(server.url, "m", "", 20).invoke([HumanMessage("日本語 <script>")])
    assert server.asked[0]["messages"] == [{"content": "日本語 <script>", "role": "user"}]


def test_T36_the_real_pilot_answers_when_the_server_is_down(make_assistant):
    with LlmServer([Reply(status=500)]) as server:
        events = list(make_assistant(llm=server.url, real_pilot=True).stream(QUESTION, language="en"))
    assert events[-1].kind == "turn_finished"
    assert "the embedded one answered" in events[-1].answer
