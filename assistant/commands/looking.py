"""The first look at models, from their files alone: safe to load, how much memory, how well documented."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.commands.options import FAILED, REFUSED, Json, Language, spoken_language
from assistant.commands.running import as_text, show_progress

if TYPE_CHECKING:
    from assistant.evidence import Evidence
    from assistant.rendering.progress import TerminalProgress
    from assistant.services import Services
    from assistant.turn_events import TurnEvent

_STEPS = ("inspect_files", "estimate_memory", "check_documentation")
"""What one step refuses the next ones are spared."""


def look(
    models: Annotated[list[str], typer.Argument(help="Hub ids (org/name) or folders written as paths (./x).")],
    use_case: Annotated[str | None, typer.Option(help="What the model is meant for.")] = None,
    device_memory_gib: Annotated[float | None, typer.Option(help="Memory of the device it should fit, in GiB.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Look at models before anything is loaded: file safety, then memory, then documentation; unsafe ones end there."""
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (as above)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)

    shown = TerminalProgress(spoken_language(language))
    further = {
        "estimate_memory": {"device_memory_gib": device_memory_gib},
        "check_documentation": {"use_case": use_case},
    }
    services, worst = Services(Settings()), 0
    try:
        for model in models:
            found = [each for each in _steps_of(model, further, services, language, shown) if each is not None]
            _print(model, found, as_json, language)
            worst = max(worst, _status(found))
    finally:
        services.close()
    raise typer.Exit(worst)


def _steps_of(
    model: str, further: dict[str, dict[str, Any]], services: Services, language: str, shown: TerminalProgress
) -> list[Evidence | None]:
    """The evidence of each step, None where it failed in an expected way, which was told."""
    from assistant.toolbox import CallScope, Toolbox  # noqa: PLC0415 (heavy import, only when needed)
    from tools.progress import CancelToken  # noqa: PLC0415 (as above)

    def emit(event: TurnEvent) -> None:
        show_progress(event, language, shown)

    scope = CallScope(user="local", conversation="cli", cancel=CancelToken())
    toolbox = Toolbox(services)
    found: list[Evidence | None] = []
    for step in _STEPS:
        given = {key: value for key, value in further.get(step, {}).items() if value is not None}
        found.append(toolbox.run(step, {"model": model} | given, scope, emit))
        if step == "inspect_files" and (found[0] is None or found[0].record["verdict"] == "refuse"):
            break
    return found


def _print(model: str, found: list[Evidence], as_json: bool, language: str) -> None:
    if as_json:
        print(json.dumps({"model": model, **{each.tool: each.record for each in found}}, ensure_ascii=False))
        return
    for evidence in found:
        print(as_text(evidence, None, language), end="\n\n")


def _status(found: list[Evidence]) -> int:
    if found and found[0].record.get("verdict") == "refuse":
        return REFUSED
    return 0 if len(found) == len(_STEPS) else FAILED
