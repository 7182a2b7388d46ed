"""What keeps the installation in order, and plots of what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.commands.options import FAILED, Json, Language, plot_file, spoken_language
from assistant.commands.running import draw, typed_failures

if TYPE_CHECKING:
    from assistant.rendering.plots import Panel


def draw_plot(
    evidence_id: Annotated[str, typer.Argument(help="Evidence of a measurement, such as E12.")],
    out: Annotated[Path, typer.Option(help="Draw it here: .png or .svg.", callback=plot_file)],
    panel: Annotated[
        list[str] | None, typer.Option(help="speed, memory, roofline or variants; repeatable, all by default.")
    ] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Draw a stored measurement as PNG or SVG."""
    from assistant.rendering.plots import PANELS, panels_of  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.services import Services  # noqa: PLC0415 (as above)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from assistant.toolbox import read_record  # noqa: PLC0415 (as above)
    from tools.errors import InvalidArgument  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    if unknown := [name for name in panel or () if name not in PANELS]:
        raise typer.BadParameter(f"`{unknown[0]}` is not a panel; there are {', '.join(PANELS)}.")
    services = Services(Settings())
    try:
        with typed_failures(spoken):
            evidence = services.store.get(evidence_id, user="local")
            if evidence is None or evidence.tool != "profile_model":
                raise InvalidArgument(
                    f"`{evidence_id[:40]}` is not a stored measurement.",
                    "Name one that `tameshi profile-model` or the chat made, such as E12.",
                )
            present = panels_of(read_record(evidence))
            drawn: list[Panel] = [name for name in present if not panel or name in panel]
            if not drawn:
                raise InvalidArgument(
                    f"`{evidence.id}` has no figures for such a plot.", f"It has them for {', '.join(present) or '–'}."
                )
            draw(evidence, services, out, spoken, drawn)
    finally:
        services.close()
    if as_json:
        print(json.dumps({"evidence": evidence.id, "out": str(out), "panels": drawn}, ensure_ascii=False))


def doctor(as_json: Json = False, language: Language = "en") -> None:
    """What works on this machine and what does not, with the next step for each."""
    from assistant.doctor import examine  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.phrases import say  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    checks = examine(language=spoken)
    if as_json:
        print(json.dumps([c.model_dump(mode="json") for c in checks], ensure_ascii=False))
    else:
        for check in checks:
            mark = {"fine": "✓", "reduced": "△", "broken": "✗"}[check.state]
            part = say(f"doctor.part.{check.name}", spoken)
            line = say("doctor.line", spoken, mark=mark, part=part, found=check.found)
            print(line + (f"\n    {check.next_step}" if check.next_step else ""))
    raise typer.Exit(FAILED if any(c.state == "broken" for c in checks) else 0)
