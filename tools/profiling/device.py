"""What this machine has, read without importing torch, and the lease that lets one measurement at a time have a device."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from tools.errors import DeviceError, InvalidArgument
from tools.progress import CancelToken, Progress, ignore_progress

_DRIVER = Path("/dev/nvidiactl")
_POLL_S = 0.2
_WAIT_S = 1800.0


def resolve_device(device: str) -> str:
    """Turn a device argument into a torch device name.

    Args:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Returns:
        `cpu`, `cuda:0` or the one named.
    """
    if device == "auto":
        return "cuda:0" if _DRIVER.exists() else "cpu"
    if device == "cuda":
        return "cuda:0"
    if device == "cpu" or re.fullmatch(r"cuda:\d{1,2}", device):
        return device
    raise InvalidArgument(f"`{device[:40]}` is not a device.", "Use `auto`, `cpu`, `cuda` or `cuda:0`.")


def cpu_name() -> str:
    """Name of the processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "unknown processor"


def cpu_threads() -> int:
    """CPU threads this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _lease_folder() -> Path:
    """A folder of this user's alone below the temporary folder."""
    folder = Path(tempfile.gettempdir()) / f"tameshi-leases-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise DeviceError(
            f"`{folder.name}` in the temporary folder belongs to somebody else.", "Remove it, then try again."
        )
    return folder


def _try_lock(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _take_ticket(folder: Path, name: str) -> tuple[Path, int]:
    """A place at the end of the queue, kept while its handle is open."""
    while True:
        ticket = folder / f"{name}~{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        handle = _try_lock(ticket)
        if handle is not None and ticket.exists():
            return ticket, handle
        if handle is not None:  # another waiter came between making and locking it, and took it for a dead one's
            os.close(handle)


def _place(ticket: Path) -> int:
    """Living waiters before this one, counted from the tickets; those of the dead are removed."""
    before = 0
    for other in sorted(ticket.parent.glob(f"{ticket.name.split('~')[0]}~*")):
        if other.name >= ticket.name:
            break
        handle = _try_lock(other)
        if handle is None:
            before += 1
        else:
            other.unlink(missing_ok=True)
            os.close(handle)
    return before


@contextlib.contextmanager
def device_lease(
    device: str, *, progress: Progress = ignore_progress, cancel: CancelToken | None = None, wait_s: float = _WAIT_S
) -> Iterator[float]:
    """Hold a device for one measurement; the kernel ends the lease when its holder dies.

    Args:
        device: Torch device name.
        progress: Told the place in the queue while waiting.
        cancel: Stops waiting.
        wait_s: Longest wait in seconds.

    Yields:
        Seconds waited.
    """
    folder, name = _lease_folder(), device.replace(":", "-")
    ticket, ticket_handle = _take_ticket(folder, name)
    handle: int | None = None
    start = time.monotonic()
    try:
        while True:
            place = _place(ticket)
            handle = _try_lock(folder / f"{name}.lock") if place == 0 else None
            if handle is not None:
                break
            if time.monotonic() - start > wait_s:
                raise DeviceError(
                    f"`{device}` stayed busy for {wait_s:.0f} s.", "Try again when the other measurement is done."
                )
            progress(0.0, f"Waiting for {device}: {place + 1} before this one")
            if cancel is not None:
                cancel.raise_if_cancelled()
            time.sleep(_POLL_S)
        ticket.unlink(missing_ok=True)
        yield time.monotonic() - start
    finally:
        ticket.unlink(missing_ok=True)
        os.close(ticket_handle)
        if handle is not None:
            os.close(handle)
