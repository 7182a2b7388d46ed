"""What happened to a locked model since: new commits by meaning, advisories that apply now, lost access."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.advisories import Advisory
from tools.comparing import compare_contents
from tools.comparing.change import Change
from tools.errors import AccessDenied, ModelNotFound, ToolError
from tools.hub_access.commits import commits_behind
from tools.locking.content_drift import content_drift
from tools.locking.contents import LockedContents, on_hub
from tools.locking.drift import KEEP_COPY, advisories_now, check_model
from tools.locking.records import LockedModel
from tools.model_sources import ModelSources
from tools.needed_files import needed_names


class ModelNews(BaseModel):
    """What happened to a locked model since it was locked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """The reference in the lock."""
    commit: str
    """The locked commit or content hash."""
    state: Literal["quiet", "news", "unavailable"]
    """quiet: nothing that matters · unavailable: it could not be looked at, so nothing is said about it."""
    access: Literal["open", "gated", "gone"] | None = None
    """gated: the hub does not hand out its files to this user · gone: it is not there; absent when not asked."""
    newest_commit: str | None = None
    """Newest commit of its branch; absent when not known."""
    behind: int | None = None
    """How many commits the locked one is behind; absent when it is not in the branch's history."""
    changes: tuple[Change, ...] = ()
    """What differs and matters, the weightiest first."""
    other_changes: int = 0
    """Files that changed and do not matter to a user of the locked files."""
    advisories: tuple[Advisory, ...] = ()
    """Known vulnerabilities that the locked files reach now and did not when they were locked."""
    reason: str = ""
    """Why it could not be looked at, or what the hub says."""
    next_step: str = ""
    """What to do about it."""


def watch_model(
    model: LockedModel,
    lock_path: Path,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> ModelNews:
    """Look once what happened to a locked model.

    Args:
        model: The entry of the lock.
        lock_path: The lock file.
        sources: Where models may come from.

    Returns:
        The news; a hub that does not answer is `unavailable`, never a change.
    """
    if model.source in {"folder", "mirror"}:
        return _locally(model, lock_path, sources)
    try:
        newest = on_hub(model, _branch(model), sources)
        return _on_hub(model, newest, sources)
    except (ModelNotFound, AccessDenied) as error:
        access = "gated" if isinstance(error, AccessDenied) else "gone"
        step = f"{error.next_step} Until then keep your copy of the files." if access == "gated" else KEEP_COPY
        return _news(model, access=access, reason=error.message, next_step=step)
    except ToolError as error:
        return _unavailable(model, error.message, error.next_step)


def _branch(model: LockedModel) -> str | None:
    """The branch or tag that the reference names; the main one for a reference that is pinned."""
    return None if model.pinned else model.parsed.revision


def _locally(model: LockedModel, lock_path: Path, sources: ModelSources) -> ModelNews:
    state = check_model(model, lock_path, sources=sources)
    if state.state == "unavailable":
        return _unavailable(model, state.reason, state.next_step)
    fresh = _fresh(model, state.advisories)
    return _news(model, changes=state.drifts, advisories=fresh, next_step=state.next_step)


def _on_hub(model: LockedModel, newest: LockedContents, sources: ModelSources) -> ModelNews:
    _ask_for_a_file(newest)
    if newest.commit == model.commit:
        fresh = _fresh(model, advisories_now(model, newest))
        return _news(model, access="open", newest_commit=newest.commit, behind=0, advisories=fresh)
    locked = _locked_commit(model, sources)
    changes = compare_contents(locked.view, newest.view) if locked else content_drift(model, newest, sources=sources)
    needed = _needed(newest) | {file.name for file in model.files}
    matter = tuple(each for each in changes if each.file in needed and _matters(each))
    return _news(
        model,
        access="open",
        newest_commit=newest.commit,
        behind=commits_behind(model.name, model.commit, _branch(model), sources),
        changes=matter,
        other_changes=len(changes) - len(matter),
        advisories=_fresh(model, advisories_now(model, locked or newest)),
        reason="" if locked else "The hub no longer has the locked commit; its history was rewritten.",
        next_step=f"Test again what is named before you move on; then `tameshi lock {model.name}`." if matter else "",
    )


def _ask_for_a_file(contents: LockedContents) -> None:
    """Raise `AccessDenied` when the hub lists the files but does not hand them out."""
    smallest = min((f for f in contents.listed.values() if f.size_bytes), key=lambda f: f.size_bytes, default=None)
    if smallest is not None:
        contents.view.read(smallest.name, 0, smallest.size_bytes)


def _locked_commit(model: LockedModel, sources: ModelSources) -> LockedContents | None:
    try:
        return on_hub(model, model.commit, sources)
    except ModelNotFound:
        return None


def _needed(contents: LockedContents) -> set[str]:
    return set(needed_names({file.name: file.size_bytes for file in contents.listed.values()}))


def _matters(change: Change) -> bool:
    """What a user of the files could notice; a licence always, a card unless only its spaces changed."""
    if change.kind in {"card", "licence"}:
        return change.kind == "licence" or change.risk != "low" or bool(change.details)
    return change.kind != "other" and change.risk != "low"


def _fresh(model: LockedModel, present: tuple[Advisory, ...]) -> tuple[Advisory, ...]:
    return tuple(each for each in present if each.affected and each.id not in model.advisories)


def _news(model: LockedModel, **found: object) -> ModelNews:
    """Quiet unless something that matters was found."""
    lost = found.get("access") in {"gated", "gone"}
    matters = lost or found.get("changes") or found.get("advisories") or found.get("reason")
    content = {"model": model.reference, "commit": model.commit, "state": "news" if matters else "quiet", **found}
    return ModelNews.model_validate(content)


def _unavailable(model: LockedModel, reason: str, next_step: str) -> ModelNews:
    return ModelNews(
        model=model.reference, commit=model.commit, state="unavailable", reason=reason, next_step=next_step
    )
