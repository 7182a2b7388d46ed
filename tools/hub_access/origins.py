"""Where requests to the hub may go: the hub itself, and public addresses it sends us on to, which never see the token."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from tools.errors import SourceUnavailable

_trusted: set[tuple[str, str, int]] = set()


def trust(endpoint: str) -> None:
    """Take an address as a hub's: the administrator fixed it at start.

    Args:
        endpoint: The hub's address.
    """
    _trusted.add(_origin(endpoint))


def guard_request(request: Any) -> None:
    """Check a request before it is sent, a redirected one too: the token stays with its host, nothing internal is asked.

    Args:
        request: The HTTP client's request; its headers are changed.

    Raises:
        SourceUnavailable: It would go to an internal address, or over a line that anybody can read.
    """
    origin = _origin(str(request.url))
    if origin in _trusted:
        return
    for header in ("authorization", "cookie"):
        request.headers.pop(header, None)
    # A name that leads to an internal address gets no further either: there is no certificate of that name there.
    if origin[0] != "https" or _is_internal(origin[1]):
        message = f"The hub sent us on to `{origin[0]}://{origin[1]}`, which is not asked."
        raise SourceUnavailable(message, "Ask the administrator to check the hub's address.", code="redirect_refused")


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def _is_internal(host: str) -> bool:
    named_so = host == "localhost" or host.endswith((".local", ".internal", ".localhost"))
    if named_so or ("." not in host and ":" not in host):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:  # a name, not an address
        return False
