"""The agent: LangChain's loop around an LLM and the tools, with what code holds fast around both."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
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
from langchain_core.messages import AIMessage, AnyMessage, SystemMessage, ToolCall
from langchain_core.messages.utils import count_tokens_approximately
from langgraph.config import get_stream_writer
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import get_runtime
from langgraph.types import interrupt

from assistant.agent_tools import langchain_tools
from assistant.briefing import outcome_of, text_for_llm
from assistant.evidence import Evidence
from assistant.held_answer import answer_open_calls, earlier_questions, hold_to_turn, since_question
from assistant.llm.pilot_chat import PilotChat
from assistant.llm.turn_schema import DEAR_TOOLS, TurnContext
from assistant.services import Services
from assistant.toolbox import CallScope, Toolbox, read_record
from assistant.turn_events import ToolFailed, ToolPlanned, ToolProgress, TurnEvent
from tools.errors import Cancelled, ToolError
from tools.fetch_preview import memory_of_run, preview_fetch
from tools.fetching import bytes_to_download
from tools.memory import estimate_memory

MODEL_CALLS_PER_TURN = 6
HISTORY_TOKENS = 6_000
"""Of conversations longer than this the LLM reads the earlier questions only, in tokens of its own tokenizer if here."""
STANDS_IN = "stands_in"
"""Marks, in a message's metadata, that the pilot gave it because the configured LLM did not."""
RETRY_AFTER_S = 0.2
"""Wait before the LLM is asked once more, in seconds."""


@dataclass(frozen=True)
class TurnScope:
    """What a turn carries through the graph beside the messages."""

    turn: TurnContext
    call: CallScope
    asked: dict[str, Any] | None = None
    """Name and arguments of the step whose consent was just answered, as JSON."""


class TurnMiddleware(AgentMiddleware[Any, TurnScope]):
    """Gives the LLM the turn's schema and retrieved examples, and holds its calls to the schema.

    Args:
        services: Where retrieved examples come from.
        stand_in: The pilot, where another LLM is configured: once it had to answer, it finishes the turn.
    """

    def __init__(self, services: Services, stand_in: PilotChat | None) -> None:
        super().__init__()
        self._services = services
        self._stand_in = stand_in

    def wrap_model_call(
        self, request: ModelRequest[TurnScope], handler: Callable[[ModelRequest[TurnScope]], ModelResponse]
    ) -> ModelResponse:
        """Narrow the request to the turn, and the answer to what the turn allows."""
        turn, call = request.runtime.context.turn, request.runtime.context.call
        if call.cancel.cancelled:
            return ModelResponse(result=[AIMessage("")])
        said = [m for m in since_question(request.messages) if isinstance(m, AIMessage)]
        request = request.override(messages=answer_open_calls(request.messages))
        if self._stand_in and any(m.response_metadata.get(STANDS_IN) for m in said):
            request = request.override(model=self._stand_in)
        if isinstance(request.model, PilotChat):
            request = request.override(model_settings={**request.model_settings, "turn": turn})
        else:
            request = request.override(system_message=self._instructions(turn))
        response = handler(request)
        made = [c for m in said for c in m.tool_calls]
        response.result = [
            self._held(m, request.model, turn, made) if isinstance(m, AIMessage) else m for m in response.result
        ]
        return response

    def _held(self, message: AIMessage, model: BaseChatModel, turn: TurnContext, made: list[ToolCall]) -> AIMessage:
        held = hold_to_turn(message, turn, made)
        if self._stand_in and isinstance(model, PilotChat):
            held.response_metadata = {**held.response_metadata, STANDS_IN: True}
        return held

    def _instructions(self, turn: TurnContext) -> SystemMessage:
        text = files("assistant").joinpath("instructions.md").read_text(encoding="utf-8")
        examples = "\n".join(f"- {said} => {route}" for said, route in self._services.route_model.retrieve(turn.masked))
        models = "\n".join(f"- {model}" for model in turn.models) or "- none named yet: ask which model is meant"
        return SystemMessage(
            f"{text}\n## Models of this turn\n{models}\n\n## Similar questions and their tools\n{examples}"
        )


def build_agent(
    llm: BaseChatModel, pilot: PilotChat, services: Services, checkpointer: Any, *, plan_only: bool = False
) -> CompiledStateGraph:
    """The agent's graph.

    Args:
        llm: The LLM that runs the conversation.
        pilot: Answers when `llm` does not.
        services: What the tools need.
        checkpointer: Keeps conversations between turns; None forgets them.
        plan_only: Stop before the tools.
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
        middleware += [
            SummarizationMiddleware(
                model=llm,
                trigger=("tokens", HISTORY_TOKENS),
                token_counter=token_counter(llm),
                summarizer=earlier_questions,
            ),
            ModelFallbackMiddleware(pilot),
            ModelRetryMiddleware(
                max_retries=1, retry_on=worth_retrying, on_failure="error", initial_delay=RETRY_AFTER_S, jitter=False
            ),
        ]
    middleware.append(TurnMiddleware(services, None if isinstance(llm, PilotChat) else pilot))
    return create_agent(
        llm,
        langchain_tools(run),
        middleware=middleware,
        checkpointer=checkpointer,
        context_schema=TurnScope,
        interrupt_before=["tools"] if plan_only else None,
    )


def token_counter(llm: BaseChatModel) -> Callable[[Any], int]:
    """Counts tokens with the LLM's own tokenizer, and approximately where there is none here."""

    def count(messages: Any) -> int:
        try:
            return llm.count_tokens(messages)  # type: ignore[attr-defined]  # of models in this process
        except Exception:  # noqa: BLE001 (a model that cannot be loaded is dealt with when it is asked)
            return count_tokens_approximately(messages)

    return count


def worth_retrying(error: Exception) -> bool:
    """Whether asking the LLM once more can help: a slow one would only double the wait."""
    return not isinstance(error, TimeoutError) and "Timeout" not in type(error).__name__


def run_in_step(
    name: str, proposed: dict[str, Any], scope: TurnScope, toolbox: Toolbox, services: Services
) -> tuple[str, Evidence | None]:
    """Run a tool within a step of the graph: consent first where it is dear, then the tool.

    Calls of one answer run in threads. Each waits for the one before it with its consent too: what that one finds out can
    make the consent needless, and the order of the calls is the user's.
    """
    write = get_stream_writer()

    def wait(before: int) -> None:
        write(ToolProgress(name=name, fraction=0, message=f"Waiting for other questions: {before} before this one"))

    try:
        with toolbox.one_at_a_time.alone(scope.call.cancel, wait):
            return _run_alone(name, proposed, scope, toolbox, services)
    except Cancelled as error:
        write(ToolFailed(name=name, message=error.message, next_step=error.next_step))
        return f"failed.failed {scope.turn.language}\n{error.message}", None


def _run_alone(
    name: str, proposed: dict[str, Any], scope: TurnScope, toolbox: Toolbox, services: Services
) -> tuple[str, Evidence | None]:
    write = get_stream_writer()
    arguments = scope.turn.complete(name, proposed)
    language = scope.turn.language
    reason = reason_for_consent(name, arguments, scope, toolbox, services)
    if reason and _has_stored_answer(name, arguments, scope, toolbox):
        reason = ""
    # The answer counts even where the reason is gone by now: what was rejected is not run.
    answered = scope.asked == json.loads(json.dumps({"name": name, "arguments": arguments}))
    if reason or answered:
        if not answered:
            scope.call.cancel.raise_if_cancelled()
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


def _has_stored_answer(name: str, arguments: dict[str, Any], scope: TurnScope, toolbox: Toolbox) -> bool:
    with suppress(ToolError):  # whatever is wrong with the model, the tool itself says it better
        return toolbox.reusable(name, arguments, scope.call.user) is not None
    return False


def reason_for_consent(
    name: str, arguments: dict[str, Any], scope: TurnScope, toolbox: Toolbox, services: Services
) -> str:
    """Why this call would need the user's consent first; empty when it does not."""
    measures_first = name == "estimate_cost" and not toolbox.evidence(
        "profile_model", arguments["model"], scope.call.user
    )
    runs = name in DEAR_TOOLS or measures_first
    if not runs and name != "fetch_model":
        return ""
    model, limit_gib = arguments["model"], services.settings.approve_above_gib
    # Whatever is wrong with the model, the tool itself says it better.
    with suppress(ToolError):
        sources = services.settings.sources
        download_gib = bytes_to_download(model, arguments.get("revision"), sources=sources) / 1024**3
        if download_gib > limit_gib:
            preview = preview_fetch(model, arguments.get("revision"), sources=sources)
            return (
                f"{model}: {download_gib:.1f} GiB are downloaded and kept on this disk, which has "
                f"{preview.disk_free_bytes / 1024**3:.1f} GiB free; {memory_of_run(preview)}; "
                f"the licence is {preview.licence or 'not stated'}. This can take long."
            )
    with suppress(ToolError):
        if runs and (weights_gib := _weights_gib(model, services)) > limit_gib:
            return f"{model}: {weights_gib:.1f} GiB of weights are loaded and run, which can take long."
    return ""


def _weights_gib(model: str, services: Services) -> float:
    forecast = estimate_memory(model, sources=services.settings.sources)
    return sum(term.mib for term in forecast.terms if term.name == "weights") / 1024


def planned_calls(planner: Any, scope: TurnScope, question: AnyMessage) -> tuple[AIMessage, list[ToolPlanned]]:
    """What the LLM would do with a question, without doing it.

    Args:
        planner: An agent that was built with `plan_only`.
        scope: The turn.
        question: The user's message.
    """
    answer = planner.invoke({"messages": [question]}, context=scope)["messages"][-1]
    return answer, [ToolPlanned(name=c["name"], arguments=c["args"]) for c in answer.tool_calls]
