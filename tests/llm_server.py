"""A small OpenAI-compatible server for tests, over real HTTP on loopback; it can misbehave in many ways."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Reply:
    """One answer of the server, and what goes wrong with it."""

    words: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Tool names with their arguments as the text that is sent."""
    status: int = 200
    wait_s: float = 0.0
    """Before the first byte."""
    drip_s: float = 0.0
    """Between single bytes of the body, for ever."""
    cut: bool = False
    """Half of the body, then the connection is closed."""
    body: bytes | None = None
    """Sent in place of everything else."""


class LlmServer:
    """Start with `with LlmServer([Reply("Hello.")]) as server:`; the last reply is given for ever."""

    def __init__(self, replies: list[Reply], models: tuple[str, ...] = ("first-model", "second-model")) -> None:
        self.replies, self.models = replies, models
        self.asked: list[dict[str, Any]] = []
        """Bodies of the chat requests, in order."""
        self.headers: list[Message] = []
        self.stopping = threading.Event()
        served = self

        class Handler(_Handler):
            server_llm = served

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def next_reply(self, request: dict[str, Any]) -> Reply:
        self.asked.append(request)
        return self.replies[min(len(self.asked), len(self.replies)) - 1]


class _Handler(BaseHTTPRequestHandler):
    server_llm: LlmServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            self._send(404, b'{"error": {"message": "not found"}}')
            return
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self.server_llm.models]
        self._send(200, json.dumps({"object": "list", "data": listed}).encode())

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions":
            self._send(404, b'{"error": {"message": "not found"}}')
            return
        self.server_llm.headers.append(self.headers)
        reply = self.server_llm.next_reply(request)
        self.server_llm.stopping.wait(reply.wait_s)
        if reply.status != 200:
            self._send(reply.status, b'{"error": {"message": "the server has a bad day"}}')
        elif request.get("stream"):
            self._stream(reply, request["model"])
        else:
            self._send(200, _body(reply, request["model"]) if reply.body is None else reply.body, reply)

    def _send(self, status: int, body: bytes, reply: Reply | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self._write(body, reply)
        except OSError:
            self.close_connection = True

    def _write(self, body: bytes, reply: Reply | None) -> None:
        if reply and reply.drip_s:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server_llm.stopping.wait(reply.drip_s):
                    return
        elif reply and reply.cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def _stream(self, reply: Reply, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        pieces = [{"content": word} for word in reply.words.split(" ")]
        for i, piece in enumerate(pieces[: len(pieces) // 2] if reply.cut else pieces):
            self._event({"content": (" " if i else "") + piece["content"]}, model)
        if reply.cut:
            self.close_connection = True
            return
        for i, (name, arguments) in enumerate(reply.calls):
            function = {"name": name, "arguments": arguments}
            self._event(
                {"tool_calls": [{"index": i, "id": f"call_{i}", "type": "function", "function": function}]}, model
            )
        self._event({}, model, "tool_calls" if reply.calls else "stop")
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, delta: dict[str, Any], model: str, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}
        self._chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _body(reply: Reply, model: str) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": reply.words}
    if reply.calls:
        message["tool_calls"] = [
            {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for i, (name, arguments) in enumerate(reply.calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if reply.calls else "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    answer = {"id": "x", "object": "chat.completion", "created": int(time.time()), "model": model}
    return json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
