"""Where a job's worker runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from tools.profiling.device import device_lease
from tools.profiling.isolation import run_worker
from tools.profiling.worker_watch import WorkerLimits
from tools.progress import CancelToken, Progress


class Executor(Protocol):
    """Runs jobs in isolated workers."""

    @property
    def name(self) -> Literal["local", "ray"]:
        """On this machine, or as a task of a Ray cluster."""
        ...

    def lease(
        self, device: str, *, progress: Progress, cancel: CancelToken | None
    ) -> AbstractContextManager[float | None]:
        """The device for one measurement; nothing where `run` itself takes it."""
        ...

    def run(
        self,
        job: dict[str, Any],
        limits: WorkerLimits,
        *,
        needed_mib: float | None,
        progress: Progress,
        cancel: CancelToken | None,
    ) -> dict[str, Any]:
        """Run one job; arguments, result and errors are those of `run_worker`."""
        ...

    def close(self) -> None:
        """Release what is held between jobs."""
        ...


class FreshProcesses:
    """Starts a new process on this machine for each job."""

    name: Literal["local"] = "local"

    def lease(
        self, device: str, *, progress: Progress, cancel: CancelToken | None
    ) -> AbstractContextManager[float | None]:
        """The device for one measurement."""
        return device_lease(device, progress=progress, cancel=cancel)

    def run(
        self,
        job: dict[str, Any],
        limits: WorkerLimits,
        *,
        needed_mib: float | None,
        progress: Progress,
        cancel: CancelToken | None,
    ) -> dict[str, Any]:
        """Run one job in a process of its own."""
        return run_worker(job, limits, needed_mib=needed_mib, progress=progress, cancel=cancel)

    def close(self) -> None:
        """Nothing is held between jobs."""


FRESH_PROCESSES = FreshProcesses()
"""Pays for the imports each time; for callers who measure once."""
