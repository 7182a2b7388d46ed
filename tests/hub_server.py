"""A small real hub for tests: models, commits, files with ranges and ETags, over HTTP on loopback; it can misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
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

    def at(self, revision: str) -> Commit | None:
        if revision == "main":
            return self.commits[-1]
        sha = self.tags.get(revision, revision)
        return next((each for each in self.commits if each.sha == sha), None)


@dataclass
class Fault:
    """What goes wrong for paths that contain a text: a status, `cut`, `wrong_length`, `html`, `other_bytes`, or `redirect`."""

    path_part: str
    kind: str | int
    times: int = 1_000_000
    target: str = ""


class HubServer:
    """Start with `with HubServer() as hub:`; `hub.endpoint` is its address."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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

    def fail(self, path_part: str, kind: str | int, times: int = 1_000_000, target: str = "") -> None:
        """Let requests whose path contains a text go wrong."""
        self.faults.append(Fault(path_part, kind, times, target))

    def take_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.path_part in path and fault.times > 0:
                fault.times -= 1
                return fault
        return None


def git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(name: str, content: bytes) -> bool:
    return name.endswith((".safetensors", ".bin")) or len(content) >= LARGE_FROM_BYTES


def described(name: str, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git_id(content)}
    if is_large(name, content):
        entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


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
            self._send(fault.kind, b'{"error": "fault"}', {"X-Error-Code": codes.get(fault.kind, "Fault")})
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
        if repository is None:
            self._send(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return
        kind, revision = (parts[2] if len(parts) > 2 else "revision"), "/".join(parts[3:]) or "main"
        commit = repository.at(revision)
        if kind == "refs":
            branches = [{"name": "main", "ref": "refs/heads/main", "targetCommit": repository.commits[-1].sha}]
            self._json({"branches": branches, "converts": [], "tags": []})
        elif commit is None:
            self._send(404, b'{"error": "Revision not found"}', {"X-Error-Code": "RevisionNotFound"})
        elif kind == "commits":
            self._commits(repository, commit)
        elif kind == "tree":
            self._tree(commit)
        else:
            siblings = [described(each, content) for each, content in commit.files.items()]
            answer = {"id": name, "modelId": name, "sha": commit.sha, "siblings": siblings, "tags": [], "private": False,
                      "downloads": 0, "likes": 0, "gated": False, "disabled": False}  # fmt: skip
            self._json(answer)

    def _commits(self, repository: Repository, last: Commit) -> None:
        history = repository.commits[: repository.commits.index(last) + 1][::-1]
        self._json(
            [
                {"id": each.sha, "title": each.title, "message": "", "date": "2026-01-01T00:00:00.000Z", "authors": []}
                for each in history
            ]
        )

    def _tree(self, commit: Commit) -> None:
        entries = []
        for name, content in commit.files.items():
            entry = {"type": "file", "path": name, "size": len(content), "oid": git_id(content)}
            if is_large(name, content):
                entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
            entries.append(entry)
        self._json(entries)

    def _resolve(self, path: str, fault: Fault | None) -> None:
        name, _, rest = path.partition("/resolve/")
        repository = self.server_hub.repositories.get(name)
        revision, _, file = rest.partition("/")
        commit = repository.at(revision) if repository is not None else None
        if commit is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        if file not in commit.files:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            return
        content = commit.files[file]
        etag = hashlib.sha256(content).hexdigest() if is_large(file, content) else git_id(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit.sha, "Accept-Ranges": "bytes"}
        if is_large(file, content):
            headers |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{etag}"'}
        self._send_content(content, headers, fault)

    def _send_content(self, content: bytes, headers: dict[str, str], fault: Fault | None) -> None:
        status, first = 200, 0
        wanted = self.headers.get("Range", "")
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
        self._send(status, content, headers)

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
