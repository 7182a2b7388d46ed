"""The committed pilot: a real causal LM with a card, examples apart from the evaluation, and careful decisions."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from assistant.llm.example_utterances import ANSWERED, ROUTES, read_examples
from assistant.llm.pilot.evaluation import judge, plain_form, read_wordings, summarise
from assistant.llm.pilot_chat import SURE, SURE_OF_DEAR, WEIGHTS, choose
from assistant.llm.turn_schema import DEAR_TOOLS, TOOL_NAMES, read_turn

SETS = [Path(__file__).parent / name for name in ("routing", "routing_unseen")]
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def pilot():
    from assistant.llm.pilot_chat import PilotChat

    chat = PilotChat()
    chat.warm_up()
    return chat


def test_plain_transformers_loads_and_runs_it():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(WEIGHTS)
    model = AutoModelForCausalLM.from_pretrained(WEIGHTS)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Is <model> safe to open?"}], add_generation_prompt=True, tokenize=False
    )
    ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
    written = tokenizer.decode(model.generate(ids, max_new_tokens=60, do_sample=False)[0, ids.shape[1] :])
    assert written.startswith("<|inspect_files|></think>")


def test_it_is_small_and_its_own_tools_accept_it():
    from tools.documentation import check_documentation
    from tools.file_safety.inspection import inspect_files

    assert sum(f.stat().st_size for f in WEIGHTS.iterdir()) <= 20e6
    assert inspect_files(str(WEIGHTS)).verdict == "accept"
    card = check_documentation(str(WEIGHTS))
    assert card.licence.spdx == "Apache-2.0"
    assert card.score >= 0.8
    assert not [c for c in card.claims if c.verdict == "contradicted"]


def test_every_example_has_its_vector_beside_the_pilot():
    from assistant.llm.pilot.corpus import masked_text
    from assistant.llm.route_views import EXAMPLE_VECTORS, minilm_folder
    from knowledge.embedding import DIMENSIONS, Embedder
    from knowledge.shipped_vectors import embed_texts

    class OnlyHash(Embedder):
        def embed(self, texts):
            raise AssertionError(f"{len(texts)} examples have none: python -m assistant.llm.pilot.training --refit")

    texts = [masked_text(e) for e in read_examples()]
    vectors = embed_texts(texts, OnlyHash(minilm_folder()), WEIGHTS / EXAMPLE_VECTORS)
    assert vectors.shape == (len(texts), DIMENSIONS)


def test_the_card_states_the_recorded_figures():
    card = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    assert "{{" not in card
    for name, found in json.loads((WEIGHTS / "evaluation.json").read_text(encoding="utf-8")).items():
        assert f"{name} ({found['wordings']} wordings)" in card
        for kind in ("plain", "indirect"):
            assert f"{found['right'][kind]:.1%}" in card


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_tool_has_a_hundred_examples(language):
    examples = [e for e in read_examples() if e.language == language]
    for route in ROUTES:
        assert sum(e.routes == (route,) for e in examples) >= 100, route


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_the_evaluation_has_enough_of_each_kind_and_nothing_that_was_learnt(folder):
    wordings = read_wordings(folder)
    learnt = {plain_form(e.text) for e in read_examples()}
    assert not [e.text for e, _ in wordings if plain_form(e.text) in learnt]
    for language in ("en", "ja"):
        own = [(e, indirect) for e, indirect in wordings if e.language == language]
        least = 30 if folder.name == "routing" else 20
        for tool in TOOL_NAMES:
            kinds = [indirect for e, indirect in own if e.routes == (tool,)]
            assert len(kinds) >= least, (tool, language)
            assert 0.4 <= sum(kinds) / len(kinds) <= 0.6, (tool, language)


def test_the_committed_pilot_reads_as_its_card_says(pilot):
    # A sample that differs with every change of the pilot, against the recorded share less what chance explains.
    recorded = json.loads((WEIGHTS / "evaluation.json").read_text(encoding="utf-8"))
    for folder in SETS:
        wordings = random.Random(WEIGHTS.joinpath("training.json").read_bytes()).sample(read_wordings(folder), 60)
        found = summarise(judge(pilot, wordings))
        for kind in ("plain", "indirect"):
            share, count = recorded[folder.name]["right"][kind], sum(i == (kind == "indirect") for _, i in wordings)
            assert found["right"][kind] >= share - 3.3 * math.sqrt(share * (1 - share) / count) - 1 / count


@pytest.mark.parametrize("dear", sorted(DEAR_TOOLS))
def test_a_dear_tool_is_never_started_on_a_guess(dear):
    almost = SURE_OF_DEAR - 0.01
    assert choose(((dear, almost), ("talk", 1 - almost), ("ask_user", 0.0))) == "ask_user"
    assert choose(((dear, SURE_OF_DEAR), ("talk", 1 - SURE_OF_DEAR), ("ask_user", 0.0))) == dear


def test_unsure_it_asks_back():
    low = SURE - 0.01
    assert choose((("check_version", low), ("check_documentation", low), ("talk", 0.02))) == "ask_user"
    assert choose((("check_version", SURE), ("check_documentation", 0.3), ("talk", 0.02))) == "check_version"


def test_a_question_back_offers_two_readings(pilot):
    route = pilot.decide(read_turn("hmm, that thing", remembered=(MINILM,)))
    assert len(route.readings) >= 2
    assert route.readings[0][1] >= route.readings[1][1]


@pytest.mark.parametrize(
    ("question", "tools"),
    [
        (f"Is {MINILM} safe to open?", ("inspect_files",)),
        (f"{MINILM} のライセンスは商用で使えますか", ("check_documentation",)),
        (f"Measure the speed of {MINILM} on this machine.", ("profile_model",)),
        (f"{MINILM} を取ってきてください", ("fetch_model",)),
        (f"{MINILM} の版と文書を確認して", ("check_version", "check_documentation")),
        (
            f"Profile {MINILM} with batch 1, 8 and 32, then tell me if 2 GB of memory is enough.",
            ("profile_model", "estimate_memory"),
        ),
        ("What should a team agree on before it uses a pre-trained model?", ("search_guidance",)),
        ("明日の天気は？", ("off_topic",)),
        ("Hello!", ("talk",)),
    ],
)
def test_plain_questions_take_their_tools(pilot, question, tools):
    assert pilot.decide(read_turn(question)).routes == tools


@pytest.mark.parametrize("question", ["Is {m} better than GPT-4?", "Compare it with ChatGPT", "ChatGPTとどっちがいい"])
def test_how_to_judge_a_model_beside_a_hosted_service_is_guidance(pilot, question):
    turn = read_turn(question.format(m=MINILM), remembered=(MINILM, "intfloat/multilingual-e5-small"))
    assert pilot.decide(turn).routes == ("search_guidance",)


def test_calls_name_only_models_and_numbers_of_the_question(pilot):
    from langchain_core.messages import HumanMessage

    turn = read_turn(f"Measure {MINILM} at batch 4.")
    message = pilot.invoke([HumanMessage(turn.question)], turn=turn)
    assert [(c["name"], c["args"]) for c in message.tool_calls] == [
        ("profile_model", {"model": MINILM, "batch_sizes": [4]})
    ]


@pytest.mark.parametrize("route", ANSWERED)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_needs_no_tool_has_a_sentence_in_both_languages(route, language):
    from assistant.llm.pilot.corpus import read_leads

    assert read_leads()[f"{route}.{route}"][language]


def test_a_lead_is_one_of_the_known_sentences_in_the_language_asked(pilot):
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    from assistant.llm.pilot.corpus import read_leads

    call = {"name": "inspect_files", "args": {"model": "/models/x"}, "id": "1"}
    for language in ("en", "ja"):
        lead = pilot.invoke(
            [
                HumanMessage("/models/x は安全ですか"),
                AIMessage("", tool_calls=[call]),
                ToolMessage(f"inspect_files.refuse {language}\n[E1] …", tool_call_id="1"),
            ]
        )
        assert lead.content in read_leads()["inspect_files.refuse"][language]


@pytest.mark.parametrize(
    ("said", "kind", "language"),
    [("お前は役立たずだ", "talk", "ja"), ("you are useless", "talk", "en"), ("ありがとう", "thanks", "ja"), ("hello", "greeting", "en")],
)  # fmt: skip
def test_what_is_said_before_small_talk_fits_it(pilot, said, kind, language):
    from langchain_core.messages import HumanMessage

    from assistant.llm.pilot.corpus import read_leads

    assert pilot.invoke([HumanMessage(said)]).content in read_leads()[f"talk.{kind}"][language]
