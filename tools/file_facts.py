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
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_MOST = 2_000
_MOST_PARSED_BYTES = 64_000_000
_SETTLED_NS = 2_000_000_000
"""A file written to more recently may change again within the same tick of its times."""
_lock = threading.Lock()
_facts: dict[str, dict[str, Any]] = {}
"""By kind and path: the state of the file and the fact."""
_place: Path | None = None
_parsed: OrderedDict[tuple[str, str], tuple[list[int], Any, int]] = OrderedDict()
"""By kind and path, the one used last at the end: the state of the file, what it parses to, and from how many bytes."""


def remember_in(place: Path | None) -> None:
    """Name the folder that facts are kept in beyond this process; None keeps them in memory.

    Args:
        place: The folder, with a JSON file for each kind; made when there is something to write.
    """
    global _place
    with _lock:
        if place != _place:
            _place = place
            _facts.clear()


def fact_of(kind: str, path: Path, find: Callable[[], Any]) -> Any:
    """A fact about a file, found out once while the file stays as it is.

    Args:
        kind: What fact it is; the name of its file.
        path: The file; links are followed.
        find: Finds it out; returns a JSON value.

    Returns:
        What `find` returned, now or earlier.

    Raises:
        OSError: The file is not there.
    """
    state = _state(path)
    key = str(path)
    with _lock:
        known = _of_kind(kind).get(key)
    if isinstance(known, list) and len(known) == 2 and known[0] == state:
        return known[1]
    value = find()
    with _lock:
        _of_kind(kind)[key] = [state, value]
        if _is_settled(state):
            _keep(kind, key)
    return value


def parsed_of(kind: str, path: Path | None, parse: Callable[[], T], parsed_bytes: Callable[[T], int]) -> T:
    """What a file parses to, kept in this process alone while the file stays as it is; the least used go first.

    A file that was written a moment ago is parsed anew each time: it may change within the same tick of its times.

    Args:
        kind: What it is parsed to.
        path: The file; None where it is not on this machine, and nothing is kept.
        parse: Parses it. The value is shared, so that nobody may change it.
        parsed_bytes: From how many bytes a value was made.

    Returns:
        What `parse` returned, now or earlier.
    """
    if path is None:
        return parse()
    key, state = (kind, str(path)), _state(path)
    with _lock:
        known = _parsed.get(key)
        if known is not None and known[0] == state:
            _parsed.move_to_end(key)
            return known[1]
    value = parse()
    if _is_settled(state) and state == _state(path):
        with _lock:
            _parsed[key] = (state, value, parsed_bytes(value))
            while sum(size for _, _, size in _parsed.values()) > _MOST_PARSED_BYTES:
                _parsed.popitem(last=False)
    return value


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _is_settled(state: list[int]) -> bool:
    return time.time_ns() - max(state[2:]) > _SETTLED_NS


def _of_kind(kind: str) -> dict[str, Any]:
    if kind not in _facts:
        _facts[kind] = _read(kind)
    return _facts[kind]


def _keep(kind: str, key: str) -> None:
    """Add to the file, which other processes add to as well; a fact that gets lost is found out again."""
    if _place is None:
        return
    kept = list((_read(kind) | {key: _facts[kind][key]}).items())[-_MOST:]
    new = _place / f"{kind}.{os.getpid()}"
    with contextlib.suppress(OSError):
        _place.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(dict(kept), ensure_ascii=True), encoding="ascii")
        new.replace(_place / f"{kind}.json")


def _read(kind: str) -> dict[str, Any]:
    try:
        content = json.loads((_place / f"{kind}.json").read_bytes()) if _place is not None else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
