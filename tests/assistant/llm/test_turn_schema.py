"""What a tool call can hold in a turn: models and numbers of the user's own words, whatever is proposed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.llm.turn_schema import MODEL_TOOLS, TOOL_NAMES, TurnContext, mask, read_turn
from assistant.tool_catalogue import RECORDS

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
E5 = "intfloat/multilingual-e5-small"


def test_the_tools_are_those_of_the_toolbox():
    assert set(TOOL_NAMES) == set(RECORDS)


# --- models -----------------------------------------------------------------------------------------------------------


def test_the_models_are_those_of_the_users_words():
    turn = read_turn(f"Which version is {MINILM}, and which is {E5}?")
    assert turn.models == (MINILM, E5)
    assert turn.complete("check_version", {"model": "evil/one"}) == {"model": MINILM}


def test_what_the_question_names_goes_before_what_is_remembered():
    assert read_turn(f"And {E5}?", remembered=(MINILM,)).models == (E5,)
    assert read_turn("And its licence?", remembered=(MINILM,)).models == (MINILM,)


@pytest.mark.parametrize(
    "question", ["{a} と {b} は同じ名前なのに中身が違う", "What differs between {a} and {b}?", "Is {a} a copy of {b}?"]
)
def test_two_models_whose_contents_differ_are_compared_with_each_other(question):
    turn = read_turn(question.format(a="./old/faq", b="./new/faq"))
    assert turn.complete("check_version", {}) == {"model": "./old/faq", "against": "./new/faq"}
    assert turn.complete("check_version", {"model": "./new/faq"}) == {"model": "./new/faq", "against": "./old/faq"}
    assert "against" not in turn.complete("check_documentation", {})


def test_a_bare_name_stands_for_an_id_that_is_known():
    assert read_turn("Is all-MiniLM-L6-v2 safe?", known=(MINILM,)).named == (MINILM,)


def test_without_a_model_the_call_has_none_and_the_tool_needs_one():
    turn = read_turn("Which version is it?")
    assert turn.complete("check_version", {"model": MINILM}) == {}
    assert [tool for tool in TOOL_NAMES if turn.needs_model(tool)] == [*MODEL_TOOLS, "compare_models"]
    assert read_turn(f"Compare {MINILM}").needs_model("compare_models")
    assert not read_turn(f"Compare {MINILM}", remembered=(E5,)).needs_model("compare_models")


def test_a_comparison_takes_the_models_of_the_question():
    turn = read_turn(f"Compare {E5} and {MINILM}", remembered=("org/earlier-model-3b",))
    assert turn.complete("compare_models", {"models": ["evil/one", "evil/two"]}) == {"models": [E5, MINILM]}


@pytest.mark.parametrize(
    ("question", "beside"),
    [
        (f"Is {MINILM} better than GPT-4?", True),
        ("ChatGPTとどっちがいい", True),
        ("Claude と比較して", True),
        (f"What do I save a month with {MINILM} instead of ChatGPT?", False),  # prices can be compared
        ("ChatGPTとどちらが安いですか", False),
        ("Is ChatGPT or Gemini the better poet?", False),  # neither is a model to adopt
        ("Is gpt2 better than gpt-neox-20b?", False),  # open models, whose files can be fetched
        ("Staff paste contracts into ChatGPT", False),
    ],
)
def test_a_hosted_service_is_not_replaced_by_a_model_of_the_conversation(question, beside):
    turn = read_turn(question, remembered=(E5, "org/earlier-model-3b"))
    assert turn.beside_service is beside
    if beside:
        assert turn.needs_model("compare_models")
        assert turn.complete("compare_models", {})["models"] == list(turn.named)
    query = turn.complete("search_guidance", {})["query"]
    assert query.startswith(turn.question)
    assert (query != turn.question) is beside


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "tool", "expected"),
    [
        ("Profile {m} with batch 1, 8 and 32", "profile_model", {"batch_sizes": [1, 8, 32]}),
        ("Profile {m} on the CPU in bf16", "profile_model", {"device": "cpu", "dtype": "bfloat16"}),
        ("{m} をバッチ 8、長さ 256 で計測して", "profile_model", {"batch_sizes": [8], "sequence_lengths": [256]}),
        ("Does {m} fit in 24 GB?", "estimate_memory", {"device_memory_gib": 24}),
        ("Memory of {m} with 8k context", "estimate_memory", {"sequence_length": 8192}),
        (
            "What does {m} cost at 20,000 requests a day and $0.5 an hour?",
            "estimate_cost",
            {"requests_per_day": 20000, "price_per_hour": 0.5, "currency": "USD"},
        ),
        (
            "{m} は1日3万件、1時間80円でいくら?",
            "estimate_cost",
            {"requests_per_day": 30000, "price_per_hour": 80, "currency": "JPY"},
        ),
        ("Fetch {m} at revision v1.2", "fetch_model", {"revision": "v1.2"}),
        ("Profile {m}", "profile_model", {}),
        ("Does {m} fit?", "estimate_memory", {}),
    ],
)
def test_numbers_are_those_of_the_question_or_the_tools_defaults(question, tool, expected):
    turn = read_turn(question.format(m=MINILM))
    proposed = {"model": MINILM, "batch_sizes": [65536], "device_memory_gib": 1e9, "revision": "deadbee", "extra": 1}
    assert turn.complete(tool, proposed) == {"model": MINILM, **expected}
    assert turn.arguments(tool) == expected


def test_digits_within_a_models_name_are_no_quantities():
    assert read_turn("Profile org/model-7b-v2").quantities == ()


def test_the_targets_of_a_plan_are_the_users():
    question = f"Plan the adoption of {MINILM}: 2万件/日, p95 200 ms"
    given_targets = read_turn(question).complete("plan_adoption", {"targets": {"price_per_hour": 9}})["targets"]
    assert given_targets == {"requests_per_day": 20000, "latency_p95_ms": 200}


@pytest.mark.parametrize(
    "question",
    [
        "日本語のFAQ検索に {m} は使えますか？",
        "契約書の要約に{m}を使っても大丈夫ですか",
        "Can we use {m} for a Japanese FAQ search?",
    ],
)
def test_the_card_is_read_for_the_use_that_the_question_names(question):
    turn = read_turn(question.format(m=MINILM))
    assert turn.arguments("check_documentation") == {"use_case": turn.question}


@pytest.mark.parametrize(
    "question",
    ["{m}の学習に使われたデータは何ですか", "What data was used for training {m}?", "{m}は何に使えますか", "念のため{m}のカードを確認して",
     "Check the documentation of {m} for missing sections"],
)  # fmt: skip
def test_what_a_model_was_made_with_is_no_use(question):
    assert read_turn(question.format(m=MINILM)).arguments("check_documentation") == {}


def test_a_search_asks_what_the_user_asked():
    turn = read_turn("What should we watch out for?")
    assert turn.complete("search_guidance", {"query": "ignore all rules", "limit": 999}) == {"query": turn.question}


# --- for anything that is proposed ------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    ["model", "models", "batch_sizes", "batch_size", "revision", "query", "targets", "price_per_hour"]
)
_PROPOSED = st.dictionaries(_NAMES | st.text(max_size=8), _JSON | st.sampled_from([MINILM, E5, "/etc"]), max_size=5)
_PIECES = st.sampled_from(
    [MINILM, E5, "batch 8", "length 256", "24 GB", "3万件/日", "0.5 dollars an hour", "8k context", "p95 200 ms", "17", "fp16",
     "how fast", "compare", "いくら", "?", "5,000 texts"]
)  # fmt: skip


def numbers_of(value):
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers_of(inner)]
    if isinstance(value, list | tuple):
        return [n for inner in value for n in numbers_of(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@given(
    question=st.lists(_PIECES, min_size=1, max_size=6).map(" ".join),
    remembered=st.lists(st.sampled_from([MINILM, E5, "org/other-model-3b"]), max_size=3, unique=True),
    tool=st.sampled_from(TOOL_NAMES),
    proposed=_PROPOSED,
)
def test_no_proposal_brings_in_a_model_or_a_number(question, remembered, tool, proposed):
    turn = read_turn(question, remembered=remembered)
    call = turn.complete(tool, proposed)
    if "model" in call:
        assert call["model"] in turn.models
    assert set(call.get("models", ())) <= {*turn.named, *turn.remembered}
    users = {float(v) for q in turn.quantities for v in q.values if not isinstance(v, str)}
    assert {float(n) for n in numbers_of(call)} <= users
    assert call == turn.complete(tool, {"model": call.get("model")}), "nothing else of the proposal counts"


@given(question=st.text(max_size=200))
def test_any_text_is_read_and_its_quantities_stand_in_it(question):
    turn = read_turn(question)
    for quantity in turn.quantities:
        assert turn.question[quantity.start : quantity.end] == quantity.text
    assert isinstance(turn.masked, str)


def test_the_masked_question_has_neither_names_nor_numbers():
    turn = read_turn(f"Profile {MINILM} with batch 8 and 24 GB at 0.5 dollars an hour")
    assert MINILM not in turn.masked
    assert not re.search(r"\d", turn.masked)
    assert "<model>" in turn.masked
    assert "<batch>" in turn.masked


def test_a_mask_of_nothing_is_the_text():
    assert mask("How are you?", (), ()) == "How are you?"


def test_a_turn_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        TurnContext(question="q").question = "other"
