"""The panel of the team's own documents: add by upload, list, remove; each outcome is told as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.languages import Language
from assistant.web.strings import label
from assistant.web.turns import USER

if TYPE_CHECKING:
    from assistant.team_documents.library import TeamDocuments
    from assistant.web.turns import AssistantHolder


class DocumentsPanel:
    """The panel, to be made within the page.

    Args:
        holder: Gives the assistant once it is built.
        language: Language of the labels at the start.
    """

    def __init__(self, holder: AssistantHolder, language: Language) -> None:
        self._holder = holder
        with gr.Accordion(label("documents", language), open=False, elem_id="documents") as self.panel:
            self.listed = gr.Markdown(elem_id="documents-list")
            with gr.Row():
                self.upload = gr.UploadButton(
                    label("add_documents", language), file_count="multiple", size="sm", elem_id="documents-add"
                )
                self.shared = gr.Checkbox(label=label("share", language), value=False, container=False, min_width=140)
            with gr.Row():
                self.chosen = gr.Dropdown(
                    [], value=None, label=label("own_documents", language), container=False, elem_id="documents-own"
                )
                self.remove = gr.Button(label("remove", language), size="sm", min_width=80, elem_id="documents-remove")
            self.told = gr.Markdown(elem_id="documents-told")

    def connect(self, labels_in: gr.State) -> None:
        """Say what happens when something in it is used.

        Args:
            labels_in: Language of the page.
        """
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        shown = [self.listed, self.chosen, self.told]
        self.panel.expand(self._show, [labels_in], shown, **quiet)
        # Files chosen while others are still read are read beside them.
        added = [*shown, self.upload]
        self.upload.upload(self._add, [self.upload, self.shared, labels_in], added, trigger_mode="multiple", **quiet)
        self.remove.click(self._remove, [self.chosen, labels_in], shown, **quiet)

    def relabelled(self) -> list[Any]:
        """The components that `relabel` gives new labels to, in its order."""
        return [self.panel, self.upload, self.shared, self.chosen, self.remove]

    @staticmethod
    def relabel(language: Language) -> list[Any]:
        """The labels in another language."""
        return [
            gr.update(label=label("documents", language)),
            gr.update(label=label("add_documents", language)),
            gr.update(label=label("share", language)),
            gr.update(label=label("own_documents", language)),
            gr.update(value=label("remove", language)),
        ]

    def _show(self, language: Language) -> tuple[Any, Any, Any]:
        return self._state(language, "")

    def _add(self, files: list[str] | None, shared: bool, language: Language) -> Iterator[tuple[Any, ...]]:
        from assistant.rendering.documents import failure_line, outcome_line  # noqa: PLC0415 (after the first paint)
        from assistant.rendering.style import plain  # noqa: PLC0415 (as above)
        from knowledge.errors import DocumentError  # noqa: PLC0415 (as above)

        told: list[str] = []
        paths = [Path(each) for each in files or ()]
        try:
            for path in paths:
                waiting = [*told, label("adding", language)]
                yield gr.skip(), gr.skip(), "\n\n".join(waiting), gr.update(interactive=False)
                try:
                    added = self._holder.get_warm().services.team_documents.add_file(path, user=USER, shared=shared)
                    told.append(outcome_line(added, language, plain))
                except DocumentError as error:
                    told.append(failure_line(error, language))
        except Exception:
            told.append(label("broken", language))
            yield *self._state(language, "\n\n".join(told)), gr.update(interactive=True, value=None)
            raise
        finally:
            for path in paths:
                path.unlink(missing_ok=True)  # the copies that the upload left
        yield *self._state(language, "\n\n".join(told)), gr.update(interactive=True, value=None)

    def _remove(self, document: str | None, language: Language) -> tuple[Any, Any, Any]:
        from assistant.rendering.documents import failure_line, removed_line  # noqa: PLC0415 (after the first paint)
        from assistant.rendering.style import plain  # noqa: PLC0415 (as above)
        from knowledge.errors import DocumentError  # noqa: PLC0415 (as above)

        if not document:
            return self._state(language, label("choose_document", language))
        try:
            told = removed_line(self._documents.remove(document, user=USER), language, plain)
        except DocumentError as error:
            told = failure_line(error, language)
        return self._state(language, told)

    def _state(self, language: Language, told: str) -> tuple[Any, Any, Any]:
        """The list, the documents that can be removed, and what is told."""
        from assistant.rendering.documents import documents_list  # noqa: PLC0415 (after the first paint)
        from assistant.rendering.style import code, plain  # noqa: PLC0415 (as above)

        found = self._documents.listed(USER)
        own = [(f"{d.id} {code(d.title)}", d.id) for d in found if d.added_by == USER]
        lines = documents_list(found, language, plain)
        text = "\n".join(f"- {line}" for line in lines.split("\n")) if found else lines
        return text, gr.update(choices=own, value=None), told

    @property
    def _documents(self) -> TeamDocuments:
        return self._holder.get().services.team_documents
