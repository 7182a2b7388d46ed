"""What was adopted, kept in a file and looked at again: lock, check, bill of materials, watch."""

from __future__ import annotations

import contextlib
import getpass
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.commands.options import FAILED, REFUSED, USAGE, Json, Language, Model, spoken_language
from assistant.commands.running import opened_services, show_progress

if TYPE_CHECKING:
    from assistant.services import Services
    from tools.locking.records import LockedModel
    from tools.locking.watching import ModelNews

Lock = Annotated[Path, typer.Argument(help="The lock file.")]
_STATUS = {"passed": 0, "failed": REFUSED, "unavailable": FAILED}


def lock(
    model: Model,
    out: Annotated[Path, typer.Option(help="The lock file to add to.")] = Path("models.lock"),
    by: Annotated[str | None, typer.Option(help="Who adopts it; the name of your login when absent.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Write down what is adopted: commit, files and hashes, licence, versions, evidence, gates."""
    from assistant.rendering.locking import render_locked  # noqa: PLC0415 (heavy import, only when needed)
    from tools.lock import read_lock  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    with _lock_failures(spoken), opened_services() as services:
        if out.exists():
            read_lock(out)  # a broken file is told before anything is run
        entry = _locked(model, out, by or getpass.getuser(), services, spoken)
    print(
        json.dumps(entry.model_dump(mode="json"), ensure_ascii=False) if as_json else render_locked(entry, out, spoken)
    )


def _locked(model: str, out: Path, by: str, services: Services, language: Any) -> LockedModel:
    from assistant.locking import lock_model  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.rendering.progress import TerminalProgress  # noqa: PLC0415 (as above)
    from assistant.toolbox import CallScope  # noqa: PLC0415 (as above)
    from assistant.turn_events import TurnEvent  # noqa: PLC0415 (as above)
    from tools.progress import CancelToken  # noqa: PLC0415 (as above)

    shown, refusals = TerminalProgress(language), list[str]()
    scope = CallScope(user="local", conversation="cli", cancel=CancelToken())

    def emit(event: TurnEvent) -> None:
        show_progress(event, language, shown)
        if event.kind == "tool_failed" and event.refused:
            refusals.append(event.name)

    interrupt = signal.signal(signal.SIGINT, lambda *_: scope.cancel.cancel())
    try:
        entry = lock_model(model, out, by, services, scope, emit)
    finally:
        signal.signal(signal.SIGINT, interrupt)
    if entry is None:
        raise typer.Exit(REFUSED if refusals else FAILED)
    return entry


def check(
    lock: Lock = Path("models.lock"),
    hub: Annotated[bool, typer.Option("--hub", help="Ask the hub what the names stand for now.")] = False,
    policy: Annotated[Path | None, typer.Option(help="Rules that every model must meet, a TOML file.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Verify locked models: exit 0 all is as locked, 1 drift or a failed rule, 2 a bad file, 3 not checkable."""
    from assistant.rendering.locking import render_check  # noqa: PLC0415 (heavy import, only when needed)
    from tools.lock import read_lock  # noqa: PLC0415 (as above)
    from tools.locking.check import check_lock  # noqa: PLC0415 (as above)
    from tools.locking.policy import read_policy  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    with _lock_failures(spoken):
        rules = read_policy(policy) if policy is not None else None
        found = check_lock(read_lock(lock), lock, sources=_sources(), ask_hub=hub, policy=rules)
    print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False) if as_json else render_check(found, spoken))
    raise typer.Exit(_STATUS[found.verdict])


def export_bom(
    lock: Lock = Path("models.lock"),
    out: Annotated[Path | None, typer.Option(help="Write it here instead of to stdout.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Export a lock as a bill of materials (CycloneDX 1.6, JSON, which it is with and without --json)."""
    from assistant.phrases import say  # noqa: PLC0415 (heavy import, only when needed)
    from tools.lock import read_lock  # noqa: PLC0415 (as above)
    from tools.locking.ml_bom import bill_of_materials, write_bill  # noqa: PLC0415 (as above)

    spoken = spoken_language(language)
    with _lock_failures(spoken):
        bill = bill_of_materials(read_lock(lock))
        if out is not None:
            write_bill(bill, out)
    if out is None:
        print(json.dumps(bill, ensure_ascii=False, indent=None if as_json else 2))
    else:
        print(say("locking.bill", spoken, path=out, count=len(bill["components"])), file=sys.stderr)


def watch(
    lock: Lock = Path("models.lock"),
    every: Annotated[int | None, typer.Option(help="Look again after so many minutes, until stopped.", min=1)] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Report what happened to locked models since: new commits, advisories, licence or card changes.

    Prints nothing to stdout when nothing that matters happened. Exit 0 quiet, 1 news, 2 a bad file, 3 not checkable.
    """
    spoken = spoken_language(language)
    told: set[str] = set()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            status = _watch_once(lock, as_json, spoken, told)
            if every is None:
                raise typer.Exit(status)
            time.sleep(every * 60)
    raise typer.Exit(REFUSED if told else 0)


def _watch_once(lock: Path, as_json: bool, language: Any, told: set[str]) -> int:
    """Look once; what was told in an earlier round is not told again."""
    from assistant.phrases import say  # noqa: PLC0415 (heavy import, only when needed)
    from assistant.rendering.locking import render_news  # noqa: PLC0415 (as above)
    from assistant.rendering.style import code  # noqa: PLC0415 (as above)
    from assistant.translation import translate  # noqa: PLC0415 (as above)
    from tools.lock import read_lock  # noqa: PLC0415 (as above)
    from tools.locking.watching import watch_model  # noqa: PLC0415 (as above)

    with _lock_failures(language):
        entries = read_lock(lock).models
        found: list[ModelNews] = [watch_model(model, lock, sources=_sources()) for model in entries]
    news = [each for each in found if each.state == "news"]
    for each in news:
        line = json.dumps(each.model_dump(mode="json"), ensure_ascii=False)
        if line not in told:
            print(line if as_json else render_news(each, language), flush=True)
            told.add(line)
    missed = [each for each in found if each.state == "unavailable"]
    for each in missed:
        reason, step = translate(each.reason, language), translate(each.next_step, language)
        print(say("locking.not_watched", language, model=code(each.model), reason=reason, step=step), file=sys.stderr)
    counts = {"count": len(found), "news": len(news), "missed": len(missed)}
    print(say("locking.watched", language, **counts), file=sys.stderr)
    return REFUSED if news else FAILED if missed else 0


def _sources() -> Any:
    """Where models come from; facts about large files are remembered as by any other command."""
    from assistant.settings import Settings  # noqa: PLC0415 (heavy import, only when needed)
    from tools.file_facts import remember_in  # noqa: PLC0415 (as above)

    settings = Settings()
    remember_in(settings.home / "file-facts")
    return settings.sources


@contextlib.contextmanager
def _lock_failures(language: Any) -> Iterator[None]:
    """End with a sentence and 2 for a file that is not what it must be, 3 for another failure."""
    from assistant.translation import translate  # noqa: PLC0415 (heavy import, only when needed)
    from tools.errors import InvalidLock, ToolError  # noqa: PLC0415 (as above)

    try:
        yield
    except ToolError as error:
        print(f"{translate(error.message, language)} {translate(error.next_step, language)}", file=sys.stderr)
        raise typer.Exit(USAGE if isinstance(error, InvalidLock) else FAILED) from error
