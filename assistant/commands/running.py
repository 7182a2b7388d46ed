"""Runs one tool for a command: progress on stderr, the record or its text on stdout."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assistant.commands.options import FAILED, REFUSED, spoken_language

if TYPE_CHECKING:
    from assistant.evidence import Evidence
    from assistant.plan_reports import ReportFile
    from assistant.rendering.plots import Panel
    from assistant.rendering.progress import TerminalProgress
    from assistant.services import Services
    from assistant.turn_events import TurnEvent
    from tools.progress import CancelToken


@contextmanager
def opened_services() -> Iterator[Services]:
    """What the tools need by the user's settings, closed afterwards."""
    from assistant.services import Services  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)

    services = Services(Settings())
    try:
        yield services
    finally:
        services.close()


def run_tool(
    name: str,
    arguments: dict[str, Any],
    as_json: bool,
    language: str,
    out: ReportFile | None = None,
    plot: Path | None = None,
) -> None:
    """Run a tool, store its record, print it, and end with the exit status.

    Args:
        name: The tool.
        arguments: Its arguments; None stands for not given.
        as_json: Whether the record is printed as JSON.
        language: Language of the text.
        out: Where the report is written to.
        plot: Where the measurement is drawn.
    """
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from assistant.toolbox import CallScope, Toolbox  # noqa: PLC0415 (as above)
    from tools.progress import CancelToken  # noqa: PLC0415 (as above)

    shown = TerminalProgress(spoken_language(language))
    given = {k: v for k, v in arguments.items() if v is not None}
    scope = CallScope(user="local", conversation="cli", cancel=CancelToken())
    services = Services(Settings())
    refusals: list[str] = []
    ages: dict[str, float | None] = {}

    def emit(event: TurnEvent) -> None:
        show_progress(event, language, shown)
        if event.kind == "tool_failed" and event.refused:
            refusals.append(event.name)
        elif event.kind == "tool_finished":
            ages[event.evidence_id] = event.age_s

    # The first Ctrl-C asks the tool to stop, which keeps what it measured; the second one ends the program.
    interrupt = signal.signal(signal.SIGINT, lambda *_: _stop(scope.cancel))
    try:
        evidence = Toolbox(services).run(name, given, scope, emit)
        if evidence is None:
            raise typer.Exit(REFUSED if refusals else FAILED)
        if out is not None:
            write_report_file(evidence, services, out, language)
        if plot is not None:
            draw(evidence, services, plot, language)
    finally:
        signal.signal(signal.SIGINT, interrupt)
        services.close()
    text = "" if as_json else as_text(evidence, ages.get(evidence.id), language)
    print(text or json.dumps(evidence.record, ensure_ascii=False))
    refused = evidence.record.get("verdict") in {"refuse", "no", "not_yet"}
    raise typer.Exit(REFUSED if refused else 0)


def _stop(cancel: CancelToken) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cancel.cancel()


def as_text(evidence: Evidence, age_s: float | None, language: Any) -> str:
    """Stored evidence as Markdown."""
    from assistant.rendering.results import TurnResult, render_result  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)

    result = TurnResult(evidence.id, evidence.tool, evidence.arguments, read_record(evidence), age_s)
    return render_result(result, language)


def write_report_file(evidence: Evidence, services: Any, out: ReportFile, language: Any) -> None:
    """Write the report of a stored plan into a file."""
    from assistant.plan_reports import write_plan_report  # noqa: PLC0415 (heavy import, only when needed)

    with typed_failures(language):
        write_plan_report(services, evidence, out, language, user="local")
    print(f"Report: {out.path}", file=sys.stderr)


def draw(evidence: Evidence, services: Any, path: Path, language: Any, panels: Sequence[Panel] | None = None) -> None:
    """Draw a stored measurement into a file."""
    from assistant.rendering.plots import device_mib_of, write_plot  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)

    there = device_mib_of(services.store.find(user="local", model=evidence.model), evidence.model)
    write_plot(read_record(evidence), path, language, panels=panels, device_mib=there)
    print(f"Plot: {path}", file=sys.stderr)


def show_progress(event: TurnEvent, language: Any, shown: TerminalProgress) -> None:
    """Tell a tool's step on stderr."""
    from assistant.translation import translate  # noqa: PLC0415 (the catalogues are read when a tool speaks)

    if event.kind == "tool_started":
        shown.started(event.name)
    elif event.kind == "tool_progress":
        shown.progressed(event.fraction, event.message)
    elif event.kind == "tool_finished":
        shown.ended()
    elif event.kind == "tool_failed":
        shown.ended()
        message, step = translate(event.message, language), translate(event.next_step, language)
        shown.line(f"✗ {event.name}: {message}\n  {step}")


@contextmanager
def typed_failures(language: Any) -> Iterator[None]:
    """End with a sentence and the exit status of a failure where an expected one is raised."""
    from assistant.translation import translate  # noqa: PLC0415 (heavy import, only when needed)
    from knowledge.errors import KnowledgeError  # noqa: PLC0415 (as above)
    from tools.errors import ToolError  # noqa: PLC0415 (as above)

    try:
        yield
    except (ToolError, KnowledgeError) as error:
        print(f"{translate(error.message, language)} {translate(error.next_step, language)}", file=sys.stderr)
        raise typer.Exit(FAILED) from error
