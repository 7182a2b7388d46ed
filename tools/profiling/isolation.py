"""Runs one job in the isolated worker process: started clean, watched, and killed with its whole group."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from tools.free_memory import available_memory_mib
from tools.profiling.worker_watch import OnPart, Watch, WorkerLimits, ignore_part
from tools.progress import CancelToken, Progress, ignore_progress

WORKER = Path(__file__).resolve().parent / "isolated" / "worker.py"
"""The worker's program, run by its path."""
_FOLDER = "tameshi-worker-"


def run_worker(
    job: dict[str, Any],
    limits: WorkerLimits = WorkerLimits(),  # noqa: B008 (frozen record)
    *,
    needed_mib: float | None = None,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
    on_part: OnPart = ignore_part,
    program: Path = WORKER,
) -> dict[str, Any]:
    """Run one job in a process of its own.

    Args:
        job: JSON values; `device` and `threads` among them.
        limits: What it may use.
        needed_mib: Forecast peak, named in the message when memory runs out.
        progress: Told what the worker reports.
        cancel: Kills the worker's group.
        on_part: Told the figures that it sends before its record.
        program: The worker's program.

    Returns:
        The worker's record.

    Raises:
        OutOfMemory: It needed more memory than there was.
        WorkerFailed: It crashed, hung or said too much.
        UnsupportedModel: The model cannot be run.
        Cancelled: It was stopped.
    """
    sweep_leftovers()
    with working_folder() as folder:
        worker = _FreshWorker(program, folder, job["threads"])
        watch = Watch(limited(job, limits, os.getpid()), limits, needed_mib, folder, on_part)
        return watch.run(worker, progress, cancel)


def limited(job: dict[str, Any], limits: WorkerLimits, parent_pid: int) -> dict[str, Any]:
    """The job with the limits that the worker sets itself, and the process that it dies with."""
    memory = limits.memory_mib
    if memory is None and job["device"] == "cpu":
        memory = available_memory_mib()
    return {
        **job,
        "parent_pid": parent_pid,
        "memory_limit_mib": memory,
        "cpu_limit_s": int(limits.wall_s * max(1, job["threads"])) + 10,
    }


@contextlib.contextmanager
def working_folder() -> Iterator[Path]:
    """A folder below the temporary one, gone afterwards."""
    folder = new_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_folder() -> Path:
    """A folder below the temporary one whose name tells the process that must remove it."""
    return Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))


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


def worker_environment(folder: Path, threads: int) -> dict[str, str]:
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
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def prepare_folder(folder: Path) -> tuple[Path, IO[bytes]]:
    """The empty folder that a worker starts in, and the file that its error stream goes to."""
    work = folder / "empty"
    work.mkdir()
    return work, (folder / "stderr").open("wb")


class _FreshWorker:
    """A worker in an interpreter of its own."""

    def __init__(self, program: Path, folder: Path, threads: int) -> None:
        work, errors = prepare_folder(folder)
        with errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=work,
                env=worker_environment(folder, threads),
                start_new_session=True,
            )
        self._lines = cast("BinaryIO", self._process.stdout)
        self.requests = cast("BinaryIO", self._process.stdin)
        self.replies = self._lines.fileno()

    def wait(self, timeout_s: float) -> int | None:
        try:
            return self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._lines.close()
