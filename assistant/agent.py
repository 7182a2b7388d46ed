"""The agent: LangChain's loop around an LLM and the tools, with what code holds fast around both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRequest,
    ModelResponse,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    ToolCallLimitMiddleware,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage, ToolCall
from langgraph.config import get_stream_writer
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import get_runtime
from langgraph.types import interrupt

from assistant.briefing import outcome_of, text_for_llm
from assistant.evidence import Evidence
from assistant.languages import language_of
from assistant.llm.pilot_chat import PilotChat
from assistant.llm.turn_schema import TurnContext
from assistant.services import Services
from assistant.toolbox import RECORDS, CallScope, Toolbox, langchain_tools, read_record
from assistant.turn_events import ToolFailed, ToolPlanned, TurnEvent
from tools.errors import ToolError
from tools.memory import estimate_memory

MODEL_CALLS_PER_TURN = 6
HISTORY_TOKENS = 6_000
"""Conversations longer than this are summarised for the LLM, in tokens of its own tokenizer."""


@dataclass(frozen=True)
class TurnScope:
    """What a turn carries through the graph beside the messages."""

    turn: TurnContext
    call: CallScope


class TurnMiddleware(AgentMiddleware[Any, TurnScope]):
    """Gives the LLM the turn's schema and retrieved examples, and holds its calls to the schema.

    Args:
        services: Where retrieved examples come from.
    """

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def wrap_model_call(
        self, request: ModelRequest[TurnScope], handler: Callable[[ModelRequest[TurnScope]], ModelResponse]
    ) -> ModelResponse:
        """Narrow the request to the turn, and the answer to what the turn allows."""
        turn = request.runtime.context.turn
        if isinstance(request.model, PilotChat):
            request = request.override(model_settings={**request.model_settings, "turn": turn})
        else:
            request = request.override(system_message=self._instructions(turn))
        response = handler(request)
        response.result = [hold_to_turn(m, turn) if isinstance(m, AIMessage) else m for m in response.result]
        return response

    def _instructions(self, turn: TurnContext) -> SystemMessage:
        text = files("assistant").joinpath("instructions.md").read_text(encoding="utf-8")
        examples = "\n".join(f"- {said} => {route}" for said, route in self._services.route_model.retrieve(turn.masked))
        models = "\n".join(f"- {model}" for model in turn.models) or "- none named yet: ask which model is meant"
        return SystemMessage(
            f"{text}\n## Models of this turn\n{models}\n\n## Similar questions and their tools\n{examples}"
        )


def hold_to_turn(message: AIMessage, turn: TurnContext) -> AIMessage:
    """The LLM's message with its calls held to the turn: known tools, models and numbers of the user's own words."""
    calls = [c for c in message.tool_calls if c["name"] in RECORDS]
    homeless = next((c["name"] for c in calls if turn.needs_model(c["name"])), None)
    if homeless is not None:
        return AIMessage(content="", id=message.id, additional_kwargs={"ask_model_for": homeless})
    held = [
        ToolCall(name=c["name"], args=turn.complete(c["name"], c["args"]), id=c["id"], type="tool_call") for c in calls
    ]
    return message.model_copy(update={"tool_calls": held, "invalid_tool_calls": []})


def build_agent(llm: BaseChatModel, pilot: PilotChat, services: Services, checkpointer: Any) -> CompiledStateGraph:
    """The agent's graph.

    Args:
        llm: The LLM that runs the conversation.
        pilot: Answers when `llm` does not.
        services: What the tools need.
        checkpointer: Keeps conversations between turns.
    """
    toolbox = Toolbox(services)

    def run(name: str, _proposed: dict[str, Any]) -> tuple[str, Evidence | None]:
        scope: TurnScope = get_runtime(TurnScope).context
        return run_in_step(name, _proposed, scope, toolbox, services)

    middleware: list[AgentMiddleware[Any, Any]] = [
        ModelCallLimitMiddleware(run_limit=MODEL_CALLS_PER_TURN, exit_behavior="end"),
        ToolCallLimitMiddleware(run_limit=services.settings.tool_calls_per_turn, exit_behavior="end"),
    ]
    if not isinstance(llm, PilotChat):
        counter = getattr(llm, "count_tokens", None) or (lambda messages: sum(len(str(m.content)) for m in messages))
        middleware += [
            SummarizationMiddleware(model=llm, trigger=("tokens", HISTORY_TOKENS), token_counter=counter),
            ModelFallbackMiddleware(pilot),
            ModelRetryMiddleware(max_retries=1, on_failure="error"),
        ]
    middleware.append(TurnMiddleware(services))
    return create_agent(
        llm,
        langchain_tools(run),
        middleware=middleware,
        checkpointer=checkpointer,
        context_schema=TurnScope,
    )


def run_in_step(
    name: str, proposed: dict[str, Any], scope: TurnScope, toolbox: Toolbox, services: Services
) -> tuple[str, Evidence | None]:
    """Run a tool within a step of the graph: consent first where it is dear, then the tool."""
    write = get_stream_writer()
    arguments = scope.turn.complete(name, proposed)
    language = language_of(scope.turn.question)
    reason = reason_for_consent(name, arguments, services)
    if reason:
        decision = interrupt({"name": name, "arguments": arguments, "reason": reason})
        if decision != "approve":
            declined = ToolFailed(
                name=name, message="The step was not approved.", next_step="Ask again when you want it to run."
            )
            write(declined)
            return f"failed.failed {language}\n{declined.message}", None
    failures: list[str] = []

    def emit(event: TurnEvent) -> None:
        if isinstance(event, ToolFailed):
            failures.append(f"{event.message} {event.next_step}")
        write(event)

    evidence = toolbox.run(name, arguments, scope.call, emit)
    if evidence is None:
        return f"failed.failed {language}\n{' '.join(failures)}", None
    record = read_record(evidence)
    return f"{outcome_of(name, record)} {language}\n[{evidence.id}] {text_for_llm(record)}", evidence


def reason_for_consent(name: str, arguments: dict[str, Any], services: Services) -> str:
    """Why this call needs the user's consent first; empty when it does not."""
    if name not in {"profile_model", "observe_behavior", "plan_adoption"}:
        return ""
    try:
        forecast = estimate_memory(arguments["model"], sources=services.settings.sources)
    except ToolError:
        # Whatever is wrong with the model, the tool itself says it better.
        return ""
    weights_gib = sum(t.mib for t in forecast.terms if t.name == "weights") / 1024
    if weights_gib <= services.settings.approve_above_gib:
        return ""
    return f"{arguments['model']}: {weights_gib:.1f} GiB of weights are loaded and run, which can take long."


def planned_calls(llm: BaseChatModel, turn: TurnContext, message: Any) -> tuple[AIMessage, list[ToolPlanned]]:
    """What the LLM would do with a question, without doing it."""
    options = {"turn": turn} if isinstance(llm, PilotChat) else {}
    tools = langchain_tools(lambda _name, _arguments: ("", None))
    answer = hold_to_turn(llm.bind_tools(tools, **options).invoke([message]), turn)
    return answer, [ToolPlanned(name=c["name"], arguments=c["args"]) for c in answer.tool_calls]
