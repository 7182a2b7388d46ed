"""Everything that is asked of the hub, through huggingface_hub; its errors become ours here and nowhere else."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.errors import AccessDenied, Cancelled, ModelNotFound, SourceUnavailable
from tools.hub_access.origins import guard_request, trust
from tools.hub_access.patience import BUSY, INTERRUPTED, patiently, seconds_asked_for
from tools.model_sources import ModelSources

PUBLIC_ENDPOINT = "https://huggingface.co"
"""Used when no endpoint is set."""
_PASSING = frozenset({408, 500, 502, 503, 504})
"""Statuses that a second request often does not meet again."""
_REACH_SECONDS = 2.0
_REMEMBER_SECONDS = 60.0
_CALL_SECONDS = 10.0
_LISTING_PATIENCE_S = 3.0
_MAX_LISTED_FILES = 20_000
_ID = re.compile(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?\Z", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_GIT_ID = _COMMIT
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_reached: dict[str, tuple[float, bool]] = {}
_guard_lock = threading.Lock()
_guarded = False


# Built when the hub has answered: most commands never ask it.
class HubFile(BaseModel):
    """One file of a repository as the hub lists it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str
    """Path in the repository."""
    size_bytes: int
    """Size in bytes."""
    sha256: str | None
    """SHA-256 of a large file; absent for small ones."""
    git_id: str | None
    """Git's SHA-1 of a small file's blob."""


class HubListing(BaseModel):
    """A repository at one commit."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: str
    """The repository's id as the hub spells it."""
    commit: str
    """Full commit."""
    files: tuple[HubFile, ...]
    """All files, sorted by name."""
    gated: bool = False
    """Whether its publisher grants access person by person."""
    private: bool = False
    """Whether only its owner's people see it."""


def endpoint_of(sources: ModelSources) -> str:
    """The hub's address, without a final slash."""
    return (sources.endpoint or PUBLIC_ENDPOINT).rstrip("/")


def hub_reachable(sources: ModelSources) -> bool:
    """Whether the hub answers, found out within two seconds and remembered for a minute.

    Args:
        sources: Names the hub; an offline setting means no without asking.

    Returns:
        True when any HTTP answer came.
    """
    if sources.offline:
        return False
    endpoint = endpoint_of(sources)
    known = _reached.get(endpoint)
    if known is not None and time.monotonic() - known[0] < _REMEMBER_SECONDS:
        return known[1]
    answer: queue.Queue[bool] = queue.Queue()
    knock = threading.Thread(target=_knock, args=(guarded_client(endpoint), endpoint, answer), daemon=True)
    knock.start()  # a thread, because resolving a name can take longer than any timeout
    try:
        reachable = answer.get(timeout=_REACH_SECONDS)
    except queue.Empty:
        reachable = False
    _reached[endpoint] = (time.monotonic(), reachable)
    return reachable


def forget_reachability() -> None:
    """Ask again at the next call, for example after the network was repaired."""
    _reached.clear()


def _knock(client: Any, endpoint: str, answer: queue.Queue[bool]) -> None:
    try:
        client.head(f"{endpoint}/api/models", timeout=_REACH_SECONDS, follow_redirects=False)
    except Exception:  # noqa: BLE001 (whatever the reason: not reachable)
        answer.put(False)
    else:
        answer.put(True)


def guarded_client(endpoint: str) -> Any:
    """The library's own HTTP client, made to check where every request goes."""
    global _guarded  # the library has one client for the whole process
    import huggingface_hub as hub  # noqa: PLC0415 (heavy import, only when needed)

    with _guard_lock:
        trust(endpoint)
        if not _guarded:
            hub.set_client_factory(_make_client)
            _guarded = True
    return hub.get_session()


def _make_client() -> Any:
    from huggingface_hub.utils import _http  # noqa: PLC0415 (heavy import, only when needed)

    client = _http.default_client_factory()
    client.event_hooks = {**client.event_hooks, "request": [*client.event_hooks["request"], guard_request]}
    return client


def api(sources: ModelSources) -> Any:
    """The library's client for the configured hub."""
    import huggingface_hub as hub  # noqa: PLC0415 (heavy import, only when needed)

    guarded_client(endpoint_of(sources))
    return hub.HfApi(endpoint=endpoint_of(sources), token=sources.token, library_name="tameshi")


@contextlib.contextmanager
def translated(model: str, revision: str | None = None) -> Iterator[None]:
    """Turn the library's errors into ours.

    Args:
        model: The id, for the message.
        revision: The revision, for the message.
    """
    import huggingface_hub.errors as known  # noqa: PLC0415 (heavy import, only when needed)

    try:
        yield
    except (SourceUnavailable, Cancelled):
        raise
    except known.GatedRepoError as error:
        message = f"`{model}` is gated: its publisher grants access person by person."
        raise AccessDenied(
            message, f"Ask for access on the model's page, then log in with `hf auth login`: {model}."
        ) from error
    except known.RepositoryNotFoundError as error:
        message = f"`{model}` was not found on the hub."
        step = "Check the spelling; for a private model log in with `hf auth login`."
        raise ModelNotFound(message, step, model=model) from error
    except known.RevisionNotFoundError as error:
        message = f"`{model}` has no revision `{revision}`."
        raise ModelNotFound(
            message, "Use `main`, a tag or a full commit from the model's page.", model=model
        ) from error
    except known.HFValidationError as error:
        raise ModelNotFound(
            f"`{model}` is not an id the hub knows.", "Write it as `organisation/name`.", model=model
        ) from error
    except known.HfHubHTTPError as error:
        raise _http_error(model, error) from error
    except (OSError, known.LocalEntryNotFoundError, _network_error()) as error:
        message = f"The hub did not deliver `{model}` ({_reason(error)})."
        step = "Try again; what was fetched so far is kept and continued."
        raise SourceUnavailable(message, step, code=INTERRUPTED) from error
    except (ValueError, KeyError, TypeError) as error:  # an answer that is not the hub's, such as a login page
        message = f"What answered in the hub's place for `{model}` is not a hub."
        raise SourceUnavailable(message, "Check the hub's address and whether a proxy asks for a login.") from error


def _network_error() -> type[Exception]:
    import httpx2  # noqa: PLC0415 (the library's own HTTP client)

    return httpx2.HTTPError


def _http_error(model: str, error: Exception) -> Exception:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    if status in {401, 403}:
        message = f"The hub refused access to `{model}` (status {status})."
        return AccessDenied(message, "Log in with `hf auth login`, or ask for access on the model's page.")
    asked_s = seconds_asked_for(getattr(response, "headers", {}))
    if status == 429:
        message = f"The hub is limiting our requests (status 429), so `{model}` was not fetched."
        step = "Wait a few minutes and try again, or log in for a higher limit."
        if asked_s is not None:
            step = f"Try again in {asked_s:.0f} s, as the hub asks, or log in for a higher limit."
        return SourceUnavailable(message, step, code=BUSY, retry_after_s=-1.0 if asked_s is None else asked_s)
    message = f"The hub could not answer for `{model}` (status {status})."
    step = "Try again later, or use a mirror folder."
    if status not in _PASSING:
        return SourceUnavailable(message, step)
    return SourceUnavailable(message, step, code=BUSY, retry_after_s=-1.0 if asked_s is None else asked_s)


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:120] if text else type(error).__name__


def list_repository(model: str, revision: str | None, sources: ModelSources) -> HubListing:
    """List a repository at a revision.

    Args:
        model: Its id.
        revision: Branch, tag or commit; the main branch when absent.
        sources: Names the hub.

    Returns:
        The resolved commit and its files.
    """
    return patiently(lambda: _listing(model, revision, sources), longest_s=_LISTING_PATIENCE_S)


def _listing(model: str, revision: str | None, sources: ModelSources) -> HubListing:
    with translated(model, revision):
        info = api(sources).model_info(model, revision=revision, files_metadata=True, timeout=_CALL_SECONDS)
        files = [_hub_file(each) for each in (info.siblings or [])[:_MAX_LISTED_FILES]]
        return HubListing(
            id=_exactly_like(_ID, info.id, "id"),
            commit=_exactly_like(_COMMIT, info.sha, "commit"),
            files=tuple(sorted(files, key=lambda each: each.name)),
            gated=bool(info.gated),
            private=bool(info.private),
        )


def _hub_file(sibling: Any) -> HubFile:
    """One listed file; its hashes become names of files in the cache, so they must be hashes."""
    large = sibling.lfs
    return HubFile(
        name=sibling.rfilename,
        size_bytes=sibling.size or 0,
        sha256=_exactly_like(_SHA256, large.sha256, "hash") if large is not None else None,
        git_id=_exactly_like(_GIT_ID, sibling.blob_id, "hash") if sibling.blob_id is not None else None,
    )


def _exactly_like(form: re.Pattern[str], value: object, kind: str) -> str:
    if not isinstance(value, str) or not form.match(value):
        raise ValueError(f"no {kind} in the answer")
    return value


def default_cache() -> Path:
    """The Hugging Face library's own cache folder."""
    from huggingface_hub import constants  # noqa: PLC0415 (heavy import, only when needed)

    return Path(constants.HF_HUB_CACHE)
