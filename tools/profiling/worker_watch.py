"""Watches one started worker: its lines, its limits, and what its end means."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from pydantic import BaseModel, ConfigDict

from tools.errors import DeviceError, OutOfMemory, ToolError, UnsupportedModel, WorkerFailed
from tools.progress import CancelToken, Progress

_MAX_REPLY_BYTES = 1_000_000
_MAX_MESSAGE = 300
_POLL_S = 0.1
_PIECE = 65_536
_END_S = 10.0


OnPart = Callable[[dict[str, Any]], None]
"""Called with figures that a worker sends before its record."""


def ignore_part(part: dict[str, Any]) -> None:
    """For callers who wait for the record."""


class WorkerLimits(BaseModel):
    """What the worker may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_s: float = 900.0
    """Seconds until the worker is killed."""
    memory_mib: int | None = None
    """Memory in MiB; absent means what the machine has free now, and no limit on an accelerator."""
    reply_bytes: int = _MAX_REPLY_BYTES
    """Most bytes it may send back."""


class StartedWorker(Protocol):
    """A worker's process, however it came to be."""

    requests: BinaryIO
    """The job is written here."""
    replies: int
    """Handle that its lines are read from."""

    def wait(self, timeout_s: float) -> int | None:
        """The exit status, a signal's number negative; None when it has not ended in time."""
        ...

    def kill(self) -> None:
        """End it and whatever it started; harmless when it has ended."""
        ...


def collect(collected: dict[str, Any], part: dict[str, Any]) -> None:
    """Keep figures as they come: a list is added to what was there, anything else replaces it."""
    for name, value in part.items():
        there = collected.get(name)
        collected[name] = [*there, *value] if isinstance(there, list) and isinstance(value, list) else value


class Watch:
    """One worker from the job it is given to its end.

    Args:
        job: What it is asked to do.
        limits: What it may use.
        needed_mib: Forecast peak, named in the message when memory runs out.
        folder: Its working folder; holds what it wrote to its error stream.
        on_part: Told the figures that it sends before its record.
    """

    def __init__(
        self,
        job: dict[str, Any],
        limits: WorkerLimits,
        needed_mib: float | None,
        folder: Path,
        on_part: OnPart = ignore_part,
    ) -> None:
        self.job, self.limits, self.needed_mib, self.folder = job, limits, needed_mib, folder
        self._on_part = on_part
        self.collected: dict[str, Any] = {}
        self.stage = "starting"
        self._last: dict[str, Any] = {}
        self._received = 0

    def run(self, worker: StartedWorker, progress: Progress, cancel: CancelToken | None) -> dict[str, Any]:
        """The worker's record; an error carries in `partial` what had been measured by then."""
        try:
            code = self._attend(worker, progress, cancel)
            if "record" in self._last:
                return self._last["record"]
            self._explain(code)
        except ToolError as error:
            error.partial = self.collected
            raise

    def _attend(self, worker: StartedWorker, progress: Progress, cancel: CancelToken | None) -> int:
        try:
            with contextlib.suppress(BrokenPipeError), worker.requests as requests:
                requests.write(json.dumps(self.job).encode())
            self._listen(worker.replies, progress, cancel)
            code = worker.wait(_END_S)
        finally:
            worker.kill()
        return -signal.SIGKILL if code is None else code

    def _listen(self, replies: int, progress: Progress, cancel: CancelToken | None) -> None:
        """Read lines until the end of the stream, a limit or the user's wish to stop."""
        buffer = b""
        deadline = time.monotonic() + self.limits.wall_s
        while True:
            if cancel is not None:
                cancel.raise_if_cancelled()
            if time.monotonic() > deadline:
                raise WorkerFailed(
                    f"The worker was stopped after {self.limits.wall_s:.0f} s while {self.stage}.",
                    "Try smaller batch sizes, shorter inputs or a smaller model.",
                )
            if not select.select([replies], [], [], _POLL_S)[0]:
                continue
            piece = os.read(replies, _PIECE)
            if not piece:
                return
            self._received += len(piece)
            if self._received > self.limits.reply_bytes:
                raise WorkerFailed(
                    "The worker sent more than a record.", "Do not use this model before it is reviewed."
                )
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                self._take(line, progress)

    def _take(self, line: bytes, progress: Progress) -> None:
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise WorkerFailed(
                "The worker answered with something else than a record.", "Try again; report it if it stays."
            )
        match content:
            case {"progress": [float() | int() as fraction, str() as message]}:
                self.stage = message[:_MAX_MESSAGE].lower()
                progress(min(1.0, max(0.0, float(fraction))), message[:_MAX_MESSAGE])
            case {"part": dict() as part}:
                collect(self.collected, part)
                self._on_part(part)
            case _:
                self._last = content

    def _explain(self, code: int) -> NoReturn:
        error = self._last.get("error")
        if isinstance(error, dict):
            raise self._typed(str(error.get("kind")), str(error.get("message"))[:600], str(error.get("type")))
        if code == -signal.SIGKILL:
            raise self._out_of_memory("the system ended the process")
        if code == -signal.SIGXCPU:
            raise WorkerFailed("The worker used up its processor time.", "Try smaller batch sizes or shorter inputs.")
        raise WorkerFailed(
            f"The worker crashed while {self.stage} ({_code_text(code)}). {self._tail()}".strip(),
            "The product itself goes on. Update transformers and torch, or take another model.",
        )

    def _out_of_memory(self, why: str) -> OutOfMemory:
        """The error with what was needed and what there was."""
        needed = f"about {self.needed_mib:,.0f} MiB were forecast" if self.needed_mib else "the need was not forecast"
        limit = self.job["memory_limit_mib"]
        there = f"{limit:,} MiB were free" if limit else "the device's own memory was the limit"
        return OutOfMemory(
            f"Memory ran out while {self.stage}: {needed}, {there} ({why}).",
            "Use a smaller batch, shorter inputs, bfloat16, or a machine with more memory.",
            needed_mib=self.needed_mib or 0.0,
            available_mib=limit or 0,
        )

    def _tail(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.folder / "stderr").read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
            return "".join(each for each in lines[-1] if each.isprintable())[:_MAX_MESSAGE] if lines else ""
        return ""

    def _typed(self, kind: str, message: str, name: str) -> ToolError:
        if kind == "memory":
            return self._out_of_memory(message[:200])
        if kind == "dishonest":
            return UnsupportedModel(
                f"Loading would not give the model that the files describe (rule T10): {message}.",
                "Do not trust any figure of it. Use a complete checkpoint whose configuration fits its weights.",
                code="T10",
            )
        if kind == "unsupported":
            return UnsupportedModel(
                f"The model cannot be run here: {message}.", "Take another model or another setting."
            )
        if kind == "device":
            return DeviceError(f"The device is not usable: {message}.", "Use `cpu`, or repair the driver.")
        return WorkerFailed(
            f"The worker failed while {self.stage}: {name}: {message}",
            "The product itself goes on. Update transformers and torch, or take another model.",
        )


def _code_text(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
