"""Runs jobs as tasks of a Ray cluster; the only module that knows Ray."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tools.errors import Cancelled, DeviceError, OutOfMemory, ToolError, WorkerFailed
from tools.profiling.ray_task import Message, measure_on_node, unpacked
from tools.profiling.worker_watch import WorkerLimits, collect
from tools.progress import CancelToken, Progress, ignore_progress

_POLL_S = 0.2
_WAIT_S = 1800.0
_GRACE_S = 30.0
_ANSWER_S = 5.0
_MIB = 2**20


@dataclass(frozen=True)
class _Request:
    """What a task asks of one node."""

    threads: int
    gpus: int
    memory_mib: float

    def options(self) -> dict[str, Any]:
        asked = {"num_cpus": self.threads, "num_gpus": self.gpus}
        return asked | ({"memory": int(self.memory_mib * _MIB)} if self.memory_mib else {})


class RayExecutor:
    """Runs each job as one task with the resources it needs; the node watches and limits the worker.

    Args:
        address: Of the cluster's head, or `auto` on one of its nodes; empty starts one on this machine.
        program: The worker's program; the product's own when absent.
    """

    name: Literal["ray"] = "ray"

    def __init__(self, address: str = "", *, program: Path | None = None) -> None:
        self._address, self._program = address, program
        self._connecting = threading.Lock()
        self._connected_here = False

    def lease(
        self,
        device: str,  # noqa: ARG002 (of the protocol)
        *,
        progress: Progress = ignore_progress,  # noqa: ARG002
        cancel: CancelToken | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Nothing: the task takes the lease on its node."""
        return nullcontext()

    def run(
        self,
        job: dict[str, Any],
        limits: WorkerLimits = WorkerLimits(),  # noqa: B008 (frozen record)
        *,
        needed_mib: float | None = None,
        progress: Progress = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Run one job like `run_worker`, on a node of the cluster.

        Raises:
            DeviceError: Ray is not installed, does not answer, or no node has what the job needs.
            OutOfMemory: No node has the memory that was forecast, or the worker ran out of it.
            WorkerFailed: The worker or its node ended.
        """
        progress(0.0, "Waiting for a node of the Ray cluster")
        ray = self._connect()
        job, request = fitted(job, needed_mib, [node["Resources"] for node in ray.nodes() if node["Alive"]])
        task = ray.remote(_task).options(**request.options(), num_returns="streaming", max_retries=0)
        stream = task.remote(
            job,
            limits.model_dump(),
            needed_mib,
            None if self._program is None else str(self._program),
        )
        return _Following(ray, stream, limits.wall_s).run(progress, cancel)

    def close(self) -> None:
        """Leave the cluster; ends it when it was started here."""
        if self._connected_here:
            import ray  # noqa: PLC0415 (an optional library, imported when it is used)

            ray.shutdown()
            self._connected_here = False

    def _connect(self) -> Any:
        _check_address(self._address)
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # noqa: TID251 (written, not read: Ray has no other switch)
        try:
            import ray  # noqa: PLC0415 (an optional library, imported when it is used)
        except ImportError as error:
            raise DeviceError(
                "Ray is not installed here.", "Install `tameshi[ray]`, or set `TAMESHI_EXECUTOR=local`."
            ) from error

        with self._connecting:
            if not ray.is_initialized():
                where: dict[str, Any] = (
                    {"address": self._address} if self._address else {"_node_ip_address": "127.0.0.1"}
                )
                try:
                    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **where)
                except (ConnectionError, RuntimeError, ValueError) as error:
                    raise _no_answer(self._address or "127.0.0.1") from error
                self._connected_here = True
        return ray


def _check_address(address: str) -> None:
    """Raise for one that cannot be used or does not answer, which Ray itself takes two minutes to find out."""
    if address.startswith("ray://"):
        raise DeviceError(
            f"`{address[:80]}` is an address of Ray's client, which does not hand on what a task tells.",
            "Give the address of the cluster's head, such as `10.0.0.5:6379`, or `auto` on one of its nodes.",
        )
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), _ANSWER_S).close()
        except (OSError, OverflowError) as error:
            raise _no_answer(address) from error


def _no_answer(address: str) -> DeviceError:
    return DeviceError(
        f"The Ray cluster at `{address[:80]}` does not answer.",
        "Check its address in `TAMESHI_RAY_ADDRESS`, or set `TAMESHI_EXECUTOR=local`.",
    )


def fitted(
    job: dict[str, Any], needed_mib: float | None, nodes: list[dict[str, float]]
) -> tuple[dict[str, Any], _Request]:
    """The job as a node can run it, and what it asks for: a task that no node can take would wait for ever.

    Args:
        job: `device`, `threads`, and `fall_back` when any device will do.
        needed_mib: Forecast peak in MiB.
        nodes: The resources of each living node, as Ray names them.
    """
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1]
    wants_gpu = job["device"] != "cpu"
    if wants_gpu and not with_gpu and not job.get("fall_back"):
        raise DeviceError("The Ray cluster has no GPU.", "Use `cpu`, or a cluster with a GPU.")
    gpus = 1 if with_gpu and (wants_gpu or job.get("fall_back")) else 0
    suited = with_gpu if gpus else nodes
    cpus = int(max((node.get("CPU", 0) for node in suited), default=0))
    if cpus < 1:
        raise DeviceError(
            "The Ray cluster has no node with a processor to lend.", "Start a node, or set `TAMESHI_EXECUTOR=local`."
        )
    memory = 0.0 if gpus else needed_mib or 0.0
    there = max(node.get("memory", 0) for node in suited) / _MIB
    if memory > there:
        raise OutOfMemory(
            f"No node of the Ray cluster has the memory: about {memory:,.0f} MiB were forecast, "
            f"the largest node has {there:,.0f} MiB.",
            "Use a smaller batch, shorter inputs, bfloat16, or a node with more memory.",
            needed_mib=memory,
            available_mib=there,
        )
    threads = min(job["threads"], cpus)
    device = "cuda:0" if gpus else "cpu"
    return {**job, "device": device, "threads": threads}, _Request(threads, gpus, memory)


def _task(job: dict[str, Any], *others: Any) -> Iterator[Message]:
    """What a node runs; the GPU is the one that Ray has given to this task."""
    import ray  # noqa: PLC0415 (an optional library, imported when it is used)

    given = ray.get_gpu_ids()
    device = f"cuda:{int(given[0])}" if given else job["device"]
    yield from measure_on_node({**job, "device": device}, *others)


class _Following:
    """One task from its submission to its end."""

    def __init__(self, ray: Any, stream: Any, wall_s: float) -> None:
        self._ray, self._stream, self._wall_s = ray, stream, wall_s
        self._collected: dict[str, Any] = {}
        self._started = False
        self._deadline = time.monotonic() + _WAIT_S

    def run(self, progress: Progress, cancel: CancelToken | None) -> dict[str, Any]:
        """The worker's record; an error carries in `partial` what had been measured by then."""
        try:
            while True:
                message = self._next(cancel)
                if message is None:
                    continue
                if "record" in message:
                    return message["record"]
                if "error" in message:
                    raise unpacked(message["error"])
                self._take(message, progress)
        except Cancelled as error:
            self._stop()
            error.partial = self._collected
            raise
        except ToolError as error:
            error.partial = self._collected
            raise

    def _take(self, message: dict[str, Any], progress: Progress) -> None:
        if "progress" in message:
            progress(*message["progress"])
        elif "part" in message:
            collect(self._collected, message["part"])
        elif "started" in message:
            self._started = True
            self._deadline = time.monotonic() + self._wall_s + _GRACE_S

    def _next(self, cancel: CancelToken | None) -> dict[str, Any] | None:
        """The task's next message; None when there is none yet."""
        if cancel is not None:
            cancel.raise_if_cancelled()
        if time.monotonic() > self._deadline:
            self._ray.cancel(self._stream, force=True)
            raise self._too_late()
        if not self._ray.wait([self._stream], timeout=_POLL_S)[0]:
            return None
        try:
            return self._ray.get(next(self._stream))
        except StopIteration:
            raise WorkerFailed("The task of the Ray cluster ended without a record.", "Try again.") from None
        except self._ray.exceptions.OutOfMemoryError as error:
            raise OutOfMemory(
                "The node of the Ray cluster ran out of memory and ended the task.",
                "Use a smaller batch, shorter inputs, bfloat16, or a node with more memory.",
            ) from error
        except self._ray.exceptions.RayError as error:
            text = " ".join(str(error).split())[:200]
            raise WorkerFailed(
                f"The task of the Ray cluster failed: {type(error).__name__}: {text}",
                "Every node needs this version of Tameshi. Look at the cluster with `ray status`, then try again.",
            ) from error

    def _too_late(self) -> ToolError:
        if not self._started:
            return DeviceError(
                f"The Ray cluster stayed busy for {_WAIT_S:.0f} s.", "Try again when the other tasks are done."
            )
        return WorkerFailed(
            f"The task of the Ray cluster was stopped after {self._wall_s + _GRACE_S:.0f} s.",
            "Try smaller batch sizes, shorter inputs or a smaller model.",
        )

    def _stop(self) -> None:
        """Ask the task to end its worker, and end it by force when it does not."""
        self._ray.cancel(self._stream, force=False)
        end = time.monotonic() + _GRACE_S
        while time.monotonic() < end:
            try:
                message = self._next(None)
            except ToolError:
                return
            if message is not None and "part" in message:
                collect(self._collected, message["part"])
        self._ray.cancel(self._stream, force=True)
