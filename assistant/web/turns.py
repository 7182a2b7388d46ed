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
from assistant.web.strings import label

if TYPE_CHECKING:
    from assistant.briefing import Audience
    from assistant.conversation import Assistant
    from assistant.rendering.plots import Panel
    from assistant.settings import Settings
    from assistant.turn_events import TurnEvent
    from assistant.web.messages import TurnMessages

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
    """Runs a turn and yields what the page shows after each event."""

    def __init__(self, holder: AssistantHolder) -> None:
        self._holder = holder
        self._folder = Path(tempfile.mkdtemp(prefix="tameshi-reports-"))

    def ask(
        self, question: str, chat: list[Any], conversation: str, answers_in: str, audience: Audience, panel: str | None
    ) -> Iterator[tuple[Any, ...]]:
        """A question was sent."""
        conversation = conversation or uuid4().hex
        language = _spoken(answers_in, question)
        shown = [*chat, {"role": "user", "content": question}]
        yield self._view(shown, conversation, note=label("reading" if self._holder.warm else "loading", language))
        assistant = self._holder.get()
        events = assistant.stream(
            question,
            conversation=conversation,
            user=USER,
            language=None if answers_in == "auto" else language,
            audience=audience,
        )
        yield from self._follow(events, shown, conversation, language, panel)

    def pick(
        self,
        chat: list[Any],
        conversation: str,
        answers_in: str,
        audience: Audience,
        panel: str | None,
        picked: gr.SelectData,
    ) -> Iterator[tuple[Any, ...]]:
        """An example or one of the choices was picked."""
        value = picked.value
        text = str(value.get("text") or value.get("value")) if isinstance(value, dict) else str(value)
        yield from self.ask(text, chat, conversation, answers_in, audience, panel)

    def approve(
        self, chat: list[Any], conversation: str, answers_in: str, _audience: Audience, panel: str | None, consent: str
    ) -> Iterator[tuple[Any, ...]]:
        """The dear step was approved."""
        yield from self._decide("approve", chat, conversation, answers_in, panel, consent)

    def reject(
        self, chat: list[Any], conversation: str, answers_in: str, _audience: Audience, panel: str | None, consent: str
    ) -> Iterator[tuple[Any, ...]]:
        """The dear step was rejected."""
        yield from self._decide("reject", chat, conversation, answers_in, panel, consent)

    def draw(self, chat: list[Any], conversation: str, answers_in: str, _audience: Audience, panel: str | None) -> Any:
        """Another panel of the plot was chosen."""
        from assistant.web.panels import evidence_of_chat, profile_plot  # noqa: PLC0415 (after the first paint)

        evidence = evidence_of_chat(self._holder.get().services.store, USER, conversation, chat)
        drawn = profile_plot(evidence, _spoken(answers_in, _asked(chat)), panel)
        return gr.skip() if drawn is None else gr.update(value=drawn.figure)

    def stop(self, conversation: str) -> None:
        """The running turn is to stop."""
        self._holder.get().cancel(conversation=conversation, user=USER)

    def _decide(
        self, decision: str, chat: list[Any], conversation: str, answers_in: str, panel: str | None, consent: str
    ) -> Iterator[tuple[Any, ...]]:
        language = _spoken(answers_in, _asked(chat))
        yield from self._follow(
            self._holder.get().approve(consent, decision, user=USER), list(chat), conversation, language, panel
        )

    def _follow(
        self, events: Iterator[TurnEvent], shown: list[Any], conversation: str, language: Language, panel: str | None
    ) -> Iterator[tuple[Any, ...]]:
        from assistant.web.messages import TurnMessages  # noqa: PLC0415 (after the first paint)

        turn = TurnMessages(language)
        beside = 0
        for event in events:
            turn.add(event)
            # The side is drawn when there is something new to see, not with every word of the answer.
            side = (
                self._side([*shown, *turn.messages()], conversation, language, panel)
                if len(turn.evidence) > beside
                else None
            )
            beside = len(turn.evidence)
            yield self._view([*shown, *turn.messages()], conversation, turn=turn, side=side)
        side = self._side([*shown, *turn.messages()], conversation, language, panel)
        yield self._view([*shown, *turn.messages()], conversation, turn=turn, side=side, finished=True)

    def _view(
        self,
        chat: list[Any],
        conversation: str,
        *,
        turn: TurnMessages | None = None,
        side: tuple[Any, ...] | None = None,
        note: str = "",
        finished: bool = False,
    ) -> tuple[Any, ...]:
        """Values of the outputs: question, chat, conversation, consent, its row, stop, and what stands beside the chat."""
        if note:
            chat = [*chat, {"role": "assistant", "content": note}]
        waiting = turn.consent if turn and finished else None
        return (
            gr.update(value=""),
            chat,
            conversation,
            waiting.id if waiting else "",
            gr.update(visible=waiting is not None),
            gr.update(visible=not finished),
            *(side or (gr.skip(),) * 4),
        )

    def _side(
        self, chat: list[Any], conversation: str, language: Language, panel: str | None
    ) -> tuple[Any, Any, Any, Any]:
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
        drawn = profile_plot(evidence, language, panel)
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
