"""What was decided about a model is told from the stored decisions."""

from __future__ import annotations

import json

import pytest

from assistant import Assistant, Settings
from tests.assistant.planned.stored import MINILM, close


def answer(home, question, user="local"):
    with Assistant(Settings(home=home, offline=True), llm=None) as assistant:
        return list(assistant.stream(question, user=user))[-1]


@pytest.mark.parametrize(
    ("question", "held", "because"),
    [
        (
            f"What did we decide about {MINILM} and why?",
            "Held: files safe to load: accepted [E",
            "because: we test them ourselves",
        ),
        (
            f"{MINILM} について何を決めましたか、なぜですか",
            "満たしていた条件:ファイルの安全性:問題なし [E",
            "理由:we test them ourselves",
        ),
    ],
)
def test_what_was_decided_is_answered_from_decisions(home, services, question, held, because):
    close(services, reason="we test them ourselves", note="worth *a* trial")
    finished = answer(home, question)
    for part in ("Sato", "[K1]", r"worth \*a\* trial", held, because):
        assert part in finished.answer
    cited = {citation.id for citation in finished.citations}
    assert {gate.evidence for gate in services.plans.decisions("local")[0].gates if gate.evidence} <= cited
    assert finished.unsupported_figures == ()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (f"What have we decided about {MINILM}?", "Nothing has been decided"),
        (f"{MINILM} について決めたことを教えて", "まだ何も決めていません"),
    ],
)
def test_nothing_decided_is_said_and_the_plan_named(home, question, said):
    finished = answer(home, question)
    assert said in finished.answer
    assert "[E" in finished.answer


def test_nobody_hears_of_another_user_s_decisions(home, services):
    close(services, reason="fine")
    assert "Nothing has been decided" in answer(home, f"What did we decide about {MINILM}?", user="mia").answer
    everything = answer(home, "What did we decide?").answer
    assert MINILM in everything
    assert "[K1]" in everything


def test_the_command_tells_the_same(tameshi, services):
    close(services, reason="fine")
    assert "[K1]" in tameshi("decisions", MINILM).stdout
    assert json.loads(tameshi("decisions", MINILM, "--json").stdout)[0]["id"] == "K1"
    assert "Nothing has been decided" in tameshi("decisions", "org/other").stdout
