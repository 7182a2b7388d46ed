"""How long a reader waits for a guidance answer: until something shows, and until it is complete."""

from __future__ import annotations

import time
from typing import NamedTuple
from uuid import uuid4

from assistant.conversation import Assistant
from assistant.languages import language_of
from assistant.turn_events import ToolFinished, TurnFinished
from assistant.web.messages import TurnMessages
from tests.bench.home import BenchHome
from tests.bench.results import Result, quantile, quantiles, rounded

FIRST_VISIBLE_S = 0.3
COMPLETE_S = 1.5
ROUNDS = 6
QUESTIONS = {
    "en": (
        "What should a team that is new to AI watch out for when it reuses a pre-trained model?",
        "Why is downloading a model and using it as it is not enough?",
        "How do we write down the rules for rolling back a model update?",
        "General advice on running a proof of concept with a ready-made model, please.",
        "What do other companies monitor once a model is live?",
        "How should we explain to the board why we test small before we invest?",
        "What are the usual mistakes with licences of open models?",
    ),
    "ja": (
        "事前学習モデルを社内で使い始めるときの注意点を教えてください",
        "モデルを拾ってきて使うだけではなぜ不十分なのですか",
        "概念実証を進めるときの一般的なコツは何ですか",
        "運用を始めたあと、何を監視すればよいでしょうか",
        "モデルの版を固定するのはなぜ大事なのですか",
        "段階的に投資するべき理由を、上司に説明できるように教えてください",
        "社内で誰がモデルの責任者になるべきですか",
    ),
}


class TimedTurn(NamedTuple):
    """One question, timed."""

    language: str
    first_visible_s: float
    complete_s: float
    from_guidance: bool
    """Whether the guidance was searched and an answer given."""


def measure(home: BenchHome) -> list[Result]:
    """Time the questions on a warm assistant, each in a conversation of its own."""
    questions = [(language, text) for pair in zip(*QUESTIONS.values(), strict=True) for language, text in _named(pair)]
    with Assistant(home.settings) as assistant:
        assistant.warm_up()
        for language, text in questions[:2]:
            time_turn(assistant, text, language)
        rounds = 1 if home.quick else ROUNDS
        turns = [time_turn(assistant, text, language) for _ in range(rounds) for language, text in questions]
    answered = [turn for turn in turns if turn.from_guidance]
    conditions = (
        f"p95; {len(questions)} guidance questions, half of them Japanese, {rounds} rounds, each in a new conversation, "
        f"warm assistant with the pilot; {len(turns) - len(answered)} of {len(turns)} not answered from the guidance and "
        "left out"
    )
    return [
        _result("first_visible", "Question to first visible event", FIRST_VISIBLE_S, answered, conditions),
        _result("complete", "Question to complete guidance answer", COMPLETE_S, answered, conditions),
    ]


def time_turn(assistant: Assistant, question: str, language: str) -> TimedTurn:
    """Ask one question. Visible is what changes the page's messages: a planned tool alone does not."""
    shown = TurnMessages(language_of(question))
    nothing, first_s, kinds = shown.messages(), None, set()
    start = time.perf_counter()
    for event in assistant.stream(question, conversation=uuid4().hex, user="bench"):
        shown.add(event)
        if first_s is None and shown.messages() != nothing:
            first_s = time.perf_counter() - start
        kinds |= {type(event)}
        if isinstance(event, ToolFinished):
            kinds |= {event.name}
    complete_s = time.perf_counter() - start
    from_guidance = first_s is not None and {TurnFinished, "search_guidance"} <= kinds
    return TimedTurn(language, complete_s if first_s is None else first_s, complete_s, from_guidance)


def _named(pair: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(QUESTIONS, pair, strict=True))


def _result(name: str, title: str, goal: float, turns: list[TimedTurn], conditions: str) -> Result:
    seconds = [getattr(turn, f"{name}_s") for turn in turns]
    by_language = {
        language: rounded(
            quantile([s for s, turn in zip(seconds, turns, strict=True) if turn.language == language], 0.5)
        )
        for language in QUESTIONS
    }
    return Result(
        name=f"turns.{name}", title=title, value=rounded(quantile(seconds, 0.95)), unit="s", goal=goal, n=len(turns),
        spread=quantiles(seconds), detail={f"p50.{k}": v for k, v in by_language.items()}, conditions=conditions,
    )  # fmt: skip
