"""Whole conversations on the real pilot, the real index and the real model: what a manager and an engineer would see."""

from __future__ import annotations

import pickle
import re

import pytest

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory, guidance_index):
    """The assistant as it is installed, without a hub, over the guidance index that all tests share."""
    from assistant import Assistant, Settings

    home = tmp_path_factory.mktemp("home")
    (home / "index").symlink_to(guidance_index)
    with Assistant(Settings(home=home, offline=True)) as assistant:
        yield assistant


@pytest.fixture
def ask(assistant, request):
    """The function that asks within the test's own conversation and returns (events, last event)."""

    def ask(question, user="local"):
        events = list(assistant.stream(question, conversation=request.node.name, user=user))
        return events, events[-1]

    return ask


def tools_of(events):
    return [event.name for event in events if event.kind == "tool_finished"]


def record_of(events, tool):
    return next(event.record for event in events if event.kind == "tool_finished" and event.name == tool)


def points_of(answer):
    return re.findall(r"^\d\. .+", answer, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("worry", "in_short", "phrases", "yes", "next_step"),
    [
        (
            "部下から事前学習モデルを使えば効率化できると言われています。拾ってきて使えばいいだけではないのですか",
            "要するに小さく試してから段階的に投資するということですか",
            "現場に説明する短い言い方をください",
            "はい、要するに",
            "**次の一歩**",
        ),
        (
            "My team says a pre-trained model would make us more efficient. Can't we just download one and use it?",
            "So we try it small and then invest in stages?",
            "Give me a short way to explain this to the people on the floor",
            "Yes, in short",
            "**Next step:**",
        ),
    ],
)
def test_a_managers_first_worry(ask, worry, in_short, phrases, yes, next_step):
    events, answer = ask(worry)
    assert tools_of(events) == ["search_guidance"]
    assert len(points_of(answer.answer)) == 3
    assert all(re.search(r"\[G\d+\]$", point) for point in points_of(answer.answer))
    assert next_step in answer.answer
    assert {c.id for c in answer.citations} >= {"G01"}

    _, answer = ask(in_short)
    assert yes in answer.answer
    assert "[G02]" in answer.answer

    _, answer = ask(phrases)
    assert len(points_of(answer.answer)) == 3
    assert answer.citations[0].id == "G03"


def test_measured_and_enough(ask, assistant):
    events, answer = ask(f"Profile {MINILM} with batch 1, 8 and 32, then tell me if 2 GB of memory is enough.")
    assert {"profile_model", "estimate_memory"} <= set(tools_of(events))
    profile, forecast = record_of(events, "profile_model"), record_of(events, "estimate_memory")
    assert [run.batch_size for run in profile.runs] == [1, 8, 32]
    assert forecast.device_memory_gib == 2
    assert answer.answer.count("Yes, with room") == 1
    ids = {event.evidence_id for event in events if event.kind == "tool_finished"}
    assert all(f"[{id}]" in answer.answer for id in ids)
    assert f"{profile.peak_memory_mib:,.0f} MiB" in answer.answer
    assert f"{profile.forecast_total_mib:,.0f} MiB" in answer.answer
    for run in profile.runs:
        assert re.search(rf"\| {run.batch_size} \| 128 \| .*{run.peak_memory_mib:,.1f}", answer.answer)
    assert answer.unsupported_figures == ()
    assert any(event.kind == "tool_progress" for event in events)

    events, answer = ask("We want it for FAQ search. Plan the adoption, 20,000 questions a day, 0.5 dollars an hour.")
    assert tools_of(events)[-1] == "plan_adoption"
    assert "profile_model" not in tools_of(events), "what was measured before is not measured again"
    plan = record_of(events, "plan_adoption")
    assert [stage.name for stage in plan.stages] == ["desk_check", "proof_of_concept", "pilot", "production"]
    known = {e.id for e in assistant.services.store.find(user="local")}
    for gate in (gate for stage in plan.stages for gate in stage.gates):
        assert gate.evidence in known or gate.state == "missing"
    cost = record_of(events, "estimate_cost")
    assert (cost.requests_per_day, cost.price_per_hour, cost.currency) == (20_000, 0.5, "USD")
    assert "Not checked" in answer.answer


def test_version_and_documentation_in_japanese(ask):
    events, answer = ask(f"{MINILM} の版と文書を確認して")
    assert set(tools_of(events)) >= {"check_version", "check_documentation"}
    commit = record_of(events, "check_version").commit
    assert commit[:12] in answer.answer
    card = record_of(events, "check_documentation")
    missing = [section.name for section in card.sections if section.state == "missing"]
    assert missing
    assert "欠けている項目" in answer.answer
    assert re.search(r"行目\):「.+」", answer.answer), "lines of the card are quoted"


def test_a_model_that_does_not_exist(ask):
    events, answer = ask("nobody-here/no-such-model のメモリを見積もって")
    assert [event.kind for event in events if event.kind == "tool_failed"] == ["tool_failed"]
    assert "nobody-here/no-such-model" in answer.answer
    assert "次の一歩" in answer.answer


def test_T01_a_folder_with_nothing_but_a_pickle(ask, tmp_path):
    folder = tmp_path / "legacy"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"weight": [1.0]}, file)
    events, answer = ask(f"{folder} をプロファイルして")
    assert not [event for event in events if event.kind == "tool_finished" and event.name == "profile_model"]
    assert "pytorch_model.bin" in answer.answer
    assert "T01" in answer.answer
    assert "次の一歩" in answer.answer


@pytest.mark.parametrize("question", ["What will the weather be tomorrow?", "明日の天気はどうですか"])
def test_a_question_about_the_weather(ask, question):
    events, answer = ask(question)
    assert answer.kind == "turn_finished"
    assert tools_of(events) in ([], ["search_guidance"])
    assert not answer.citations
    assert answer.answer


@pytest.mark.parametrize("question", ["", "   \n", "\u200b"])
def test_an_empty_message(ask, question):
    _, answer = ask(question)
    assert answer.kind == "turn_failed"
    assert answer.message
    assert answer.next_step


def test_a_follow_up_keeps_what_it_does_not_change(ask):
    ask(f"How much memory does {MINILM} need with batch 8 and 64 tokens?")
    for question, batch, dtype in (("and in bfloat16?", 8, "bfloat16"), ("では16件では？", 16, "bfloat16")):
        events, _ = ask(question)
        forecast = record_of(events, "estimate_memory")
        assert tools_of(events) == ["estimate_memory"]
        assert (forecast.batch_size, forecast.sequence_length, forecast.dtype) == (batch, 64, dtype)


def test_a_mark_alone_is_answered_in_the_language_spoken_before(ask):
    ask("モデルのバージョンを固定しないとどうなりますか")
    _, answer = ask("？")
    assert not re.search(r"[a-z]{3} [a-z]{2}", answer.answer)


def test_a_follow_up_keeps_the_model(ask):
    ask(f"How much memory does {MINILM} need?")
    events, _ = ask("and at batch 64?")
    forecast = record_of(events, "estimate_memory")
    assert (forecast.model, forecast.batch_size) == (MINILM, 64)
