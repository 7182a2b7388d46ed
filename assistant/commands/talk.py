"""The chat as a command."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.commands.options import FAILED, Json
from assistant.commands.running import show_progress

if TYPE_CHECKING:
    from assistant.rendering.progress import TerminalProgress
    from assistant.turn_events import TurnEvent


def ask(
    question: Annotated[str, typer.Argument(help="The question, in English or Japanese.")],
    conversation: Annotated[str, typer.Option(help="Which conversation the question continues.")] = "cli",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which tools would be called, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the assistant; `--json` prints one turn event a line."""
    from assistant import Assistant  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.languages import language_of  # noqa: PLC0415 (as above)
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (as above)

    shown = TerminalProgress(language_of(question))
    status = 0
    with Assistant() as assistant:
        for event in assistant.stream(question, conversation=conversation, dry_run=dry_run):
            if as_json:
                print(json.dumps(event.model_dump(mode="json"), ensure_ascii=False))
            else:
                _show_event(event, language_of(question), shown)
            if event.kind == "turn_failed":
                status = FAILED
    raise typer.Exit(status)


def _show_event(event: TurnEvent, language: Any, shown: TerminalProgress) -> None:
    from assistant.phrases import say  # noqa: PLC0415 (as above)

    show_progress(event, language, shown)
    if event.kind == "tool_planned":
        print(f"· {event.name} {json.dumps(event.arguments, ensure_ascii=False)}", file=sys.stderr)
    elif event.kind == "turn_finished":
        print(event.answer)
        for choice in event.choices:
            print(f"  › {choice}")
    elif event.kind == "turn_failed":
        print(f"{event.message} {event.next_step}", file=sys.stderr)
    elif event.kind == "approval_needed":
        print(say("consent.in_terminal", language, reason=event.reason), file=sys.stderr)
