"""Chat models in this process, with a tiny model of random weights that transformers really loads and runs."""

from __future__ import annotations

import json
import threading

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from assistant.llm.constrained import GrammarError
from assistant.llm.tool_call_text import parse_answer
from assistant.llm.transformers_chat import TransformersChat, as_template_message, visible_length

TEMPLATE = (
    "{% if tools %}<tools>{% for t in tools %}{{ t['function']['name'] }} {% endfor %}</tools>{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LOOK = {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A Qwen3-architecture model of two layers with a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    path = tmp_path_factory.mktemp("chat")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["look at this, and at that <tool_call> name arguments </tool_call>"], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(path)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(fast), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=2048, tie_word_embeddings=False,
    )  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture
def make_chat(folder):
    """The function that loads the model; all see the steps that it takes."""

    def make(**options):
        chat = TransformersChat(source=str(folder), **{"max_new_tokens": 24, **options})
        chat.load()
        return chat

    return make


@pytest.fixture
def chat(make_chat):
    return make_chat()


class Steps:
    """Counts the model's forward passes, and how many ran at the same time."""

    def __init__(self, chat):
        self.count, self.running, self.most = 0, 0, 0
        self._lock = threading.Lock()
        chat._model.register_forward_pre_hook(self._begin)
        chat._model.register_forward_hook(self._end)

    def _begin(self, *_args):
        with self._lock:
            self.count += 1
            self.running += 1
            self.most = max(self.most, self.running)

    def _end(self, *_args):
        with self._lock:
            self.running -= 1


def spelling(text):
    """A grammar that allows this text alone, then the end of the turn."""
    return f"start: {json.dumps(text, ensure_ascii=False)} <|im_end|>"


# --- streaming --------------------------------------------------------------------------------------------------------


def test_streamed_pieces_are_the_whole(chat):
    pieces = [chunk.text for chunk in chat.stream("Say something")]
    assert len(pieces) > 2
    assert "".join(pieces) == chat.invoke("Say something").text != ""


@pytest.mark.parametrize("text", ["a < b", "what <tool", "日本語です", "ends with <", "two  spaces \n and a line "])
def test_nothing_of_an_answer_is_lost(make_chat, text):
    chat = make_chat(max_new_tokens=80)
    assert "".join(c.text for c in chat.bind(grammar=spelling(text)).stream("x")) == text


def test_a_thought_is_not_shown(make_chat):
    chat = make_chat(max_new_tokens=120).bind(grammar=spelling("<think>secret < x</think>open"))
    assert "".join(c.text for c in chat.stream("x")) == "open"


def test_the_pieces_reach_callbacks(chat):
    from langchain_core.callbacks import BaseCallbackHandler

    class Listener(BaseCallbackHandler):
        def __init__(self):
            self.tokens = []

        def on_llm_new_token(self, token, **kwargs):
            self.tokens.append(token)

    listener = Listener()
    whole = chat.invoke("Say something", config={"callbacks": [listener]}).text
    assert "".join(listener.tokens) == whole


def test_the_answer_is_the_same_twice(chat):
    assert chat.invoke("Say something").text == chat.invoke("Say something").text


def test_the_length_is_held(make_chat):
    chat = make_chat(max_new_tokens=3)
    steps = Steps(chat)
    chat.invoke("Say something")
    assert steps.count == 3


# --- cancel and threads -----------------------------------------------------------------------------------------------


def test_closing_the_iterator_stops_the_model(make_chat):
    chat = make_chat(max_new_tokens=1500)
    steps = Steps(chat)
    pieces = chat.decode("Say something", grammar='start: ("a ")+ "."', max_new_tokens=1500)
    next(pieces)
    pieces.close()
    stopped_at = steps.count
    assert 0 < stopped_at < 1000
    assert not [t for t in threading.enumerate() if t.name == "llm-generate"]
    list(chat.decode("the model is free again", max_new_tokens=2))
    assert steps.count == stopped_at + 2


def test_concurrent_calls_are_made_one_after_the_other(chat):
    alone = {text: chat.invoke(text).text for text in ("first", "second", "third")}
    steps = Steps(chat)
    found = {}
    threads = [threading.Thread(target=lambda t=text: found.__setitem__(t, chat.invoke(t).text)) for text in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == alone
    assert steps.most == 1


def test_what_goes_wrong_while_generating_is_raised_and_frees_the_model(chat):
    with pytest.raises(GrammarError):
        chat.bind(grammar="start: [[[").invoke("x")
    assert isinstance(chat.invoke("x"), AIMessage)


# --- grammar ----------------------------------------------------------------------------------------------------------


def test_the_grammar_decides_what_is_written(chat):
    grammar = 'start: ("org/a" | "org/b") " " /[0-9]{3}/ <|im_end|>'
    answer = chat.bind(grammar=grammar).invoke("Which?").text
    assert answer[:6] in {"org/a ", "org/b "}
    assert answer[6:].isdigit()
    assert len(answer) == 9


def test_without_grammar_the_same_question_is_answered_otherwise(chat):
    assert not chat.invoke("Which?").text.startswith("org/")


# --- tool calls -------------------------------------------------------------------------------------------------------


def test_a_tool_call_is_parsed_and_its_text_not_shown(make_chat):
    text = 'Well. <tool_call>\n{"name": "look", "arguments": {"model": "org/a"}}\n</tool_call>'
    chat = make_chat(max_new_tokens=160).bind_tools([LOOK], grammar=spelling(text))
    whole = None
    for chunk in chat.stream("Look"):
        whole = chunk if whole is None else whole + chunk
    assert whole.text == "Well. "
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [("look", {"model": "org/a"})]
    assert whole.invalid_tool_calls == []


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "look", "argum',
        '{"arguments": {}}',
        '{"name": "look", "arguments": [1]}',
        "[]",
        "look()",
        '{"name": 3}',
    ],
)
def test_a_malformed_tool_call_is_invalid_and_not_run(make_chat, body):
    chat = make_chat(max_new_tokens=120).bind_tools([LOOK], grammar=spelling(f"<tool_call>{body}</tool_call>"))
    message = chat.invoke("Look")
    assert message.tool_calls == []
    assert [c["args"] for c in message.invalid_tool_calls] == [body]
    assert message.text == ""


def test_two_tool_calls_keep_their_order_and_have_ids_of_their_own(make_chat):
    one = '<tool_call>{"name": "look", "arguments": {"n": %d}}</tool_call>'
    chat = make_chat(max_new_tokens=200).bind_tools([LOOK], grammar=spelling(one % 1 + "\n" + one % 2))
    calls = chat.invoke("Look").tool_calls
    assert [c["args"]["n"] for c in calls] == [1, 2]
    assert len({c["id"] for c in calls}) == 2


def test_tools_are_offered_in_the_prompt(chat, monkeypatch):
    seen = []
    decode = TransformersChat.decode
    monkeypatch.setattr(TransformersChat, "decode", lambda self, p, **o: seen.append(p) or decode(self, p, **o))
    chat.bind_tools([LOOK]).invoke([SystemMessage("Be kind."), HumanMessage("Look")])
    assert seen[0].startswith("<tools>look </tools><|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nLook")
    assert seen[0].endswith("<|im_start|>assistant\n")


def test_an_unfinished_thought_holds_no_call():
    text = '<think>I could <tool_call>{"name": "look", "arguments": {}}</tool_call> but'
    assert parse_answer(text).tool_calls == []
    assert visible_length(text) == len(text), "all of it is the thought"


def test_messages_as_templates_read_them():
    call = {"name": "look", "args": {"n": 1}, "id": "c1"}
    assert as_template_message(AIMessage("", tool_calls=[call])) == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": "look", "arguments": {"n": 1}}}],
    }
    assert as_template_message(ToolMessage("seen", tool_call_id="c1", name="look")) == {
        "role": "tool",
        "content": "seen",
        "name": "look",
    }


def test_tokens_are_counted_by_the_models_own_tokenizer(chat):
    short, long = chat.count_tokens([HumanMessage("a")]), chat.count_tokens([HumanMessage("a" * 100)])
    assert 0 < short < long


# --- weights ----------------------------------------------------------------------------------------------------------


def test_T01_pickled_weights_are_not_loaded(folder, tmp_path):
    import pickle
    import shutil

    canary = tmp_path / "canary"

    class Bomb:
        def __reduce__(self):
            return (canary.touch, ())

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(OSError, match="safetensors"):
        TransformersChat(source=str(copy)).load()
    assert not canary.exists()


def test_T04_code_of_the_repository_is_not_run(folder, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}}
    (copy / "config.json").write_text(json.dumps(config))
    canary = tmp_path / "canary"
    (copy / "own.py").write_text(f"import pathlib; pathlib.Path({str(canary)!r}).touch()\nclass Own: pass\n")
    with pytest.raises(ValueError, match="custom code"):
        TransformersChat(source=str(copy)).load()
    assert not canary.exists()


def test_a_model_in_process_runs_a_turn_and_the_pilot_stands_in_for_a_missing_one(make_assistant, folder, tmp_path):
    """Random weights say nothing sensible, but the turn ends; a folder without weights leaves it to the pilot."""
    chat = TransformersChat(source=str(folder), max_new_tokens=16)
    words = list(make_assistant(chat).stream("How are you?"))
    assert words[-1].kind == "turn_finished"
    assert "I stand in." not in words[-1].answer
    instead = list(make_assistant(llm=str(tmp_path)).stream("How are you?"))
    assert instead[-1].answer.startswith("I stand in.")
