"""What the hub says about a model's history: its newest commit, how far behind a commit is, which tags and branches name it."""

from __future__ import annotations

from typing import NamedTuple

from tools.errors import ToolError
from tools.hub import HubListing, list_repository
from tools.hub_access.commits import commits_behind, names_of_commit
from tools.locating import ModelLocation
from tools.model_sources import ModelSources


class History(NamedTuple):
    """A commit's place in its repository."""

    newest: HubListing | None
    """The newest commit of the main branch; absent when the hub could not be asked."""
    behind: int | None
    """How many commits the checked one is behind it; absent when not known."""
    names: tuple[str, ...]
    """Tags and branches that point at the checked commit, tags first. Untrusted texts."""
    unknown: tuple[str, ...]
    """What could not be known and why, one sentence each."""


def read_history(location: ModelLocation, sources: ModelSources) -> History:
    """Ask the hub about a model's history.

    Args:
        location: Where the model is.
        sources: Names the hub.

    Returns:
        The history; without a hub only what is not known.
    """
    listing, identifier = location.listing, location.reference.id
    if listing is None or identifier is None:
        return History(None, None, (), _why_unknown(location))
    try:
        newest = list_repository(identifier, None, sources) if location.reference.revision is not None else listing
    except ToolError as error:
        return History(None, None, (), (f"Whether there is a newer version: {error.message}",))
    unknown: list[str] = []
    behind: int | None = 0
    if newest.commit != listing.commit:
        behind = commits_behind(identifier, listing.commit, None, sources)
        if behind is None:
            unknown.append("How many commits it is behind: the checked commit is not in the main branch's history.")
    names = _names_of(identifier, listing.commit, sources)
    if names is None:
        unknown.append("Which tags and branches point at this commit: the hub did not say.")
    return History(newest, behind, names or (), tuple(unknown))


def _names_of(identifier: str, commit: str, sources: ModelSources) -> tuple[str, ...] | None:
    """Tags and branches at a commit; None when the hub does not tell them."""
    try:
        return names_of_commit(identifier, commit, sources)
    except ToolError:
        return None


def _why_unknown(location: ModelLocation) -> tuple[str, ...]:
    if location.source == "folder":
        return (
            "Whether there is a newer version: a folder has no history here; its content hash stands for the commit.",
            "Where the folder's files come from: nothing in it proves its origin.",
        )
    first = f"Whether there is a newer version: {location.note}"
    if location.commit is not None:
        return (first,)
    return (
        first,
        "Which commit of the hub the mirror's files are: the mirror does not say; its content hash stands for the commit.",
    )
