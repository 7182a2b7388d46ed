"""Tool calls in a language model's text: finding them, and telling whole ones from broken ones.

Qwen, Hermes and many others write `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`; a server without the right
parser leaves that text in the answer.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall

_CALL = re.compile(r"<tool_call>\s*(?P<body>.*?)\s*(?:</tool_call>|$)", re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?(?:</think>\s*|\Z)", re.DOTALL)


def parse_answer(text: str) -> AIMessage:
    """The message that a model's text amounts to: thoughts removed, calls parsed, malformed calls kept as invalid."""
    text = _THOUGHT.sub("", text)
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for match in _CALL.finditer(text):
        try:
            name, arguments = _read_call(match["body"])
        except ValueError as error:
            invalid.append(
                InvalidToolCall(
                    name=None, args=match["body"][:2000], id=_new_id(), error=str(error), type="invalid_tool_call"
                )
            )
        else:
            calls.append(ToolCall(name=name, args=arguments, id=_new_id(), type="tool_call"))
    return AIMessage(content=_CALL.sub("", text).strip(), tool_calls=calls, invalid_tool_calls=invalid)


def _read_call(body: str) -> tuple[str, dict[str, Any]]:
    call = json.loads(body)
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise ValueError("a tool call needs a name")  # noqa: TRY004 (a malformed text, not a wrong type of ours)
    arguments = call.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError("arguments must be an object")  # noqa: TRY004
    return call["name"], arguments


def _new_id() -> str:
    return f"call_{uuid4().hex[:12]}"
