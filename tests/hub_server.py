"""A small real hub for tests: models, commits, files with ranges and ETags, over HTTP on loopback; it can misbehave."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

LARGE_FROM_BYTES = 1_000_000


@dataclass
class Commit:
    """The files of one commit."""

    sha: str
    title: str
    files: dict[str, bytes]


@dataclass
class Repository:
    """A model with its commits, oldest first."""

    id: str
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    gated: bool | str = False
    private: bool = False
    token: str = ""
    """Who has it may read a gated or private model."""

    def at(self, revision: str) -> Commit | None:
        if revision == "main":
            return self.commits[-1]
        sha = {**self.branches, **self.tags}.get(revision, revision)
        return next((each for each in self.commits if each.sha == sha), None)

    def refs(self) -> dict[str, object]:
        branches = {"main": self.commits[-1].sha, **self.branches}
        return {
            "branches": [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": sha} for n, sha in branches.items()],
            "tags": [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": sha} for n, sha in self.tags.items()],
            "converts": [],
        }


@dataclass
class Fault:
    """What goes wrong for paths that contain a text.

    A status; `cut` half way, `wrong_length`, `other_bytes`, `slow` (a piece, then a pause), `html` (a login page), `redirect`, `no_range`.
    """

    path_part: str
    kind: str | int
    times: int = 1_000_000
    skip: int = 0
    """Requests that go well first."""
    target: str = ""
    retry_after: str = ""
    piece_bytes: int = 1
    pause_s: float = 1.0


class HubServer:
    """Start with `with HubServer() as hub:`; `hub.endpoint` is its address."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def commit(self, model: str, files: dict[str, bytes], title: str = "Update") -> str:
        """Add a commit that holds exactly these files; returns its hash."""
        repository = self.repositories.setdefault(model, Repository(model))
        parts = [f"{name}:{hashlib.sha256(content).hexdigest()}" for name, content in sorted(files.items())]
        sha = hashlib.sha1("\n".join([model, str(len(repository.commits)), *parts]).encode()).hexdigest()
        repository.commits.append(Commit(sha, title, dict(files)))
        return sha

    def restrict(self, model: str, token: str, *, gated: bool | str = False, private: bool = False) -> None:
        """Give a model's files, or if private the model itself, only to those who have the token."""
        repository = self.repositories[model]
        repository.gated, repository.private, repository.token = gated, private, token

    def fail(self, path_part: str, kind: str | int, times: int = 1_000_000, **how: Any) -> None:
        """Let requests whose path contains a text go wrong."""
        self.faults.append(Fault(path_part, kind, times, **how))

    def take_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.path_part not in path or fault.times <= 0:
                continue
            if fault.skip == 0:
                fault.times -= 1
                return fault
            fault.skip -= 1
        return None


@lru_cache(maxsize=64)
def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=64)
def git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(name: str, content: bytes) -> bool:
    return name.endswith((".safetensors", ".bin")) or len(content) >= LARGE_FROM_BYTES


def lfs_of(name: str, content: bytes, key: str) -> dict[str, object]:
    entry = {key: sha256(content), "size": len(content), "pointerSize": 130}
    return {"lfs": entry} if is_large(name, content) else {}


def described(name: str, content: bytes) -> dict[str, object]:
    return {"rfilename": name, "size": len(content), "blobId": git_id(content), **lfs_of(name, content, "sha256")}


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that was killed is no news
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: HubServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server_hub.requests.append(
            (self.command, path, {key.lower(): value for key, value in self.headers.items()})
        )
        fault = self.server_hub.take_fault(path)
        if fault is not None and isinstance(fault.kind, int):
            codes = {403: "GatedRepo", 404: "RepoNotFound"}
            headers = {"X-Error-Code": codes.get(fault.kind, "Fault")}
            headers |= {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(fault.kind, b'{"error": "fault"}', headers)
        elif fault is not None and fault.kind == "redirect":
            self._send(302, b"", {"Location": fault.target})
        elif fault is not None and fault.kind == "html":
            self._send(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        elif path.startswith("/api/models"):
            self._api(path.removeprefix("/api/models").strip("/"))
        elif "/resolve/" in path:
            self._resolve(path.strip("/"), fault)
        else:
            self._send(404, b"{}")

    def _api(self, path: str) -> None:
        if not path:
            self._json([])
            return
        parts = path.split("/")
        name = "/".join(parts[:2])
        repository = self.server_hub.repositories.get(name)
        if repository is None or (repository.private and not self._may_read(repository)):
            self._send(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return
        kind, revision = (parts[2] if len(parts) > 2 else "revision"), "/".join(parts[3:]) or "main"
        commit = repository.at(revision)
        if kind == "refs":
            self._json(repository.refs())
        elif commit is None:
            self._send(404, b'{"error": "Revision not found"}', {"X-Error-Code": "RevisionNotFound"})
        elif kind == "commits":
            self._commits(repository, commit)
        elif kind == "tree":
            self._tree(commit)
        else:
            siblings = [described(each, content) for each, content in commit.files.items()]
            answer = {"id": name, "modelId": name, "sha": commit.sha, "siblings": siblings, "tags": [], "private": repository.private,
                      "downloads": 0, "likes": 0, "gated": repository.gated, "disabled": False}  # fmt: skip
            self._json(answer)

    def _may_read(self, repository: Repository) -> bool:
        return not repository.token or self.headers.get("Authorization") == f"Bearer {repository.token}"

    def _commits(self, repository: Repository, last: Commit) -> None:
        history = repository.commits[: repository.commits.index(last) + 1][::-1]
        date = "2026-01-01T00:00:00.000Z"
        self._json([{"id": c.sha, "title": c.title, "message": "", "date": date, "authors": []} for c in history])

    def _tree(self, commit: Commit) -> None:
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": git_id(content), **lfs_of(name, content, "oid")}
            for name, content in commit.files.items()
        ]
        self._json(entries)

    def _resolve(self, path: str, fault: Fault | None) -> None:
        name, _, rest = path.partition("/resolve/")
        repository = self.server_hub.repositories.get(name)
        revision, _, file = rest.partition("/")
        commit = repository.at(revision) if repository is not None else None
        if repository is None or commit is None or (repository.private and not self._may_read(repository)):
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        if not self._may_read(repository):
            self._send(403, b'{"error": "gated"}', {"X-Error-Code": "GatedRepo"})
            return
        if file not in commit.files:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            return
        content = commit.files[file]
        etag = sha256(content) if is_large(file, content) else git_id(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit.sha, "Accept-Ranges": "bytes"}
        if is_large(file, content):
            headers |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{etag}"'}
        self._send_content(content, headers, fault)

    def _send_content(self, content: bytes, headers: dict[str, str], fault: Fault | None) -> None:
        status, first = 200, 0
        wanted = "" if fault is not None and fault.kind == "no_range" else self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), int(end) if end else len(content) - 1
            status, headers = (
                206,
                {**headers, "Content-Range": f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"},
            )
            content = content[first : last + 1]
        kind = fault.kind if fault is not None and self.command == "GET" else None
        if kind == "other_bytes":
            content = bytes(len(content))
        if kind == "wrong_length":
            content = content + b"more"
        if kind == "cut":
            self.close_connection = True
            self._send(status, content, headers, sent=len(content) // 2)
            return
        if fault is not None and kind == "slow":
            self._send(status, content, headers, sent=0)
            self._trickle(content, fault)
            return
        self._send(status, content, headers)

    def _trickle(self, content: bytes, fault: Fault) -> None:
        """One piece after the other until the client has had enough."""
        try:
            for start in range(0, len(content), fault.piece_bytes):
                self.wfile.write(content[start : start + fault.piece_bytes])
                time.sleep(fault.pause_s)
        except OSError:
            self.close_connection = True

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, sent: int | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if sent is None else body[:sent])
