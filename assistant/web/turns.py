"""A turn of the page: the assistant behind it, and what the page shows after each event."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import gradio as gr

from assistant.languages import Language, language_of
from assistant.phrases import say
from assistant.turn_events import TurnFailed
from assistant.web.background_turn import BackgroundTurn
from assistant.web.strings import label

if TYPE_CHECKING:
    from assistant.briefing import Audience
    from assistant.conversation import Assistant
    from assistant.rendering.plots import Panel
    from assistant.settings import Settings
    from assistant.turn_events import ApprovalNeeded

USER = "local"


class AssistantHolder:
    """Builds the assistant in the background, so that the page shows before the heavy libraries are loaded.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready = threading.Event()
        self._warm = threading.Event()
        self._assistant: Assistant | None = None
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begin to build."""
        threading.Thread(target=self._build, name="assistant-build", daemon=True).start()

    def get(self) -> Assistant:
        """The assistant, once it is built; what went wrong while building is raised here."""
        self._ready.wait()
        if self._assistant is None:
            raise RuntimeError("the assistant could not be built") from self._failure
        return self._assistant

    @property
    def warm(self) -> bool:
        """Whether the first question need not wait any more."""
        return self._warm.is_set()

    def get_warm(self) -> Assistant:
        """The assistant, once its models are loaded: for work that would load one of them beside it."""
        assistant = self.get()
        self._warm.wait()
        return assistant

    def _build(self) -> None:
        try:
            from assistant.conversation import Assistant  # noqa: PLC0415 (heavy import, after the first paint)

            assistant = Assistant(self._settings)
            self._assistant = assistant
            self._ready.set()
            assistant.warm_up()
        except BaseException as error:  # handed to whoever asks for the assistant
            self._failure = error
            raise
        finally:
            self._ready.set()
            self._warm.set()


class TurnRunner:
    """Runs a turn and yields what the page shows after each event.

    Each view is the question, the chat, the conversation, the consent that is waited for and its row, send, stop, and what
    stands beside the chat.
    """

    def __init__(self, holder: AssistantHolder) -> None:
        self._holder = holder
        self._folder = Path(tempfile.mkdtemp(prefix="tameshi-reports-"))
        self._running: dict[str, BackgroundTurn] = {}
        self._panels: dict[str, str | None] = {}
        """The panel of the plot that was chosen last."""
        self._instead: dict[str, tuple[Any, ...]] = {}
        """What is shown where a turn was left for another conversation. All by conversation."""

    def ask(
        self,
        question: str,
        chat: list[Any],
        conversation: str,
        answers_in: str,
        audience: Audience,
        panel: str | None,
        *,
        typed: bool = True,
    ) -> Iterator[tuple[Any, ...]]:
        """A question was sent, or picked among what is offered: then what is being typed stays."""
        conversation = conversation or uuid4().hex
        self._panels[conversation] = panel
        language = _spoken(answers_in, question)
        shown = [*chat, {"role": "user", "content": question}]
        turn = BackgroundTurn(
            lambda cancel: self._holder.get().stream(
                question,
                conversation=conversation,
                user=USER,
                language=None if answers_in == "auto" else language,
                audience=audience,
                cancel=cancel,
            )
        )
        note = label("reading" if self._holder.warm else "loading", language)
        yield from self._follow(turn, shown, conversation, language, note=note, typed=typed)

    def decide(
        self, decision: str, chat: list[Any], conversation: str, answers_in: str, panel: str | None, consent: str
    ) -> Iterator[tuple[Any, ...]]:
        """The dear step was approved or rejected."""
        self._panels[conversation] = panel
        language = _spoken(answers_in, _asked(chat))
        turn = BackgroundTurn(lambda cancel: self._holder.get().approve(consent, decision, user=USER, cancel=cancel))
        yield from self._follow(turn, list(chat), conversation, language, note=label("going_on", language))

    def draw(self, chat: list[Any], conversation: str, answers_in: str, panel: str | None) -> Any:
        """Another panel of the plot was chosen."""
        from assistant.web.panels import evidence_of_chat, profile_plot  # noqa: PLC0415 (after the first paint)

        self._panels[conversation] = panel
        evidence = evidence_of_chat(self._holder.get().services.store, USER, conversation, chat)
        drawn = profile_plot(evidence, _spoken(answers_in, _asked(chat)), panel)
        return gr.skip() if drawn is None else gr.update(value=drawn.figure)

    def stop(self, conversation: str) -> None:
        """The running turn is to stop."""
        if turn := self._running.get(conversation):
            turn.stop()

    def new(self, conversation: str, labels_in: Language) -> tuple[Any, ...]:
        """Another conversation begins; a turn that still runs in this one is left."""
        hidden = gr.update(value=None, visible=False)
        fresh = (
            gr.skip(), [], uuid4().hex, "", gr.update(visible=False), gr.update(visible=True), gr.update(visible=False),
            label("no_evidence", labels_in), gr.update(visible=False), hidden, hidden,
        )  # fmt: skip
        if turn := self._running.get(conversation):
            # Its last view may reach the page after this one, so it shows the same.
            self._instead[conversation] = fresh
            turn.leave()
        return fresh

    def _follow(
        self,
        turn: BackgroundTurn,
        shown: list[Any],
        conversation: str,
        language: Language,
        *,
        note: str,
        typed: bool = False,
    ) -> Iterator[tuple[Any, ...]]:
        self._running[conversation] = turn
        try:
            waiting = [*shown, {"role": "assistant", "content": note}]
            yield self._view(waiting, conversation, clear=typed)
            yield from self._views(turn, shown, conversation, language)
            # Whatever came last: where another conversation was begun meanwhile, that is what is shown.
            if instead := self._instead.get(conversation):
                yield instead
        finally:
            turn.leave()
            for kept in (self._running, self._panels, self._instead):
                kept.pop(conversation, None)

    def _views(
        self, turn: BackgroundTurn, shown: list[Any], conversation: str, language: Language
    ) -> Iterator[tuple[Any, ...]]:
        from assistant.web.messages import TurnMessages  # noqa: PLC0415 (after the first paint)

        messages = TurnMessages(language)
        beside, side, failure = 0, None, None
        try:
            for event in turn.events():
                messages.add(event)
                chat = [*shown, *messages.messages()]
                # The side is drawn when there is something new to see, not with every word of the answer.
                new = len(messages.evidence) > beside
                side = self._side(chat, conversation, language) if new else None
                beside = len(messages.evidence)
                yield self._view(chat, conversation, side=side)
            side = self._side([*shown, *messages.messages()], conversation, language)
        except Exception as error:  # noqa: BLE001 (the reader is told, then it surfaces)
            failure, side, messages.consent = error, None, None
            messages.add(TurnFailed(message=label("broken", language), next_step=label("broken_next", language)))
        if not turn.left:
            chat = [*shown, *messages.messages()]
            yield self._view(chat, conversation, consent=messages.consent, side=side, finished=True)
        if failure:
            raise failure

    def _view(
        self,
        chat: list[Any],
        conversation: str,
        *,
        clear: bool = False,
        consent: ApprovalNeeded | None = None,
        side: tuple[Any, ...] | None = None,
        finished: bool = False,
    ) -> tuple[Any, ...]:
        return (
            gr.update(value="") if clear else gr.skip(),
            chat,
            conversation,
            consent.id if consent else "",
            gr.update(visible=consent is not None),
            gr.update(visible=finished),
            gr.update(visible=not finished),
            *(side or (gr.skip(),) * 4),
        )

    def _side(self, chat: list[Any], conversation: str, language: Language) -> tuple[Any, Any, Any, Any]:
        """Evidence, the choice of panels, the plot, and the reports."""
        from assistant.plan_reports import ReportFile, write_plan_report  # noqa: PLC0415 (after the first paint)
        from assistant.web.panels import (  # noqa: PLC0415 (as above)
            evidence_markdown,
            evidence_of_chat,
            newest_plan,
            profile_plot,
        )

        services = self._holder.get().services
        store = services.store
        evidence = evidence_of_chat(store, USER, conversation, chat)
        drawn = profile_plot(evidence, language, self._panels.get(conversation))
        plan = newest_plan(evidence)
        files: list[str] = []
        if plan is not None:
            folder = self._folder / conversation / plan.id
            folder.mkdir(parents=True, exist_ok=True)
            files = [
                str(
                    write_plan_report(
                        services, plan, ReportFile(folder / f"plan.{kind}", force=True), language, user=USER
                    )
                )
                for kind in ("html", "md", "json")
            ]
        return (
            evidence_markdown(evidence, language),
            gr.update(visible=False)
            if drawn is None
            else gr.update(
                label=label("plots", language),
                choices=_panels(drawn.panels, language),
                value=drawn.panel,
                visible=True,
            ),
            gr.update(value=drawn and drawn.figure, visible=drawn is not None),
            gr.update(value=files or None, visible=bool(files)),
        )


def _spoken(answers_in: str, text: str) -> Language:
    if answers_in == "ja":
        return "ja"
    return "en" if answers_in == "en" else language_of(text)


def _asked(chat: list[Any]) -> str:
    return " ".join(str(m.get("content")) for m in chat if m.get("role") == "user")


def _panels(panels: Sequence[Panel], language: Language) -> list[tuple[str, str]]:
    return [(say(f"plot.panel.{panel}", language), panel) for panel in panels]
