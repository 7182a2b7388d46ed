"""A turn that is under way; where it waits for consent, it is kept as JSON and goes on after a restart as well."""

from __future__ import annotations

from typing import Any, Self

from langchain_core.messages import AIMessage, messages_from_dict, messages_to_dict

from assistant.agent import TurnScope
from assistant.briefing import Audience
from assistant.evidence import EvidenceStore, PendingConsent
from assistant.languages import Language
from assistant.llm.turn_schema import TurnContext
from assistant.rendering.results import TurnResult
from assistant.toolbox import CallScope, read_record
from assistant.turn_events import ToolFailed
from tools.progress import CancelToken


class RunningTurn:
    """What is known of a turn so far.

    Args:
        scope: The question, and whose it is.
        language: Language of the answer.
        audience: Whom it is for.
    """

    def __init__(self, scope: TurnScope, language: Language, audience: Audience) -> None:
        self.scope = scope
        self.language: Language = language
        self.audience: Audience = audience
        self.results: list[TurnResult] = []
        self.brief = False
        self.last_message: AIMessage | None = None

    def as_state(self) -> dict[str, Any]:
        """What the turn needs to go on, as JSON; records are named by their evidence."""
        return {
            "turn": self.scope.turn.model_dump(mode="json"),
            "language": self.language,
            "audience": self.audience,
            "results": [
                {"evidence": r.evidence_id, "failure": None if r.evidence_id else r.payload} for r in self.results
            ],
            "message": messages_to_dict([self.last_message]) if self.last_message else [],
        }

    @classmethod
    def from_consent(cls, consent: PendingConsent, store: EvidenceStore, cancel: CancelToken) -> Self:
        """The turn as it was when it began to wait."""
        state = consent.state
        call = CallScope(user=consent.user, conversation=consent.conversation, cancel=cancel)
        turn = TurnContext.model_validate(state["turn"])
        scope = TurnScope(turn=turn, call=call, asked=state["asked"])
        running = cls(scope, state["language"], state["audience"])
        for result in state["results"]:
            if result["failure"]:
                failure = ToolFailed.model_validate(result["failure"])
                running.results.append(TurnResult("", failure.name, {}, failure))
            elif found := store.get(result["evidence"], user=consent.user):
                running.results.append(TurnResult(found.id, found.tool, found.arguments, read_record(found)))
        for message in messages_from_dict(state["message"]):
            running.last_message = message if isinstance(message, AIMessage) else None
        return running
