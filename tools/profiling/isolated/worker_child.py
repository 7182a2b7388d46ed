"""Runs a function in a forked child, so that what it imports and keeps is no part of the measured process."""

from __future__ import annotations

import io
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import torch

_PIECE = 1 << 20


def in_child(function: Callable[[], dict[str, Any]], timeout_s: float) -> dict[str, Any] | None:
    """Run it in a child.

    Args:
        function: Gives tensors, texts and numbers; uses the processor alone.
        timeout_s: Seconds until the child is killed.

    Returns:
        What the function gave; None when the child crashed or ran out of time.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(function, writing)
    os.close(writing)
    content = None
    try:
        content = _read(reading, time.monotonic() + timeout_s)
    finally:
        os.close(reading)
        if content is None:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    return torch.load(io.BytesIO(content), weights_only=True) if content and status == 0 else None


def _answer(function: Callable[[], dict[str, Any]], writing: int) -> NoReturn:
    """Send the answer and end: whatever happens, the child must not go on as a second worker."""
    code = 1
    try:
        torch.set_num_threads(1)  # threads of the parent do not exist here
        buffer = io.BytesIO()
        torch.save(function(), buffer)
        with os.fdopen(writing, "wb") as stream:
            stream.write(buffer.getvalue())
        code = 0
    except BaseException:  # noqa: BLE001 (tokenizers' panics are no Exception; the parent goes on without)
        traceback.print_exc()
    finally:
        os._exit(code)


def _read(handle: int, deadline: float) -> bytes | None:
    """Everything up to the end of the stream; None when that does not come in time."""
    pieces: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            return None
        piece = os.read(handle, _PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
