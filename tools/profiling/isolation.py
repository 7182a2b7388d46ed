"""Runs one job in the isolated worker process: started clean, watched, and killed with its whole group."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from tools.errors import DeviceError, OutOfMemory, ToolError, UnsupportedModel, WorkerFailed
from tools.profiling.device import available_memory_mib
from tools.progress import CancelToken, Progress, ignore_progress

WORKER = Path(__file__).resolve().parent / "isolated" / "worker.py"
"""The worker's program, run by its path."""
_MAX_REPLY_BYTES = 1_000_000
_MAX_MESSAGE = 300
_POLL_S = 0.1
_PIECE = 65_536
_FOLDER = "tameshi-worker-"


class WorkerLimits(BaseModel):
    """What the worker may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_s: float = 900.0
    """Seconds until the worker is killed."""
    memory_mib: int | None = None
    """Memory in MiB; absent means what the machine has free now, and no limit on an accelerator."""
    reply_bytes: int = _MAX_REPLY_BYTES
    """Most bytes it may send back."""


def run_worker(
    job: dict[str, Any],
    limits: WorkerLimits = WorkerLimits(),  # noqa: B008 (frozen record)
    *,
    needed_mib: float | None = None,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
    program: Path = WORKER,
) -> dict[str, Any]:
    """Run one job in a process of its own.

    Args:
        job: JSON values; `device` and `threads` among them.
        limits: What it may use.
        needed_mib: Forecast peak, named in the message when memory runs out.
        progress: Told what the worker reports.
        cancel: Kills the worker's group.
        program: The worker's program.

    Returns:
        The worker's record.

    Raises:
        OutOfMemory: It needed more memory than there was.
        WorkerFailed: It crashed, hung or said too much.
        UnsupportedModel: The model cannot be run.
        Cancelled: It was stopped.
    """
    memory = limits.memory_mib
    if memory is None and job["device"] == "cpu":
        memory = available_memory_mib()
    full_job = {
        **job,
        "parent_pid": os.getpid(),
        "memory_limit_mib": memory,
        "cpu_limit_s": int(limits.wall_s * max(1, job["threads"])) + 10,
    }
    sweep_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
    try:
        return _Watch(full_job, limits, needed_mib, folder).run(program, progress, cancel)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_leftovers() -> int:
    """Remove working folders whose owner was killed before it could; returns how many."""
    swept = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        owner = folder.name.removeprefix(_FOLDER).split("-")[0]
        if not owner.isdigit() or folder.is_symlink() or folder.stat().st_uid != os.getuid():
            continue
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
        except (OverflowError, PermissionError):
            continue
    return swept


def _environment(folder: Path, threads: int) -> dict[str, str]:
    """Everything the worker's environment holds: nothing is taken over from ours."""
    home = str(folder)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "HF_HOME": home,
        "XDG_CACHE_HOME": home,
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads make a call 30 times slower when one core is taken
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


class _Watch:
    """One worker from start to end."""

    def __init__(self, job: dict[str, Any], limits: WorkerLimits, needed_mib: float | None, folder: Path) -> None:
        self.job, self.limits, self.needed_mib, self.folder = job, limits, needed_mib, folder
        self.last: dict[str, Any] = {}
        self.stage = "starting"
        self.received = 0

    def run(self, program: Path, progress: Progress, cancel: CancelToken | None) -> dict[str, Any]:
        work = self.folder / "empty"
        work.mkdir()
        with (self.folder / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-I", str(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=work,
                env=_environment(self.folder, self.job["threads"]),
                start_new_session=True,
            )
        try:
            self._send(process)
            self._listen(process, progress, cancel)
            code = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        finally:
            _kill_group(process)
        if "record" in self.last:
            return self.last["record"]
        return self._explain(code)

    def _send(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps(self.job).encode())

    def _listen(self, process: subprocess.Popen[bytes], progress: Progress, cancel: CancelToken | None) -> None:
        """Read lines until the end of the stream, a limit or the user's wish to stop."""
        if process.stdout is None:
            return
        handle, buffer = process.stdout.fileno(), b""
        deadline = time.monotonic() + self.limits.wall_s
        while True:
            if cancel is not None:
                cancel.raise_if_cancelled()
            if time.monotonic() > deadline:
                raise WorkerFailed(
                    f"The worker was stopped after {self.limits.wall_s:.0f} s while {self.stage}.",
                    "Try smaller batch sizes, shorter inputs or a smaller model.",
                )
            if not select.select([handle], [], [], _POLL_S)[0]:
                continue
            piece = os.read(handle, _PIECE)
            if not piece:
                return
            self.received += len(piece)
            if self.received > self.limits.reply_bytes:
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
        match content.get("progress"):
            case [float() | int() as fraction, str() as message]:
                self.stage = message[:_MAX_MESSAGE].lower()
                progress(min(1.0, max(0.0, float(fraction))), message[:_MAX_MESSAGE])
            case _:
                self.last = content

    def _explain(self, code: int) -> NoReturn:
        error = self.last.get("error")
        if isinstance(error, dict):
            raise _typed(str(error.get("kind")), str(error.get("message"))[:600], str(error.get("type")), self)
        if code == -signal.SIGKILL:
            raise self.out_of_memory("the system ended the process")
        if code == -signal.SIGXCPU:
            raise WorkerFailed("The worker used up its processor time.", "Try smaller batch sizes or shorter inputs.")
        raise WorkerFailed(
            f"The worker crashed while {self.stage} ({_code_text(code)}). {self._tail()}".strip(),
            "The product itself goes on. Update transformers and torch, or take another model.",
        )

    def out_of_memory(self, why: str) -> OutOfMemory:
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


def _typed(kind: str, message: str, name: str, watch: _Watch) -> ToolError:
    if kind == "memory":
        return watch.out_of_memory(message[:200])
    if kind == "dishonest":
        return UnsupportedModel(
            f"Loading would not give the model that the files describe (rule T10): {message}.",
            "Do not trust any figure of it. Use a complete checkpoint whose configuration fits its weights.",
            code="T10",
        )
    if kind == "unsupported":
        return UnsupportedModel(f"The model cannot be run here: {message}.", "Take another model or another setting.")
    if kind == "device":
        return DeviceError(f"The device is not usable: {message}.", "Use `cpu`, or repair the driver.")
    return WorkerFailed(
        f"The worker failed while {watch.stage}: {name}: {message}",
        "The product itself goes on. Update transformers and torch, or take another model.",
    )


def _code_text(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the worker and whatever it started; harmless when it has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
