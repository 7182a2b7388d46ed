"""The page: chat on the left, evidence, plots and reports on the right; what happens in it is in `turns`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from assistant.languages import Language
from assistant.web.documents import DocumentsPanel
from assistant.web.strings import EXAMPLES, LABELS, label
from assistant.web.turns import AssistantHolder, TurnRunner

CSS = """
.gradio-container{max-width:1400px!important;margin:0 auto!important}
#evidence{max-height:16rem;overflow:auto;font-size:.88rem}
#chat table{font-size:.86rem}
#chat .title .duration{color:var(--body-text-color)!important}
#panel .wrap{gap:.4rem}
footer{display:none!important}
"""


def build_page(holder: AssistantHolder, fixed: Language | None = None) -> gr.Blocks:
    """The page.

    Args:
        holder: Gives the assistant once it is built.
        fixed: Language of the labels; the browser's when not given. The reader's own choice goes before both.
    """
    language: Language = fixed or "en"
    with gr.Blocks(title="Tameshi", analytics_enabled=False, fill_width=True) as page:
        labels_in = gr.State(language)
        conversation = gr.State("")
        consent = gr.State("")
        with gr.Row(equal_height=False):
            with gr.Column(scale=7, min_width=360):
                title = gr.Markdown(_title(language))
                chat = gr.Chatbot(
                    value=[], height="max(26rem, calc(100vh - 14rem))", show_label=False, elem_id="chat", buttons=["copy"], feedback_options=None,
                    allow_tags=False, layout="bubble", examples=_examples(language), latex_delimiters=[],
                )  # fmt: skip
                with gr.Row(visible=False) as consent_row:
                    approve = gr.Button(label("approve", language), variant="primary", elem_id="approve")
                    reject = gr.Button(label("reject", language), elem_id="reject")
                with gr.Row():
                    question = gr.Textbox(
                        placeholder=label("ask", language), show_label=False, container=False, scale=8, lines=1,
                        max_lines=6, autofocus=True, elem_id="question",
                    )  # fmt: skip
                    send = gr.Button(label("send", language), variant="primary", scale=1, min_width=90, elem_id="send")
                    stop = gr.Button(
                        label("stop", language), variant="stop", scale=1, min_width=90, visible=False, elem_id="stop"
                    )
            with gr.Column(scale=4, min_width=320):
                answers_in = gr.Radio(
                    _languages(language), value="auto", show_label=False, container=False, elem_id="language"
                )
                audience = gr.Radio(
                    _audiences(language), value="auto", show_label=False, container=False, elem_id="audience"
                )
                new = gr.Button(label("new", language), size="sm", min_width=120)
                with gr.Group():
                    evidence_title = gr.Markdown(f"**{label('evidence', language)}**")
                    evidence = gr.Markdown(label("no_evidence", language), elem_id="evidence")
                panel = gr.Radio([], label=label("plots", language), visible=False, elem_id="panel")
                plot = gr.Plot(show_label=False, visible=False, format="png", elem_id="plot")
                reports = gr.Files(
                    label=label("reports", language), visible=False, interactive=False, elem_id="reports"
                )
                documents = DocumentsPanel(holder, language)

        views = [question, chat, conversation, consent, consent_row, send, stop, evidence, panel, plot, reports]
        turn = TurnRunner(holder)
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

        def act(
            typed: str, chatted: list[Any], id: str, spoken: str, reader: Any, shown: str | None, asked: str,
            event: gr.EventData,
        ) -> Iterator[tuple[Any, ...]]:  # fmt: skip
            # A component that was relabelled is another object with the same id.
            pressed = getattr(event.target, "elem_id", None)
            if pressed in {"approve", "reject"}:
                yield from turn.decide(pressed, chatted, id, spoken, shown, asked)
            else:
                picked = _picked(event) if pressed == "chat" else None
                yield from turn.ask(picked or typed, chatted, id, spoken, reader, shown, typed=picked is None)

        # One handler for all, since Gradio runs a handler once at a time: what is pressed while a turn runs starts no second.
        gr.on(
            [send.click, question.submit, chat.example_select, chat.option_select, approve.click, reject.click],
            act,
            [question, chat, conversation, answers_in, audience, panel, consent],
            views,
            **quiet,
        )
        # A choice made while the one before is still answered is the one that counts.
        panel.input(turn.draw, [chat, conversation, answers_in, panel], [plot], trigger_mode="always_last", **quiet)
        stop.click(turn.stop, [conversation], None, queue=False, cancels=None, **quiet)
        documents.connect(labels_in)
        gr.on([new.click, chat.clear], turn.new, [conversation, labels_in], views, **quiet)

        def relabel(chosen: str, listed: str, request: gr.Request) -> tuple[Any, ...]:
            return _relabelled(_language_of(chosen, fixed, request), listed)

        labelled = [
            labels_in, title, question, send, stop, new, evidence_title, evidence, reports, approve, reject, chat,
            answers_in, audience,
            *documents.relabelled(),
        ]  # fmt: skip
        # The reader may choose before the labels of the browser's language have come.
        gr.on(
            [page.load, answers_in.input],
            relabel,
            [answers_in, evidence],
            labelled,
            trigger_mode="always_last",
            **quiet,
        )
    return page


def _title(language: Language) -> str:
    return f"## 試し Tameshi\n{label('tagline', language)}"


def _languages(language: Language) -> list[tuple[str, str]]:
    return [(label("language_auto", language), "auto"), ("English", "en"), ("日本語", "ja")]


def _audiences(language: Language) -> list[tuple[str, str]]:
    return [(label(f"for_{name}", language), name) for name in ("auto", "manager", "engineer")]


def _examples(language: Language) -> list[Any]:
    both = EXAMPLES["ja"] if language == "ja" else (*EXAMPLES["en"][:2], EXAMPLES["ja"][0], EXAMPLES["ja"][1])
    return [{"text": text} for text in both]


def _language_of(chosen: str, fixed: Language | None, request: gr.Request) -> Language:
    """Language of the labels: what the reader chose, else what the settings say, else the browser's first."""
    if chosen in {"en", "ja"}:
        return "ja" if chosen == "ja" else "en"
    return fixed or ("ja" if request.headers.get("accept-language", "").lower().startswith("ja") else "en")


def _picked(event: gr.EventData) -> str:
    """Text of the example or the choice that was picked."""
    value = event.value
    return str(value.get("text") or value.get("value")) if isinstance(value, dict) else str(value)


def _relabelled(language: Language, listed: str) -> tuple[Any, ...]:
    return (
        language,
        _title(language),
        gr.update(placeholder=label("ask", language)),
        *(gr.update(value=label(key, language)) for key in ("send", "stop", "new")),
        f"**{label('evidence', language)}**",
        label("no_evidence", language) if listed in LABELS["no_evidence"] else gr.skip(),
        gr.update(label=label("reports", language)),
        *(gr.update(value=label(key, language)) for key in ("approve", "reject")),
        gr.update(examples=_examples(language)),
        gr.update(choices=_languages(language)),
        gr.update(choices=_audiences(language)),
        *DocumentsPanel.relabel(language),
    )
