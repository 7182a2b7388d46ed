"""What several commands take, and the exit statuses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.plan_reports import ReportFile

Model = Annotated[str, typer.Argument(help="Hub id (org/name, org/name@revision) or a folder written as a path (./x).")]
Json = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]
Language = Annotated[str, typer.Option("--language", help="Language of the text: en or ja.")]
Numbers = Annotated[str, typer.Option(help="Comma-separated whole numbers.")]
REFUSED, USAGE, FAILED = 1, 2, 3


def plot_file(path: Path | None) -> Path | None:
    """The file, when a plot can be written there: better known before a long measurement."""
    if path is not None:
        from assistant.rendering.plots import check_plot_file  # noqa: PLC0415 (heavy import, only when needed)
        from tools.errors import InvalidArgument  # noqa: PLC0415 (as above)

        try:
            check_plot_file(path)
        except InvalidArgument as error:
            raise typer.BadParameter(f"{error.message} {error.next_step}") from error
    return path


def report_file(path: Path | None, chosen: str | None, audience: str | None, *, force: bool) -> ReportFile | None:
    """The file, when a report can be written there: better known before a long measurement."""
    if path is None:
        return None
    from assistant.advice.reporting.report_file import check_report_file  # noqa: PLC0415 (only when needed)
    from assistant.plan_reports import ReportFile  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from tools.errors import InvalidArgument  # noqa: PLC0415 (as above)

    try:
        check_report_file(path, chosen, force=force)
    except InvalidArgument as error:
        raise typer.BadParameter(f"{error.message} {error.next_step}") from error
    wanted = audience or Settings().audience
    if wanted not in {"manager", "engineer", "auto"}:
        raise typer.BadParameter("A report is for a manager or for an engineer.")
    return ReportFile(path, "engineer" if wanted == "engineer" else "manager", chosen, force)


def spoken_language(language: str) -> Any:
    """The language, when the product speaks it."""
    if language not in {"en", "ja"}:
        raise typer.BadParameter("The language is en or ja.")
    return language


def whole_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a list such as `1,8,32`."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise typer.BadParameter(f"`{text}` is not a list of whole numbers such as 1,8,32.") from error
