"""Runs jobs in workers forked from one process that has the libraries imported, so that they are imported once."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Literal

from tools.errors import WorkerFailed
from tools.profiling.device import cpu_threads, device_lease
from tools.profiling.isolation import (
    WORKER,
    limited,
    new_folder,
    prepare_folder,
    run_worker,
    sweep_leftovers,
    worker_environment,
)
from tools.profiling.worker_watch import Watch, WorkerLimits
from tools.progress import CancelToken, Progress, ignore_progress

PROGRAM = WORKER.parent / "fork_server.py"
"""The program that forks, run by its path."""
LIBRARIES = ("torch", "transformers", "transformers.modeling_utils", "worker_loading")
"""What a worker has imported when it starts to load a model."""
_IDLE_S = 600.0
_IMPORT_S = 300.0
_ANSWER_S = 10.0
_POLL_S = 0.1
_MESSAGE_BYTES = 65_536


class ForkServer:
    """Runs jobs for the processor in forked workers, all others in fresh ones; starts its process when it is needed.

    Args:
        idle_s: Seconds without a job after which the process ends and gives its memory back.
        threads: Threads of the jobs that are forked; all of this machine's when absent.
        libraries: Modules to import.
        program: The worker's program.
    """

    name: Literal["local"] = "local"

    def __init__(
        self,
        *,
        idle_s: float = _IDLE_S,
        threads: int | None = None,
        libraries: tuple[str, ...] = LIBRARIES,
        program: Path = WORKER,
    ) -> None:
        self._idle_s, self._libraries, self._program = idle_s, libraries, program
        self._threads = threads or cpu_threads()
        self._busy = threading.Lock()
        self._server: _Server | None = None
        self._usable = sys.platform == "linux" and hasattr(os, "pidfd_open")

    @property
    def pid(self) -> int | None:
        """The process that forks; None while there is none."""
        server = self._server
        return server.process.pid if server is not None and server.lives() else None

    def lease(
        self, device: str, *, progress: Progress = ignore_progress, cancel: CancelToken | None = None
    ) -> AbstractContextManager[float]:
        """The device for one measurement."""
        return device_lease(device, progress=progress, cancel=cancel)

    def warm(self) -> None:
        """Start importing, without waiting for it."""
        if self._usable and self._busy.acquire(blocking=False):
            try:
                self._started()
            finally:
                self._busy.release()

    def run(
        self,
        job: dict[str, Any],
        limits: WorkerLimits = WorkerLimits(),  # noqa: B008 (frozen record)
        *,
        needed_mib: float | None = None,
        progress: Progress = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Run one job like `run_worker`, in a forked process where that measures the same as a fresh one.

        A context of CUDA does not survive a fork, and libraries fix their threads when they are imported.
        """
        forks = self._usable and job["device"] == "cpu" and job["threads"] == self._threads
        if forks and self._busy.acquire(blocking=False):
            try:
                worker = self._fork(progress, cancel)
                if worker is not None:
                    server = worker.server
                    full_job = limited(job, limits, server.process.pid) | {"imported_s": server.import_s}
                    return Watch(full_job, limits, needed_mib, server.home).run(worker, progress, cancel)
            finally:
                self._busy.release()
        return run_worker(job, limits, needed_mib=needed_mib, progress=progress, cancel=cancel, program=self._program)

    def close(self) -> None:
        """End the process, and with it a job that runs."""
        self._usable = False
        server = self._server
        if server is not None:
            server.hang_up()
        with self._busy:
            self._end()

    def _started(self) -> _Server:
        if self._server is None or not self._server.lives():
            self._end()
            sweep_leftovers()
            self._server = _Server(self._idle_s, self._threads, self._libraries)
        return self._server

    def _end(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _fork(self, progress: Progress, cancel: CancelToken | None) -> _ForkedWorker | None:
        """A worker; None where this machine does not permit a server."""
        for _ in range(2):  # the first may have become idle for too long, or have been killed, since the last job
            server = self._started()
            try:
                server.wait_until_ready(progress, cancel)
                return _ForkedWorker(server, self._program)
            except _Gone:
                never_ready = server.import_s is None
                self._end()
                if never_ready:
                    break
        self._usable = False
        return None


class _Gone(Exception):
    """The server has ended."""


class _Server:
    """The process that forks, and the socket to it."""

    def __init__(self, idle_s: float, threads: int, libraries: tuple[str, ...]) -> None:
        self.folder = new_folder()
        self.home = self.folder / "home"
        self.home.mkdir()
        self.import_s: float | None = None
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (self.folder / "stderr").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(PROGRAM), str(theirs.fileno()), str(idle_s), *libraries],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd=self.folder,
                env=worker_environment(self.home, threads),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def lives(self) -> bool:
        return self.process.poll() is None

    def wait_until_ready(self, progress: Progress, cancel: CancelToken | None) -> None:
        deadline = time.monotonic() + _IMPORT_S
        while self.import_s is None:
            if cancel is not None:
                cancel.raise_if_cancelled()
            if time.monotonic() > deadline:
                raise _Gone
            progress(0.02, "Importing the libraries")
            answer = self.receive(_POLL_S)
            if answer is not None:
                self.import_s = float(answer["import_s"])

    def send(self, message: dict[str, Any], streams: tuple[int, ...] = ()) -> None:
        try:
            socket.send_fds(self.control, [json.dumps(message).encode()], streams)
        except OSError as error:
            raise _Gone from error

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message; None when there is none in time."""
        try:
            if not select.select([self.control], [], [], timeout_s)[0]:
                return None
            content = self.control.recv(_MESSAGE_BYTES)
        except (OSError, ValueError) as error:  # closed meanwhile by another thread
            raise _Gone from error
        if not content:
            raise _Gone
        return json.loads(content)

    def hang_up(self) -> None:
        """Let the server see the end of its socket: it kills its worker and ends."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.hang_up()
        if self.import_s is None:  # it has no worker yet, and would look at its socket after the imports only
            self.process.kill()
        try:
            self.process.wait(timeout=_ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.control.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class _ForkedWorker:
    """A worker forked by the server; its home is emptied before, so that nothing is left of the one before."""

    def __init__(self, server: _Server, program: Path) -> None:
        self.server = server
        self._ended = False
        shutil.rmtree(server.home, ignore_errors=True)
        server.home.mkdir()
        work, errors = prepare_folder(server.home)
        job_end, self._requests = os.pipe()
        self.replies, lines_end = os.pipe()
        self.requests: BinaryIO = os.fdopen(self._requests, "wb")
        try:
            server.send({"folder": str(work), "program": str(program)}, (job_end, lines_end, errors.fileno()))
            if server.receive(_ANSWER_S) is None:
                raise _Gone
        except _Gone:
            self._close()
            raise
        finally:
            errors.close()
            os.close(job_end)
            os.close(lines_end)

    def wait(self, timeout_s: float) -> int | None:
        try:
            answer = self.server.receive(timeout_s)
        except _Gone as error:
            self._ended = True
            raise WorkerFailed(
                "The process that starts the workers ended.", "Try again: the next run starts a new one."
            ) from error
        if answer is None:
            return None
        self._ended = True
        return int(answer["exit"])

    def kill(self) -> None:
        try:
            if not self._ended:
                self.server.send({"kill": True})
                if self.server.receive(_ANSWER_S) is None:
                    self.server.process.kill()  # its worker dies with it
        except _Gone:
            pass
        finally:
            self._ended = True
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self.requests.close()
        os.close(self.replies)
