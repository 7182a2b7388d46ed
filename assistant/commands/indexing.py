"""The index: of the guidance, built now; of the team's own documents, added, listed and removed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.commands.options import FAILED, REFUSED, USAGE, Json, Language, spoken_language
from assistant.commands.running import opened_services, typed_failures

if TYPE_CHECKING:
    from knowledge.errors import KnowledgeError

index = typer.Typer(help="Build the guidance index now; or add, list and remove the team's own documents.")
User = Annotated[str, typer.Option("--user", help="Whose documents; in the page and in the chat the user is local.")]


@index.callback(invoke_without_command=True)
def build_by_default(context: typer.Context, language: Language = "en") -> None:
    """Build the guidance index now, instead of at the first question; or manage the team's own documents."""
    if context.invoked_subcommand is None:
        build(language)


@index.command("build")
def build(language: Language = "en") -> None:
    """Build the guidance index now, instead of at the first question."""
    from assistant.phrases import say  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.translation import translate  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    with typed_failures(spoken), opened_services() as services:
        problem = services.search.index_problem
        passages = services.search.search("version", limit=1).passages
    found = say("doctor.index", spoken, entry=passages[0].entry)
    part = say("doctor.part.guidance", spoken)
    if problem:
        found = say("doctor.index_unkept", spoken, problem=translate(problem, spoken))
    print(say("doctor.line", spoken, mark="✗" if problem else "✓", part=part, found=found), file=sys.stderr)
    raise typer.Exit(FAILED if problem else 0)


@index.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(help="PDF, DOCX, HTML, Markdown or plain text.")],
    shared: Annotated[bool, typer.Option("--shared", help="Let the whole team see them.")] = False,
    user: User = "local",
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Add documents of the team, each as a whole or not at all; one that is there already is not doubled."""
    from assistant.rendering.documents import outcome_line  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (as above)
    from knowledge.errors import DocumentError, DocumentNotFound  # noqa: PLC0415 (as above)

    spoken, worst = spoken_language(language), 0
    shown = TerminalProgress(spoken)
    with opened_services() as services:
        for path in files:
            shown.started(path.name)
            try:
                outcome = services.team_documents.add_file(path, user=user, shared=shared, progress=shown.progressed)
            except DocumentError as error:
                shown.ended()
                _tell(error, path, as_json, spoken)
                worst = max(worst, USAGE if isinstance(error, DocumentNotFound) else REFUSED)
                continue
            shown.ended()
            print(outcome.model_dump_json() if as_json else outcome_line(outcome, spoken))
    raise typer.Exit(worst)


@index.command("list")
def list_documents(user: User = "local", as_json: Json = False, language: Language = "en") -> None:
    """List the documents that a user sees: their own and those that are shared."""
    from assistant.rendering.documents import documents_list  # noqa: PLC0415 (heavy import, only when needed)

    spoken = spoken_language(language)
    with opened_services() as services:
        found = services.team_documents.listed(user)
    if as_json:
        print(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False))
    else:
        print(documents_list(found, spoken))


@index.command("remove")
def remove(
    document: Annotated[str, typer.Argument(help="Id of a document, such as D1a2b3c4d.")],
    user: User = "local",
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Remove a document that this user added."""
    from assistant.rendering.documents import removed_line  # noqa: PLC0415 (heavy import, only when needed)

    spoken = spoken_language(language)
    with typed_failures(spoken), opened_services() as services:
        removed = services.team_documents.remove(document, user=user)
    print(removed.model_dump_json() if as_json else removed_line(removed, spoken))


def _tell(error: KnowledgeError, path: Path, as_json: bool, language: Any) -> None:
    from assistant.rendering.documents import failure_line  # noqa: PLC0415 (heavy import, only when needed)

    if as_json:
        failure = {"file": str(path), "state": "failed", "message": error.message, "next_step": error.next_step}
        print(json.dumps(failure, ensure_ascii=False))
    print(failure_line(error, language), file=sys.stderr)
