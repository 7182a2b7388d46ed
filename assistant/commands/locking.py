"""What was adopted, kept in a file and looked at again: lock, check, bill of materials, watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.commands.options import Json, Language, Model

Lock = Annotated[Path, typer.Argument(help="The lock file.")]


def lock(
    model: Model,
    out: Annotated[Path, typer.Option(help="The lock file to add to.")] = Path("models.lock"),
    by: Annotated[str | None, typer.Option(help="Who adopts it; the name of your login when absent.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Write down what is adopted: commit, files and hashes, licence, versions, evidence, gates."""
    raise NotImplementedError


def check(
    lock: Lock = Path("models.lock"),
    hub: Annotated[bool, typer.Option("--hub", help="Ask the hub what the names stand for now.")] = False,
    policy: Annotated[Path | None, typer.Option(help="Rules that every model must meet, a TOML file.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Verify locked models: exit 0 all the same, 1 drift or a failed rule, 2 a bad file, 3 not checkable."""
    raise NotImplementedError


def export_bom(
    lock: Lock = Path("models.lock"),
    out: Annotated[Path | None, typer.Option(help="Write it here instead of to stdout.")] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Export a lock as a bill of materials (CycloneDX 1.6, JSON)."""
    raise NotImplementedError


def watch(
    lock: Lock = Path("models.lock"),
    every: Annotated[int | None, typer.Option(help="Look again after so many minutes, until stopped.", min=1)] = None,
    as_json: Json = False,
    language: Language = "en",
) -> None:
    """Report what happened to locked models since: new commits, advisories, licence or card changes."""
    raise NotImplementedError
