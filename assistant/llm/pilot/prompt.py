"""The pilot's prompt: retrieved examples, the masked question, and one word of thought that names the route.

The same rendering serves training and use. The format is Qwen's chat format, which the committed chat template writes as
well, so that any transformers code can talk to the model.
"""

from __future__ import annotations

from collections.abc import Sequence

EXAMPLES_IN_PROMPT = 4
"""Retrieved examples in a prompt."""
EXAMPLE_CHARACTERS = 90
"""Longest part of an example that is shown."""
QUESTION_CHARACTERS = 400
"""Longest part of a question that the pilot reads: the head and the tail."""


def routing_messages(masked_question: str, examples: Sequence[tuple[str, str]], last_tool: str) -> list[dict[str, str]]:
    """Messages that ask the pilot for a route.

    Args:
        masked_question: The question with models and quantities masked.
        examples: Retrieved (masked utterance, route) pairs, the most similar last.
        last_tool: Tool of the turn before, or empty.
    """
    lines = [f"{text[:EXAMPLE_CHARACTERS]} => {route}" for text, route in examples]
    lines.append(f"last: {last_tool or 'none'}")
    return [
        {"role": "system", "content": "\n".join(lines)},
        {"role": "user", "content": shorten(masked_question)},
    ]


def lead_messages(masked_question: str, outcomes: Sequence[str]) -> list[dict[str, str]]:
    """Messages that ask the pilot for the sentence that opens an answer, given `tool.outcome` words."""
    return [
        {"role": "user", "content": shorten(masked_question)},
        {"role": "tool", "content": "\n".join(outcomes)},
    ]


def shorten(text: str) -> str:
    """The head and the tail of a long text; people put the point in one of the two."""
    if len(text) <= QUESTION_CHARACTERS:
        return text
    half = QUESTION_CHARACTERS // 2
    return f"{text[:half]} … {text[-half:]}"
