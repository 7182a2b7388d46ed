"""The team's documents as lines of text: what became of one that was added, and those that are there.

Names in them are untrusted: `shown` makes them fit for where the line goes, a terminal or, by `plain`, Markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import code
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.team_documents.library import AddedDocument
    from assistant.team_documents.records import TeamDocument
    from knowledge.errors import KnowledgeError

Shown = Callable[[str], str]


def outcome_line(added: AddedDocument, language: Language, shown: Shown = code) -> str:
    """What became of a document that was added."""
    document = added.document
    return say(
        f"documents.{added.state}", language, title=shown(document.title), id=document.id,
        passages=_passages(document, language), seen=_seen(document, language),
    )  # fmt: skip


def removed_line(document: TeamDocument, language: Language, shown: Shown = code) -> str:
    """That a document was removed."""
    return say("documents.removed", language, title=shown(document.title), id=document.id)


def failure_line(error: KnowledgeError, language: Language) -> str:
    """Why a document was not added, and what to do."""
    message, step = translate(error.message, language), translate(error.next_step, language)
    return say("documents.failed", language, message=message, step=step)


def documents_list(documents: Sequence[TeamDocument], language: Language, shown: Shown = code) -> str:
    """The documents, a line each."""
    if not documents:
        return say("documents.none", language)
    return "\n".join(
        say(
            "documents.line", language, id=d.id, title=shown(d.title), file=shown(d.file_name),
            passages=_passages(d, language), seen=_seen(d, language), by=shown(d.added_by),
            when=d.added_at.astimezone().strftime("%Y-%m-%d %H:%M"),
        )
        for d in documents
    )  # fmt: skip


def _passages(document: TeamDocument, language: Language) -> str:
    if document.passages == 1:
        return say("documents.passages.one", language)
    return say("documents.passages.many", language, count=f"{document.passages:,}")


def _seen(document: TeamDocument, language: Language) -> str:
    return say("documents.seen.shared" if document.shared else "documents.seen.own", language)
