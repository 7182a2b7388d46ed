"""Bundles: a model with what was found out about it, in one file for a machine without a network."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from assistant.commands.options import FAILED, REFUSED, Json, Language, spoken_language
from assistant.commands.running import show_progress, typed_failures

if TYPE_CHECKING:
    from assistant.rendering.progress import TerminalProgress
    from assistant.turn_events import TurnEvent
    from tools.bundles.bundle import Bundle


def bundle(
    action: Annotated[Literal["create", "verify", "unpack"], typer.Argument(help="create, verify or unpack.")],
    subject: Annotated[str, typer.Argument(help="The model to create a bundle of, else the bundle's file.")],
    out: Annotated[Path | None, typer.Option(help="For create: the bundle's file, such as x.tameshi.")] = None,
    lock: Annotated[Path | None, typer.Option(help="For create: a lock file to enclose.")] = None,
    into: Annotated[Path | None, typer.Option(help="For unpack: the mirror folder to put the model into.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Carry a model to a machine without a network: its files, its evidence and its lock in one file."""
    from assistant.rendering.bundles import render_bundle  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    shown = TerminalProgress(spoken)
    with typed_failures(spoken):
        if action == "create":
            found = _create(subject, _given(out, "--out"), lock, shown, spoken)
        elif action == "unpack":
            found = _unpack(Path(subject), _given(into, "--into"), shown, spoken)
        else:
            found = _verify(Path(subject), shown)
    print(found.model_dump_json() if as_json else render_bundle(found, spoken))


def _given(path: Path | None, option: str) -> Path:
    if path is None:
        raise typer.BadParameter(f"This needs `{option}`.")
    return path


def _create(model: str, out: Path, lock: Path | None, shown: TerminalProgress, language: Any) -> Bundle:
    """Fetch the model, which makes evidence as ever, and pack it with all that is known about that commit."""
    from assistant.services import Services  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.settings import Settings  # noqa: PLC0415 (as above)
    from assistant.toolbox import CallScope, Toolbox, read_record  # noqa: PLC0415 (as above)
    from tools.bundles.bundle import create_bundle  # noqa: PLC0415 (as above)
    from tools.progress import CancelToken  # noqa: PLC0415 (as above)

    refusals: list[str] = []

    def emit(event: TurnEvent) -> None:
        show_progress(event, language, shown)
        if event.kind == "tool_failed" and event.refused:
            refusals.append(event.name)

    services = Services(Settings())
    try:
        scope = CallScope(user="local", conversation="cli", cancel=CancelToken())
        fetched = Toolbox(services).run("fetch_model", {"model": model}, scope, emit)
        if fetched is None:
            raise typer.Exit(REFUSED if refusals else FAILED)
        about = services.store.find(user="local", model=fetched.model)
    finally:
        services.close()
    known = [each.model_dump(mode="json") for each in about if each.commit == fetched.commit]
    evidence = json.dumps(known, ensure_ascii=False, indent=1)
    snapshot: Any = read_record(fetched)
    return create_bundle(snapshot, out, evidence=evidence, lock=lock, progress=shown.progressed)


def _verify(file: Path, shown: TerminalProgress) -> Bundle:
    from tools.bundles.bundle import verify_bundle  # noqa: PLC0415 (heavy import, only when needed)

    try:
        return verify_bundle(file, progress=shown.progressed)
    finally:
        shown.ended()


def _unpack(file: Path, into: Path, shown: TerminalProgress, language: Any) -> Bundle:
    from assistant.translation import translate  # noqa: PLC0415 (heavy import, only when needed)
    from tools.bundles.unpacking import unpack_bundle  # noqa: PLC0415 (as above)
    from tools.errors import UnsafeModel  # noqa: PLC0415 (as above)

    try:
        return unpack_bundle(file, into, progress=shown.progressed)
    except UnsafeModel as error:
        print(f"{translate(error.message, language)} {translate(error.next_step, language)}", file=sys.stderr)
        raise typer.Exit(REFUSED) from error
    finally:
        shown.ended()
