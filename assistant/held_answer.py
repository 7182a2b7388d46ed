"""What of an LLM's message is let through: known tools with the user's own models and numbers, and words that can be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage

from assistant.llm.tool_call_text import parse_answer
from assistant.llm.turn_schema import TurnContext
from assistant.question import readable
from assistant.tool_catalogue import RECORDS

LONGEST_WORDS = 4_000
"""Characters of an LLM's words that are read; it is asked for three sentences."""
_QUESTION = re.compile(r"[?？]\s*$|(?:か|かな|かしら)[。.!！]?\s*$")
_CERTAIN = re.compile(
    r"\b(?:its?|this|that|these|those|they|them|their|the model)\b|[そこあ]の|[そこあ]れ|こちら|そちら", re.IGNORECASE
)
_PLAN = re.compile(
    r"\b(?:re-?)?plan|\b(?:stages?|roadmap|verdict|go\s+ahead)\b|計画|プラン|段階|導入|判断|進めて", re.IGNORECASE
)
_ORDER = re.compile(
    r"\b(?:costs?|pay|expensive|cheap(?:er)?|how\s+much|check|profile|measure|time|fetch|download|inspect|compare|forecast|estimate|observe|test)\b"
    r"|費用|いくら|料金|コスト|安く|高く|確認|確かめ|計測|実測|測|比較|比べ|取得|調べ|予測|見積|試し",
    re.IGNORECASE,
)
"""Words that ask for something else than a plan."""
_OF_PLANS_ONLY = frozenset({"budget_per_month", "deadline", "data_class"})
LONGEST_MEMORY = 4_000
"""Characters of earlier questions that are remembered; the latest stay."""


class UnusableAnswer(Exception):
    """The LLM's message has neither words nor a call that can be made."""


def hold_to_turn(message: AIMessage, turn: TurnContext, made: Sequence[ToolCall] = ()) -> AIMessage:
    """The LLM's message with its calls held to the turn, and nothing else that it came with.

    Args:
        message: As the LLM gave it; calls that a server left in the text are found.
        turn: The question.
        made: Calls made in this turn already; they are not made again.

    Raises:
        UnusableAnswer: Nothing of it can be shown or run, and nothing was run before.
    """
    words = str(message.text)[: 4 * LONGEST_WORDS]
    read = message
    if not message.tool_calls and ("<tool_call>" in words or "<think>" in words):
        read = parse_answer(words)
        words = str(read.content)
    calls = [c for c in read.tool_calls if c["name"] in RECORDS]
    homeless = next((c["name"] for c in calls if turn.needs_model(c["name"])), None)
    if homeless is not None and not asks_in_general(turn.question):
        return AIMessage(content="", additional_kwargs={"ask_model_for": homeless})
    if homeless is not None:
        calls = [ToolCall(name="search_guidance", args={}, id=None, type="tool_call")]
    if _tells_plan(turn, [c["name"] for c in calls]):
        calls = [] if made else [ToolCall(name="plan_adoption", args={}, id=None, type="tool_call")]
    elif _asks_about_plan(turn):
        calls = [ToolCall(**{**c, "name": "search_guidance"}) if c["name"] == "plan_adoption" else c for c in calls]
    if any(c["name"] == "plan_adoption" for c in calls):
        # A plan works out its own budget, and asks for the price where it is missing.
        calls = [c for c in calls if c["name"] != "estimate_cost"]
    held = _distinct([(c["name"], turn.complete(c["name"], c["args"])) for c in calls], made)
    words = readable(words)[:LONGEST_WORDS]
    attempted = bool(read.tool_calls or read.invalid_tool_calls)
    if not held and not made and (attempted or not words):
        raise UnusableAnswer("neither words nor a call that can be made")
    return AIMessage(content=words, tool_calls=held, response_metadata=message.response_metadata)


def since_question(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    """The messages after the last question."""
    asked = [i for i, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return messages[asked[-1] + 1 :] if asked else messages


def answer_open_calls(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages with a result behind every call: a turn that was left half way has calls without one."""
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    whole: list[AnyMessage] = []
    for message in messages:
        whole.append(message)
        if isinstance(message, AIMessage):
            whole += [
                ToolMessage("This step was not run.", tool_call_id=c["id"] or "", name=c["name"])
                for c in message.tool_calls
                if c["id"] not in answered
            ]
    return whole


def earlier_questions(messages: Sequence[AnyMessage]) -> str:
    """What is remembered of a long conversation: the user's own words, nothing that a card or document said."""
    return "\n".join(_asked(m) for m in messages if isinstance(m, HumanMessage))[-LONGEST_MEMORY:]


def asks_in_general(question: str) -> bool:
    """Whether it is a question about any model, which guidance can answer, and not an order or one about a certain thing."""
    return bool(_QUESTION.search(question.strip())) and not _CERTAIN.search(question)


def _tells_plan(turn: TurnContext, proposed: Sequence[str]) -> bool:
    """Whether a message tells a plan what it asked for, or what only a plan has a use for, and asks for nothing itself."""
    targets = turn.arguments("plan_adoption").get("targets", {})
    asks = _ORDER.search(turn.question) or _QUESTION.search(turn.question.strip())
    if not targets or asks or turn.named or turn.needs_model("plan_adoption"):
        return False
    return turn.last_tool == "plan_adoption" or bool(
        _OF_PLANS_ONLY & targets.keys() and {"estimate_cost"}.issuperset(proposed)
    )


def _asks_about_plan(turn: TurnContext) -> bool:
    """Whether a question goes on about the plan that was just shown, and brings nothing that would change it."""
    changes = turn.named or turn.arguments("plan_adoption") or _PLAN.search(turn.question)
    return turn.last_tool == "plan_adoption" and not changes


def _asked(message: HumanMessage) -> str:
    # An earlier summary stands below a heading.
    earlier = message.additional_kwargs.get("lc_source") == "summarization"
    return str(message.content).partition("\n\n")[2] if earlier else str(message.content)


def _distinct(calls: Sequence[tuple[str, dict[str, Any]]], made: Sequence[ToolCall]) -> list[ToolCall]:
    known = [(c["name"], c["args"]) for c in made]
    held: list[ToolCall] = []
    for name, arguments in calls:
        if (name, arguments) not in known:
            known.append((name, arguments))
            # Ids are our own: a server may give none, or the same one twice.
            held.append(ToolCall(name=name, args=arguments, id=f"call_{uuid4().hex[:12]}", type="tool_call"))
    return held
