"""The assistant: a question goes in, turn events come out, and everything is remembered for the next turn."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from assistant.agent import STANDS_IN, TurnScope, build_agent, planned_calls
from assistant.briefing import Audience, compose
from assistant.decided import StoredAnswer, answer_decisions, asks_decisions
from assistant.evidence import PendingConsent, Turn
from assistant.explained import answer_about_last, ask_which_list
from assistant.follow_ups import last_told
from assistant.grounding import check_text, figures_of, quoted_figures
from assistant.languages import Language, language_of
from assistant.llm.connect import connect_llm
from assistant.llm.pilot_chat import PilotChat
from assistant.llm.reading_variations import VARIABLE_TOOLS, LastCall
from assistant.llm.turn_schema import TurnContext, read_turn
from assistant.meeting import answer_for_meeting, asks_for_sentences
from assistant.phrases import say
from assistant.question import clean_question
from assistant.recall import Recall
from assistant.rendering.results import TurnResult
from assistant.running_turn import RunningTurn
from assistant.services import Services
from assistant.settings import Settings
from assistant.stage_question import answer_stage
from assistant.toolbox import CallScope
from assistant.translation import translate
from assistant.turn_events import (
    AnswerText,
    ApprovalNeeded,
    ToolFailed,
    ToolFinished,
    ToolPlanned,
    TurnEvent,
    TurnFailed,
    TurnFinished,
)
from tools.errors import ToolError
from tools.mirrors import mirror_ids
from tools.progress import CancelToken, stopped

_LAST_TOOLS = 3  # turns looked back for the tool that a follow-up refers to
_LOAD = ("requests_per_day", "price_per_hour", "currency")
"""What a question about the cost goes on with until something else is said."""


class Assistant:
    """A conversation partner for many users and conversations.

    Args:
        settings: The settings; read from the environment when not given.
        llm: The LLM that runs the conversation; the one that the settings name when not given.
    """

    def __init__(self, settings: Settings | None = None, *, llm: BaseChatModel | None = None) -> None:
        self.settings = settings or Settings()
        self._given_llm = llm
        self.services = Services(self.settings, lasting=True)
        self._tokens: dict[tuple[str, str], CancelToken] = {}
        self._build = threading.Lock()

    def __enter__(self) -> Self:
        """The assistant itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the database."""
        self.close()

    def close(self) -> None:
        """Release what is held."""
        if "_checkpoints" in self.__dict__:
            self._checkpoints.conn.close()
        self.services.close()

    def warm_up(self) -> None:
        """Load the LLM and the index now, so that the first question does not wait."""
        self._graph  # noqa: B018 (builds it)
        self._pilot.warm_up()
        self.services.search.search("pin the version", limit=1)

    @cached_property
    def _pilot(self) -> PilotChat:
        return PilotChat(routing=self.services.route_model, closest_entry=self.services.closest_entry)

    @cached_property
    def _llm(self) -> BaseChatModel:
        return self._given_llm or connect_llm(self.settings, self._pilot)

    @cached_property
    def _checkpoints(self) -> SqliteSaver:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.settings.home / "checkpoints.sqlite3", check_same_thread=False)
        return SqliteSaver(connection)

    @property
    def _graph(self) -> Any:
        with self._build:
            return self._built_graph

    @cached_property
    def _built_graph(self) -> Any:
        return build_agent(self._llm, self._pilot, self.services, self._checkpoints)

    @cached_property
    def _planner(self) -> Any:
        return build_agent(self._llm, self._pilot, self.services, None, plan_only=True)

    def stream(
        self,
        question: str,
        *,
        conversation: str = "default",
        user: str = "local",
        dry_run: bool = False,
        language: Language | None = None,
        audience: Audience | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[TurnEvent]:
        """Answer a question, event by event.

        Args:
            question: The user's words.
            conversation: Which conversation the question continues.
            user: Whose conversation it is.
            dry_run: Say which tools would be called, and stop there.
            language: Language of the answer; by default the question's.
            audience: Whom the answer is for; by default judged by the tools used.
            cancel: Stops the turn, as `cancel` does.
        """
        answer_in = language or (None if self.settings.language == "auto" else self.settings.language)
        try:
            text = clean_question(question, self.settings.question_limit)
        except ToolError as error:
            spoken = answer_in or language_of(question, self._spoken_before(user, conversation))
            yield TurnFailed(
                message=say(f"error.{error.code}", spoken, **error.details),
                next_step=say(f"error.{error.code}.next", spoken, **error.details),
            )
            return
        spoken = answer_in or language_of(text, self._spoken_before(user, conversation))
        turn = self._read_turn(text, user, conversation, spoken)
        token = cancel or CancelToken()
        scope = TurnScope(turn=turn, call=CallScope(user=user, conversation=conversation, cancel=token))
        if dry_run:
            yield from self._dry_run(scope, spoken)
            return
        self._tokens[user, conversation] = token
        self.services.store.withdraw_consents(user=user, conversation=conversation)
        running = RunningTurn(scope, spoken, audience or self.settings.audience)
        if stored := self._from_records(running):
            yield from self._answer_stored(running, stored)
            return
        if recalled := Recall(self.services, scope.call).answer(text, spoken):
            yield from self._answer_recalled(running, recalled)
            return
        if asked := ask_which_list(self.services, text, user, conversation, spoken):
            yield from self._answer_stored(running, asked)
            return
        try:
            yield from self._advance(running, {"messages": [HumanMessage(text)]})
        finally:
            # A reader who goes away stops the tools as well.
            token.cancel()

    def approve(
        self, id: str, decision: str, *, user: str | None = None, cancel: CancelToken | None = None
    ) -> Iterator[TurnEvent]:
        """Answer an `approval_needed` event and go on with its turn.

        Args:
            id: The event's id.
            decision: `approve` or `reject`. A turn goes on after a restart as well.
            user: Who answers; nobody else's step is found then. Without it the id, told to its turn's reader only,
                is enough.
            cancel: Stops the turn, as `cancel` does.
        """
        consent = self.services.store.take_consent(id, user=user)
        if consent is None or not self._is_interrupted(consent):
            # Whose turn it was, and so its language, is not known.
            spoken = "en" if self.settings.language == "auto" else self.settings.language
            yield TurnFailed(
                message=translate(f"Nothing waits for the consent `{id}`.", spoken),
                next_step=translate("Ask the question again.", spoken),
            )
            return
        token = cancel or CancelToken()
        running = RunningTurn.from_consent(consent, self.services.store, token)
        self._tokens[consent.user, consent.conversation] = token
        try:
            yield from self._advance(running, Command(resume={consent.state["interrupt"]: decision}))
        finally:
            token.cancel()

    def cancel(self, *, conversation: str = "default", user: str = "local") -> None:
        """Stop the turn that the conversation is in."""
        token = self._tokens.get((user, conversation))
        if token:
            token.cancel()

    def history(self, *, conversation: str = "default", user: str = "local") -> list[Turn]:
        """The conversation's turns, oldest first; empty for another user's conversation."""
        return self.services.store.turns(user=user, conversation=conversation)

    def _spoken_before(self, user: str, conversation: str) -> Language:
        turns = self.services.store.turns(user=user, conversation=conversation)
        return language_of(turns[-1].question) if turns else "en"

    def _read_turn(self, text: str, user: str, conversation: str, language: Language) -> TurnContext:
        store = self.services.store
        turns = store.turns(user=user, conversation=conversation)
        known = [*store.models(user=user), *mirror_ids(self.settings.sources)]
        said = [name for t in reversed(turns) for name in read_turn(t.question, known=known).named]
        remembered = dict.fromkeys([*said, *store.models(user=user, conversation=conversation)])
        used = [t.tools[-1] for t in reversed(turns[-_LAST_TOOLS:]) if t.tools]
        turn = read_turn(text, remembered=tuple(remembered), known=known, last_tool=used[0] if used else "")
        told = self._told_load(turn, user, conversation)
        last_call = self._last_call(turns, user, conversation)
        return turn.model_copy(update={"language": language, "told": told, "last_call": last_call})

    def _last_call(self, turns: list[Turn], user: str, conversation: str) -> LastCall:
        """How the last turn that a tool answered called a tool whose figures can be asked for with something else."""
        last = last_told(turns)
        tool = next((tool for tool in reversed(last.tools if last else ()) if tool in VARIABLE_TOOLS), "")
        found = self.services.store.find(user=user, conversation=conversation, tool=tool, limit=1) if tool else []
        return LastCall(tool=tool, arguments=found[0].arguments) if found else LastCall()

    def _told_load(self, turn: TurnContext, user: str, conversation: str) -> dict[str, Any]:
        """What the conversation's last estimate for the first model was made with."""
        if not turn.models:
            return {}
        about = {"user": user, "conversation": conversation, "model": turn.models[0]}
        last = next(iter(self.services.store.find(**about, tool="estimate_cost", limit=1)), None)
        given = last.arguments if last else {}
        return {name: given[name] for name in _LOAD if given.get(name) is not None}

    def _is_interrupted(self, consent: PendingConsent) -> bool:
        """Whether the conversation still stands where it asked; its checkpoints may be lost."""
        config = {"configurable": {"thread_id": thread_id(consent.user, consent.conversation)}}
        return consent.state["interrupt"] in {each.id for each in self._graph.get_state(config).interrupts}

    def _dry_run(self, scope: TurnScope, language: Language) -> Iterator[TurnEvent]:
        message, planned = planned_calls(self._planner, scope, HumanMessage(scope.turn.question))
        yield from planned
        names = ", ".join(p.name for p in planned)
        text = say("dry_run.planned", language, tools=names) if planned else say("dry_run.none", language)
        words = check_text(str(message.content), figures_of(scope.turn.question, scope.turn.models), ())
        yield TurnFinished(
            answer=text if planned or not words.text else words.text, unsupported_figures=words.unsupported
        )

    def _advance(self, running: RunningTurn, given: Any) -> Iterator[TurnEvent]:
        call = running.scope.call
        config = {"configurable": {"thread_id": thread_id(call.user, call.conversation)}}
        interrupts: list[Any] = []
        parts = self._graph.stream(given, config, context=running.scope, stream_mode=["custom", "updates"])
        for mode, part in _stopped_when_left(parts, call.cancel):
            if mode == "custom":
                if isinstance(part, ToolFinished):
                    running.results.append(
                        TurnResult(part.evidence_id, part.name, part.arguments, part.record, part.age_s)
                    )
                elif isinstance(part, ToolFailed):
                    running.results.append(TurnResult("", part.name, {}, part))
                yield part
            elif "__interrupt__" in part:
                # Other steps beside the one that waits are still running.
                interrupts += part["__interrupt__"]
            else:
                yield from self._note_messages(running, part)
        if interrupts:
            yield self._ask_consent(running, interrupts[0])
        elif call.cancel.cancelled and not running.results:
            error = stopped()
            yield TurnFailed(
                message=translate(error.message, running.language),
                next_step=translate(error.next_step, running.language),
            )
        else:
            yield from self._answer(running)

    def _from_records(self, running: RunningTurn) -> StoredAnswer | None:
        """The answer to a question about decisions, a stage, the last result, or what to say in a meeting, read from what is stored."""
        turn, call = running.scope.turn, running.scope.call
        if asks_decisions(turn.question):
            return answer_decisions(self.services, turn, call.user, running.language)
        if asks_for_sentences(turn.question):
            return answer_for_meeting(self.services, turn, call.user, call.conversation, running.language)
        staged = answer_stage(self.services, turn, call.user, call.conversation, running.language)
        return staged or answer_about_last(self.services, turn.question, call.user, call.conversation, running.language)

    def _answer_stored(self, running: RunningTurn, answer: StoredAnswer) -> Iterator[TurnEvent]:
        """Tell what is stored, without the LLM."""
        call, turn = running.scope.call, running.scope.turn
        yield AnswerText(text=answer.text)
        told = Turn(question=turn.question, answer=answer.text, tools=(answer.tool,) if answer.tool else ())
        self.services.store.add_turn(told, user=call.user, conversation=call.conversation)
        yield TurnFinished(answer=answer.text, citations=answer.citations)

    def _answer_recalled(self, running: RunningTurn, recalled: list[TurnResult]) -> Iterator[TurnEvent]:
        """Answer a follow-up without the LLM, which is told of it for what comes next."""
        running.results, running.brief = recalled, True
        for each in recalled:
            yield ToolFinished(
                name=each.tool, arguments=each.arguments, evidence_id=each.evidence_id, record=each.record
            )
        call, said = running.scope.call, ""
        for event in self._answer(running):
            said = event.answer if isinstance(event, TurnFinished) else said
            yield event
        config = {"configurable": {"thread_id": thread_id(call.user, call.conversation)}}
        messages = [HumanMessage(running.scope.turn.question), AIMessage(said)]
        self._graph.update_state(config, {"messages": messages}, as_node="model")

    def _ask_consent(self, running: RunningTurn, interrupt: Any) -> ApprovalNeeded:
        call, asked = running.scope.call, {key: interrupt.value[key] for key in ("name", "arguments")}
        state = running.as_state() | {"interrupt": interrupt.id, "asked": asked}
        consent = PendingConsent(id=uuid4().hex, user=call.user, conversation=call.conversation, state=state)
        self.services.store.hold_consent(consent)
        reason = translate(interrupt.value["reason"], running.language)
        return ApprovalNeeded(**interrupt.value | {"id": consent.id, "reason": reason})

    def _note_messages(self, running: RunningTurn, update: dict[str, Any]) -> Iterator[TurnEvent]:
        for node, step in update.items():
            # Middleware that ends a turn adds messages of its own, which are not the LLM's.
            for message in (step or {}).get("messages", []) if node == "model" else ():
                if isinstance(message, AIMessage):
                    running.last_message = message
                    yield from (ToolPlanned(name=c["name"], arguments=c["args"]) for c in message.tool_calls)

    def _answer(self, running: RunningTurn) -> Iterator[TurnEvent]:
        turn, language = running.scope.turn, running.language
        message = running.last_message or AIMessage("")
        briefing = compose(running.results, message, turn, language, running.audience, brief=running.brief)
        figures = figures_of([turn.question, *(r.payload for r in running.results)], turn.models)
        quoted = quoted_figures(r.payload for r in running.results)
        lead = check_text(str(message.content), figures, [c.id for c in briefing.citations], quoted)
        stands_in = say("llm.stands_in", language) if message.response_metadata.get(STANDS_IN) else ""
        parts = [p for p in (lead.text if briefing.takes_lead else "", briefing.text, stands_in) if p]
        answer = "\n\n".join(parts) or say("common.nothing_to_say", language)
        for i, part in enumerate(parts or [answer]):
            yield AnswerText(text=part if i == 0 else f"\n\n{part}")
        call = running.scope.call
        tools = tuple(r.tool for r in running.results if r.evidence_id)
        self.services.store.add_turn(
            Turn(question=turn.question, answer=answer, tools=tools), user=call.user, conversation=call.conversation
        )
        yield TurnFinished(
            answer=answer,
            citations=briefing.citations,
            unsupported_figures=lead.unsupported,
            choices=briefing.choices,
        )


def _stopped_when_left(parts: Iterator[Any], cancel: CancelToken) -> Iterator[Any]:
    """The graph's parts. Its stream waits for the running tool when it is closed, so that tool is told to stop first."""
    try:
        for part in parts:  # noqa: UP028 (`yield from` would close the stream before the tool is told)
            yield part
    except GeneratorExit:
        cancel.cancel()
        raise


def thread_id(user: str, conversation: str) -> str:
    """The checkpointer's key: neither name can be made to look like another pair."""
    return hashlib.sha256(f"{len(user)}:{user}{conversation}".encode()).hexdigest()[:32]
