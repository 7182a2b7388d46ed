"""The tool `check_version`: which version this is, what is newer, and whether it fits what is installed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.model_sources import ModelSources

ChangeKind = Literal["weights", "tokenizer", "chat_template", "config", "card", "licence", "other"]
"""What a changed file means to the user of a model."""


class Change(BaseModel):
    """One file that differs between the checked and the newest version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ChangeKind
    """What the file means."""
    file: str
    """Path inside the model's folder."""
    description: str
    """What happened to it, one sentence."""
    retest: str
    """What to test again because of it, one sentence; empty when nothing."""


class LibraryFit(BaseModel):
    """Whether the installed library knows the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    written_with: str | None
    """Version of transformers that wrote the config; absent when the config does not say."""
    installed: str | None
    """Version of transformers installed here; absent when there is none."""
    architecture_known: bool | None
    """Whether the installed library has this `model_type`; absent when it cannot be told."""
    note: str
    """What follows from it, one or two sentences."""


class VersionCheck(BaseModel):
    """Which version of a model this is and what is known about newer ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Resolved commit or content hash."""
    newest_commit: str | None
    """Newest commit on the hub's main branch; absent when the hub could not be asked."""
    pinned: bool
    """Whether the user's reference names an exact commit (or a folder, whose content hash is exact)."""
    behind: int | None
    """How many commits the checked one is behind the newest; absent when not known."""
    changes: tuple[Change, ...]
    """What differs between the checked and the newest version, weights first."""
    library: LibraryFit
    """Fit with the installed transformers."""
    lineage: tuple[str, ...]
    """Models this one says it was made from, nearest first."""
    source: Literal["hub", "cache", "mirror", "folder"]
    """Where the files came from."""
    advisories: tuple[str, ...]
    """Known weaknesses of the installed library that this model's config can reach, one sentence each."""
    unknown: tuple[str, ...]
    """What could not be known and why, one sentence each."""


def check_version(
    model: str,
    revision: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> VersionCheck:
    """Check a model's version.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        revision: Branch, tag or commit.
        sources: Where models may come from.

    Returns:
        The check.
    """
    raise NotImplementedError(model, revision, sources)
