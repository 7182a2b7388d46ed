"""What runs on a node of a Ray cluster: the same watched worker as on this machine, its lines handed on as they come."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import errors
from tools.errors import DeviceError, ToolError, WorkerFailed
from tools.profiling.device import cpu_name, device_lease
from tools.profiling.isolation import WORKER, run_worker
from tools.profiling.worker_watch import WorkerLimits
from tools.progress import CancelToken

_POLL_S = 0.2
_END_S = 20.0

Message = dict[str, Any]
"""`progress`, `started` or `part`, and at the end `record` or `error`."""


def measure_on_node(
    job: dict[str, Any], limits: dict[str, Any], needed_mib: float | None, program: str | None
) -> Iterator[Message]:
    """Run one job here.

    Args:
        job: As `run_worker` takes it.
        limits: Of `WorkerLimits`.
        needed_mib: Forecast peak in MiB.
        program: The worker's program; the product's own when absent.

    Yields:
        What the worker tells, then its record or its error.
    """
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    token = CancelToken()
    path = WORKER if program is None else Path(program)
    arguments = (job, WorkerLimits(**limits), needed_mib, path, token, messages)
    thread = threading.Thread(target=_run, args=arguments, name="tameshi-worker")
    thread.start()
    try:
        ended = False
        while not ended:
            try:
                message = messages.get(timeout=_POLL_S)  # short: Ray interrupts between two waits
            except queue.Empty:
                if not thread.is_alive() and messages.empty():
                    return
                continue
            ended = "record" in message or "error" in message
            yield message
    finally:
        token.cancel()
        thread.join(_END_S)


def _run(
    job: dict[str, Any],
    limits: WorkerLimits,
    needed_mib: float | None,
    program: Path,
    token: CancelToken,
    messages: queue.SimpleQueue[Message],
) -> None:
    def progress(fraction: float, message: str) -> None:
        messages.put({"progress": [fraction, message]})

    try:
        _check_root(job)
        with device_lease(job["device"], progress=progress, cancel=token):
            messages.put({"started": True})
            start = time.monotonic()
            record = run_worker(
                job,
                limits,
                needed_mib=needed_mib,
                progress=progress,
                cancel=token,
                on_part=lambda part: messages.put({"part": part}),
                program=program,
            )
        record["device_name"] = record.get("device_name") or cpu_name()
        messages.put({"record": {**record, "wall_s": time.monotonic() - start}})
    except ToolError as error:
        messages.put({"error": packed(error)})


def _check_root(job: dict[str, Any]) -> None:
    root = job.get("root")
    if root is not None and not Path(root).is_dir():
        raise DeviceError(
            "The model's files are not readable on the node of the Ray cluster.",
            "Keep the hub's cache on a folder that every node sees under the same path, or set `TAMESHI_EXECUTOR=local`.",
            code="not_on_node",
        )


def packed(error: ToolError) -> dict[str, Any]:
    """An error as JSON values."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "next_step": error.next_step,
        "code": error.code,
        "details": error.details,
    }


def unpacked(content: dict[str, Any]) -> ToolError:
    """The error of the same type again."""
    kind = getattr(errors, str(content["type"]), WorkerFailed)
    return kind(content["message"], content["next_step"], code=content["code"], **content["details"])
