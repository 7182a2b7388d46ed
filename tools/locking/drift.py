"""Whether a locked model is still what it was, and by meaning what it is instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.advisories import Advisory, reachable_advisories
from tools.comparing.change import Change
from tools.errors import ModelNotFound, ToolError
from tools.file_safety.inspected import Inspected
from tools.installed_packages import installed_version
from tools.locking.content_drift import content_drift
from tools.locking.contents import LockedContents, find_contents
from tools.locking.records import LockedModel
from tools.model_sources import ModelSources

LIBRARIES = (
    "transformers",
    "torch",
    "tokenizers",
    "safetensors",
    "accelerate",
    "huggingface_hub",
    "sentence-transformers",
)
"""What decides how a model is loaded and what it answers; the last is not a part of this product, but may be there."""
KEEP_COPY = "Keep your copy of the files: it may be the only one. Ask the publisher, or look for a mirror."
"""What to do when the hub no longer has a model."""


class LibraryChange(BaseModel):
    """A library that has another version than when the model was locked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The library."""
    locked: str | None
    """Its version in the lock; absent when it was not installed."""
    installed: str | None
    """Its version here; absent when it is not installed."""


class ModelState(BaseModel):
    """A locked model against what its name stands for now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """The reference in the lock."""
    commit: str
    """The locked commit or content hash."""
    state: Literal["same", "drifted", "unavailable"]
    """`unavailable`: it could not be looked at, so nothing is said about it."""
    found_commit: str | None = None
    """Commit that the name stands for now; absent where contents have none."""
    source: Literal["hub", "cache", "mirror", "folder"] | None = None
    """Where it was looked at; absent when it was not."""
    drifts: tuple[Change, ...] = ()
    """What differs, the weightiest first."""
    libraries: tuple[LibraryChange, ...] = ()
    """Libraries that changed since; no drift of the model."""
    advisories: tuple[Advisory, ...] = ()
    """Known vulnerabilities that the files reach in the libraries at hand; empty when it was not looked at."""
    reason: str = ""
    """Why it could not be looked at."""
    next_step: str = ""
    """What to do about it."""


def check_model(
    model: LockedModel,
    lock_path: Path,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    ask_hub: bool = False,
) -> ModelState:
    """Verify a locked model: every file by its hash, and what differs by meaning.

    Args:
        model: The entry of the lock.
        lock_path: The lock file; folders are named from where it lies.
        sources: Where models may come from.
        ask_hub: Whether the hub is asked what the name stands for now; else cache, mirrors and folders only.

    Returns:
        The state; a model that cannot be looked at is `unavailable` with the reason.
    """
    common = {"model": model.reference, "commit": model.commit, "libraries": library_changes(model)}
    try:
        contents = find_contents(model, lock_path, sources=sources, ask_hub=ask_hub)
        drifts = content_drift(model, contents, sources=sources)
    except ToolError as error:
        if ask_hub and isinstance(error, ModelNotFound) and model.parsed.path is None:
            return ModelState(**common, state="drifted", source="hub", reason=error.message, next_step=KEEP_COPY)
        return ModelState(**common, state="unavailable", reason=error.message, next_step=error.next_step)
    return ModelState(
        **common,
        state="drifted" if drifts else "same",
        found_commit=contents.commit,
        source=contents.source,
        drifts=drifts,
        advisories=advisories_now(model, contents),
        next_step=_next_step(model, drifts),
    )


def _next_step(model: LockedModel, drifts: tuple[Change, ...]) -> str:
    if not drifts:
        return ""
    if not model.pinned:
        return (
            f"Load `{model.name}` at the commit `{model.commit}`, or test again what is named and lock it anew: "
            f"`tameshi lock {model.reference}`."
        )
    return f"Put the locked files back, or test again what is named and lock it anew: `tameshi lock {model.reference}`."


def library_changes(model: LockedModel) -> tuple[LibraryChange, ...]:
    """Libraries that have another version than in the lock."""
    return tuple(_library_changes(model))


def _library_changes(model: LockedModel) -> Iterator[LibraryChange]:
    now = installed_libraries()
    for name in sorted({*model.libraries, *now}):
        if model.libraries.get(name) != now.get(name):
            yield LibraryChange(name=name, locked=model.libraries.get(name), installed=now.get(name))


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that are installed, without the build; none of them is imported."""
    found = {name: installed_version(name) for name in LIBRARIES}
    return {name: version.partition("+")[0] for name, version in found.items() if version is not None}


def advisories_now(model: LockedModel, contents: LockedContents) -> tuple[Advisory, ...]:
    """What the files reach in the versions installed here; for a library that is not here, in the locked version."""
    inspected = Inspected(contents.view)
    locked = {each.id: each for each in reachable_advisories(inspected, model.libraries)}
    here = reachable_advisories(inspected)
    return tuple(each if each.installed is not None else locked.get(each.id, each) for each in here)
