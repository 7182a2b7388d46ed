"""The pilot's prompt: similar example utterances as earlier turns, then the question, and a thought that names the route.

The same rendering serves training and use, so that what is retrieved reads exactly like the question itself: a user's
turn and the assistant's thought. The committed chat template writes it, and any transformers code can talk to the model.
"""

from __future__ import annotations

from collections.abc import Sequence

EXAMPLES_IN_PROMPT = 4
"""Retrieved examples in a prompt."""
EXAMPLE_CHARACTERS = 80
"""Longest part of an example that is shown."""
QUESTION_CHARACTERS = 400
"""Longest part of a question that the pilot reads: the head and the tail."""

Message = dict[str, str]


def routing_messages(masked_question: str, examples: Sequence[tuple[str, str]], last_tool: str) -> list[Message]:
    """Messages that ask the pilot for a route.

    Args:
        masked_question: The question with models and quantities masked.
        examples: Retrieved (masked utterance, routes joined by `+`) pairs, the most similar last.
        last_tool: Tool of the turn before, or empty.
    """
    messages: list[Message] = []
    for text, routes in examples:
        messages += [
            {"role": "user", "content": shorten(text, EXAMPLE_CHARACTERS)},
            {"role": "assistant", "content": f"<think>{thought(routes.split('+'))}"},
        ]
    return [*messages, {"role": "user", "content": after(last_tool, shorten(masked_question))}]


def lead_messages(masked_question: str, outcomes: Sequence[str]) -> list[Message]:
    """Messages that ask the pilot for the sentence that opens an answer, given `tool.outcome` words."""
    return [
        {"role": "user", "content": shorten(masked_question)},
        {"role": "tool", "content": "\n".join(outcomes)},
    ]


def thought(routes: Sequence[str]) -> str:
    """The thought that names these routes, without the mark that opens it."""
    return "".join(f"<|{route}|>" for route in routes) + "</think>"


def after(last_tool: str, text: str) -> str:
    """The text of a turn that follows a turn which used `last_tool`."""
    return f"after {last_tool}: {text}" if last_tool else text


def shorten(text: str, limit: int = QUESTION_CHARACTERS) -> str:
    """The head and the tail of a long text; people put the point in one of the two."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} … {text[-half:]}"
