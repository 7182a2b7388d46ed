"""Documentation of the team's own: a draft of what a model's card leaves out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.commands.options import FAILED, Json, Language, Model, spoken_language

_NEEDED = ("check_documentation", "inspect_files", "check_version", "estimate_memory")


def draft_card(
    model: Model,
    out: Annotated[Path | None, typer.Option(help="The Markdown file to write; shown when absent.")] = None,
    use_case: Annotated[str | None, typer.Option(help="What the model is meant for.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Draft the documentation that a model lacks, from what was found out and measured here; unknowns are marked."""
    from assistant.advice.draft_card import draft_documentation  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (as above)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    services = Services(Settings())
    try:
        newest = _check(model, use_case, services, spoken)
        about = services.store.find(user="local", model=newest.model)
        text = draft_documentation(about, spoken)
    finally:
        services.close()
    if out is not None:
        out.write_text(text, encoding="utf-8")
        print(f"Draft: {out}", file=sys.stderr)
    if as_json:
        print(json.dumps({"model": newest.model, "commit": newest.commit, "draft": text}, ensure_ascii=False))
    elif out is None:
        print(text, end="")


def _check(model: str, use_case: str | None, services: Any, language: Any) -> Any:
    """Run the checks of files, whose records become evidence as ever; the card's own must succeed."""
    from assistant.commands.running import show_progress  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (as above)
    from assistant.toolbox import CallScope, Toolbox  # noqa: PLC0415 (as above)
    from tools.progress import CancelToken  # noqa: PLC0415 (as above)

    shown = TerminalProgress(language)
    scope = CallScope(user="local", conversation="cli", cancel=CancelToken())
    toolbox = Toolbox(services)

    def emit(event: Any) -> None:
        show_progress(event, language, shown)

    checked = toolbox.run("check_documentation", {"model": model, "use_case": use_case}, scope, emit)
    if checked is None:
        raise typer.Exit(FAILED)
    for tool in _NEEDED[1:]:
        toolbox.run(tool, {"model": model}, scope, emit)
    return checked
