"""Turn events as chat messages: a pure function of the events so far, testable without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from assistant.languages import Language
from assistant.phrases import has, say
from assistant.rendering.progress import TimeLeft, progress_text
from assistant.rendering.style import code
from assistant.translation import translate
from assistant.turn_events import (
    AnswerText,
    ApprovalNeeded,
    ToolFailed,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    TurnEvent,
    TurnFailed,
    TurnFinished,
)

Message = dict[str, Any]
STEPS = "steps"
"""Id of the message that the tool steps are nested in."""


@dataclass
class TurnMessages:
    """The assistant's messages of one turn, growing with its events.

    Args:
        language: Language of the labels.
        clock: Monotone clock in seconds.
    """

    language: Language
    steps: list[Message] = field(default_factory=list)
    answer: str = ""
    choices: tuple[str, ...] = ()
    consent: ApprovalNeeded | None = None
    evidence: list[ToolFinished] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _open: list[tuple[Message, float, TimeLeft]] = field(default_factory=list)
    _waiting: ToolProgress | None = None

    def add(self, event: TurnEvent) -> None:
        """Take in the next event."""
        self._waiting = None
        if isinstance(event, ToolStarted):
            self._start(event)
        elif isinstance(event, ToolProgress):
            self._progress(event)
        elif isinstance(event, ToolFinished):
            self._finish(f"[{event.evidence_id}]")
            self.evidence.append(event)
        elif isinstance(event, ToolFailed):
            self._finish(translate(event.message, self.language))
        elif isinstance(event, AnswerText):
            self.answer += event.text
        elif isinstance(event, TurnFinished):
            self.answer, self.choices = event.answer, event.choices
        elif isinstance(event, TurnFailed):
            step = translate(event.next_step, self.language)
            message = translate(event.message, self.language)
            self.answer = f"{message}\n\n{say('common.next_step', self.language, text=step)}"
        elif isinstance(event, ApprovalNeeded):
            self.consent = event
            self.answer = say("consent.ask", self.language, tool=self._title(event.name), reason=event.reason)

    def messages(self) -> list[Message]:
        """Messages for the chat component: the steps, then the answer with choices."""
        found = list(self.steps)
        if self._waiting:
            log = code(translate(self._waiting.message, self.language))
            found.append(self._step(self._waiting.name, " ", log))
        if self.answer or not found:
            options = [{"value": choice} for choice in self.choices]
            found.append({"role": "assistant", "content": self.answer or "…", "options": options})
        return found

    def _start(self, event: ToolStarted) -> None:
        about = event.arguments.get("model") or ", ".join(event.arguments.get("models") or [])
        step = self._step(event.name, code(str(about)) or " ")
        if self._open:
            step["metadata"]["parent_id"] = self._open[-1][0]["metadata"]["id"]
        self.steps.append(step)
        self._open.append((step, self.clock(), TimeLeft(self.clock)))

    def _step(self, tool: str, text: str, log: str = "") -> Message:
        identity = f"{STEPS}-{len(self.steps)}"
        metadata = {"title": self._title(tool), "id": identity, "status": "pending", "log": log}
        return {"role": "assistant", "content": text, "metadata": metadata}

    def _title(self, tool: str) -> str:
        return say(f"tool.{tool}", self.language) if has(f"tool.{tool}") else tool

    def _progress(self, event: ToolProgress) -> None:
        if self._open:
            step, _, left = self._open[-1]
            text = progress_text(event.fraction, event.message, left.after(event.fraction), self.language)
            step["metadata"]["log"] = text
        else:
            # No step runs yet: another conversation's does.
            self._waiting = event

    def _finish(self, text: str) -> None:
        if not self._open:
            return
        step, started, _ = self._open.pop()
        step["metadata"] |= {"status": "done", "duration": round(self.clock() - started, 1), "log": text}
