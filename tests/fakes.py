"""Stand-ins for chat models, which are slow and cannot be told what to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from assistant.llm.pilot_chat import PilotChat

Step = AIMessage | Exception | Callable[[list[BaseMessage]], AIMessage]


class ScriptedChat(BaseChatModel):
    """Goes through a script: a message is given, an exception raised, a function asked; the last step stays for ever."""

    script: list[Any]
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    """What it was given at each step."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_options: Any) -> Any:
        return self

    def _generate(self, messages, stop=None, run_manager=None, **_options: Any) -> ChatResult:
        step: Step = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(list(messages))
        if isinstance(step, Exception):
            raise step
        message = step(messages) if callable(step) else step.model_copy()
        return ChatResult(generations=[ChatGeneration(message=message)])


class StandIn(PilotChat):
    """A pilot that needs no weights: it looks the version up where a model was named, and says that it stood in."""

    def _generate(self, messages, stop=None, run_manager=None, **options: Any) -> ChatResult:
        looks = options["turn"].models and not isinstance(messages[-1], ToolMessage)
        message = call(("check_version", {})) if looks else AIMessage("I stand in.")
        return ChatResult(generations=[ChatGeneration(message=message)])


def call(*calls: tuple[str, dict[str, Any]], words: str = "") -> AIMessage:
    """A message with tool calls."""
    listed = [{"name": name, "args": args, "id": f"c{i}"} for i, (name, args) in enumerate(calls)]
    return AIMessage(content=words, tool_calls=listed)
