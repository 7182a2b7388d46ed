"""Facts about files that are dear to find out, remembered for as long as a file stays as it is.

In memory always; on disk as well once a place was named, so that the next process need not read gigabytes again. A file
is as it was while its path, inode, size and both times are: whoever can set the time of a change back owns the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MOST = 2_000
_SETTLED_NS = 2_000_000_000
"""A file written to more recently may change again within the same tick of its times."""
_lock = threading.Lock()
_facts: dict[str, Any] = {}
_place: Path | None = None


def remember_in(place: Path | None) -> None:
    """Name the file that facts are kept in beyond this process; None keeps them in memory.

    Args:
        place: A JSON file, made with its folder when there is something to write.
    """
    global _place
    with _lock:
        if place != _place:
            _place = place
            for key, value in _read(place).items():
                _facts.setdefault(key, value)


def fact_of(kind: str, path: Path, find: Callable[[], Any]) -> Any:
    """A fact about a file, found out once while the file stays as it is.

    Args:
        kind: What fact it is.
        path: The file; links are followed.
        find: Finds it out; returns a JSON value.

    Returns:
        What `find` returned, now or earlier.

    Raises:
        OSError: The file is not there.
    """
    status = path.stat()
    key = f"{kind} {path}"
    state = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    with _lock:
        known = _facts.get(key)
    if isinstance(known, list) and len(known) == 2 and known[0] == state:
        return known[1]
    value = find()
    with _lock:
        _facts[key] = [state, value]
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS:
            _keep(key)
    return value


def _keep(key: str) -> None:
    """Add to the file, which other processes add to as well; a fact that gets lost is found out again."""
    if _place is None:
        return
    kept = list((_read(_place) | {key: _facts[key]}).items())[-_MOST:]
    new = _place.with_name(f"{_place.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        _place.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(dict(kept), ensure_ascii=True), encoding="ascii")
        new.replace(_place)


def _read(place: Path | None) -> dict[str, Any]:
    try:
        content = json.loads(place.read_bytes()) if place is not None else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
