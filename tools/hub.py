"""Everything that is asked of the hub, through huggingface_hub; its errors become ours here and nowhere else."""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from tools.errors import AccessDenied, Cancelled, ModelNotFound, SourceUnavailable
from tools.model_sources import ModelSources

PUBLIC_ENDPOINT = "https://huggingface.co"
"""Used when no endpoint is set."""
_REACH_SECONDS = 2.0
_REMEMBER_SECONDS = 60.0
_CALL_SECONDS = 10.0
_MAX_LISTED_FILES = 20_000
_reached: dict[str, tuple[float, bool]] = {}
_trusted_origins: set[tuple[str, str, int]] = set()
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
    base_models: tuple[str, ...] = ()
    """Base models as the card states them."""


class HubCommit(BaseModel):
    """One commit of a repository."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    commit: str
    """Full commit."""
    title: str
    """First line of its message. Untrusted text."""
    created_at: datetime
    """When it was made, UTC."""


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
    knock = threading.Thread(target=_knock, args=(_client(endpoint), endpoint, answer), daemon=True)
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


def _client(endpoint: str) -> Any:
    """The library's own HTTP client, made to check where every request goes."""
    global _guarded  # the library has one client for the whole process
    import huggingface_hub as hub  # noqa: PLC0415 (heavy import, only when needed)

    with _guard_lock:
        _trusted_origins.add(_origin(endpoint))
        if not _guarded:
            hub.set_client_factory(_make_guarded_client)
            _guarded = True
    return hub.get_session()


def _make_guarded_client() -> Any:
    from huggingface_hub.utils import _http  # noqa: PLC0415 (heavy import, only when needed)

    client = _http.default_client_factory()
    client.event_hooks = {**client.event_hooks, "request": [*client.event_hooks["request"], _guard_request]}
    return client


def _guard_request(request: Any) -> None:
    """Every request, redirected ones included: the token stays with its host, and nothing internal is asked."""
    origin = _origin(str(request.url))
    if origin in _trusted_origins:
        return
    request.headers.pop("authorization", None)
    if origin[0] != "https" or _is_internal(origin[1]):
        message = f"The hub sent us on to `{origin[0]}://{origin[1]}`, which is not asked."
        raise SourceUnavailable(message, "Ask the administrator to check the hub's address.", code="redirect_refused")


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def _is_internal(host: str) -> bool:
    if (
        host == "localhost"
        or host.endswith((".local", ".internal", ".localhost"))
        or "." not in host
        and ":" not in host
    ):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:  # a name, not an address
        return False


def api(sources: ModelSources) -> Any:
    """The library's client for the configured hub."""
    import huggingface_hub as hub  # noqa: PLC0415 (heavy import, only when needed)

    _client(endpoint_of(sources))
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
        raise SourceUnavailable(message, "Try again; what was fetched so far is kept and continued.") from error
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
    if status == 429:
        message = f"The hub is limiting our requests (status 429), so `{model}` was not fetched."
        return SourceUnavailable(message, "Wait a few minutes and try again, or log in for a higher limit.")
    message = f"The hub could not answer for `{model}` (status {status})."
    return SourceUnavailable(message, "Try again later, or use a mirror folder.")


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
    with translated(model, revision):
        info = api(sources).model_info(model, revision=revision, files_metadata=True, timeout=_CALL_SECONDS)
        siblings = (info.siblings or [])[:_MAX_LISTED_FILES]
        files = [
            HubFile(
                name=each.rfilename,
                size_bytes=each.size or 0,
                sha256=each.lfs.sha256 if each.lfs is not None else None,
                git_id=each.blob_id,
            )
            for each in siblings
        ]
        if not isinstance(info.sha, str) or len(info.sha) != 40:
            raise ValueError("no commit in the answer")
        return HubListing(id=info.id, commit=info.sha, files=tuple(sorted(files, key=lambda each: each.name)))


def list_commits(model: str, revision: str | None, sources: ModelSources) -> tuple[HubCommit, ...]:
    """Commits that lead to a revision, newest first."""
    with translated(model, revision):
        commits = api(sources).list_repo_commits(model, revision=revision)
        return tuple(
            HubCommit(commit=each.commit_id, title=each.title[:200], created_at=each.created_at)
            for each in commits[:1_000]
        )


def cache_folder(model: str, sources: ModelSources) -> Path:
    """The model's folder in the hub's cache, whether or not it is there."""
    from huggingface_hub import constants  # noqa: PLC0415 (heavy import, only when needed)

    cache = sources.cache_dir or Path(constants.HF_HUB_CACHE)
    return cache / ("models--" + model.replace("/", "--"))


def remember_revision(listing: HubListing, revision: str, sources: ModelSources) -> None:
    """Note in the hub's cache which commit a branch or tag was, so that it is found there without the hub."""
    if revision == listing.commit:
        return
    reference = cache_folder(listing.id, sources) / "refs" / revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    unfinished = reference.with_name(f"{reference.name}.{threading.get_ident()}.tmp")
    unfinished.write_text(listing.commit, encoding="utf-8")
    unfinished.replace(reference)


def cached_commit(model: str, revision: str | None, sources: ModelSources) -> tuple[str, Path] | None:
    """Commit and folder of a model in the hub's cache; None when the cache does not have it."""
    folder = cache_folder(model, sources)
    commit = revision or "main"
    reference = folder / "refs" / commit
    if reference.is_file() and reference.stat().st_size < 200:
        commit = reference.read_text(encoding="utf-8").strip()
    snapshot = folder / "snapshots" / commit
    if not commit.isalnum() or not snapshot.is_dir():
        return None
    return commit, snapshot
