"""The history of a repository on the hub: its commits, and the tags and branches that point at one."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from tools.errors import ToolError
from tools.hub import api, endpoint_of, guarded_client, translated
from tools.hub_access.files import raise_for_status
from tools.hub_access.patience import patiently
from tools.model_sources import ModelSources

_MOST_COMMITS = 1_000
_MOST_NAMES = 20
_CALL_SECONDS = 10.0
_PATIENCE_SECONDS = 3.0


class HubCommit(BaseModel):
    """One commit of a repository."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    commit: str
    """Full commit."""
    title: str
    """First line of its message. Untrusted text."""
    created_at: datetime
    """When it was made, UTC."""


def list_commits(model: str, revision: str | None, sources: ModelSources) -> tuple[HubCommit, ...]:
    """Commits that lead to a revision, newest first, at most a thousand.

    Args:
        model: The repository's id.
        revision: Branch, tag or commit; the main branch when absent.
        sources: Names the hub.
    """
    return patiently(lambda: _commits(model, revision, sources), longest_s=_PATIENCE_SECONDS)


def commits_behind(model: str, commit: str, branch: str | None, sources: ModelSources) -> int | None:
    """How many commits one is behind the newest of a branch; None when the hub does not say, or it is not in that history.

    Args:
        model: The repository's id.
        commit: Full commit.
        branch: Branch or tag; the main branch when absent.
        sources: Names the hub.
    """
    try:
        history = list_commits(model, branch, sources)
    except ToolError:
        return None
    return next((position for position, each in enumerate(history) if each.commit == commit), None)


def _commits(model: str, revision: str | None, sources: ModelSources) -> tuple[HubCommit, ...]:
    """Read page by page here: the library asks a failing hub for a page again for a minute and a half."""
    endpoint, found = endpoint_of(sources), []
    url = f"{endpoint}/api/models/{model}/commits/{quote(revision or 'main', safe='')}"
    with translated(model, revision):
        headers = api(sources)._build_hf_headers()
        while url and len(found) < _MOST_COMMITS:
            answer = guarded_client(endpoint).get(url, headers=headers, timeout=_CALL_SECONDS, follow_redirects=True)
            raise_for_status(answer)
            found += [
                HubCommit(commit=each["id"], title=each["title"][:200], created_at=each["date"])
                for each in answer.json()
            ]
            url = answer.links.get("next", {}).get("url")
    return tuple(found[:_MOST_COMMITS])


def names_of_commit(model: str, commit: str, sources: ModelSources) -> tuple[str, ...]:
    """Tags and branches that point at a commit, tags first.

    Args:
        model: The repository's id.
        commit: Full commit.
        sources: Names the hub.

    Returns:
        At most twenty names. Untrusted texts.
    """

    def ask() -> tuple[str, ...]:
        with translated(model):
            found = api(sources).list_repo_refs(model)
            references = [*found.tags, *found.branches]
            return tuple(str(each.name)[:120] for each in references if each.target_commit == commit)

    return patiently(ask, longest_s=_PATIENCE_SECONDS)[:_MOST_NAMES]
