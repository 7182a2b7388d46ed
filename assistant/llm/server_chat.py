"""A chat model behind an OpenAI-compatible server, held to a time and a size whatever the server does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx  # the HTTP library of the openai package
from langchain_core.language_models import LanguageModelInput
from langchain_openai import ChatOpenAI
from openai import DefaultHttpxClient
from pydantic import PrivateAttr

CONNECT_S = 5.0
"""Longest wait for a connection, in seconds."""
MOST_BYTES = 4_000_000
"""Longest response of a server, in bytes."""
_STARTED = "tameshi_started"


class ServerChat(ChatOpenAI):
    """ChatOpenAI that asks for the first model the server lists when none is named."""

    _listed: str = PrivateAttr(default="")

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        return {**payload, "model": payload["model"] or self._first_listed()}

    def _first_listed(self) -> str:
        # Asked when first needed, not at start: the server may come up later than we do.
        if not self._listed:
            self._listed = next((model.id for model in self.root_client.models.list()), "")
            if not self._listed:
                raise LookupError("the server lists no model")
        return self._listed


def connect_server(url: str, model: str, api_key: str, timeout_s: float) -> ServerChat:
    """A server's chat model.

    Args:
        url: The server's address; `/v1` is added to an address without a path.
        model: The model's name there; empty takes the first listed.
        api_key: Its key; empty when it needs none.
        timeout_s: Longest time for one answer, in seconds.
    """
    address = httpx.URL(url)
    return ServerChat(
        base_url=str(address.copy_with(path="/v1") if address.path in {"", "/"} else address),
        model=model,
        api_key=api_key or "none",  # type: ignore[arg-type]  # a plain text becomes a secret
        timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        max_retries=0,
        temperature=0,
        use_responses_api=False,
        http_client=limited_client(timeout_s, MOST_BYTES),
    )


def limited_client(timeout_s: float, most_bytes: int) -> httpx.Client:
    """A client whose responses end after a time and a size: a read timeout alone lets a byte a second go on for ever.

    Args:
        timeout_s: From the request to the last byte, in seconds.
        most_bytes: Longest body.
    """

    def start(request: httpx.Request) -> None:
        request.extensions[_STARTED] = time.monotonic()

    def limit(response: httpx.Response) -> None:
        deadline = response.request.extensions[_STARTED] + timeout_s
        response.stream = _LimitedStream(response.stream, response.request, deadline, most_bytes)  # type: ignore[arg-type]

    return DefaultHttpxClient(event_hooks={"request": [start], "response": [limit]})


class _LimitedStream(httpx.SyncByteStream):
    """A response's body that raises when it takes too long or grows too large."""

    def __init__(self, inner: httpx.SyncByteStream, request: httpx.Request, deadline: float, most_bytes: int) -> None:
        self._inner, self._request, self._deadline, self._most_bytes = inner, request, deadline, most_bytes

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for part in self._inner:
            seen += len(part)
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("the answer took too long", request=self._request)
            if seen > self._most_bytes:
                raise httpx.ReadError("the answer is too long", request=self._request)
            yield part

    def close(self) -> None:
        self._inner.close()
