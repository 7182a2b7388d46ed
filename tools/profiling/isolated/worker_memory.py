"""Reads the kernel's own memory figures of this process; standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"


def _status_mib(field: str) -> float | None:
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return None


def _usage_peak_mib() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def resident_mib() -> float:
    """Memory resident now, in MiB; where the platform does not say, its peak so far."""
    value = _status_mib("VmRSS")
    return _usage_peak_mib() if value is None else value


def peak_mib() -> float:
    """Exact peak since the last reset (since the start where it cannot be reset), in MiB."""
    value = _status_mib("VmHWM")
    return _usage_peak_mib() if value is None else value


def split_mib() -> tuple[float, float] | None:
    """Resident memory of the process's own and of files, in MiB; None where the kernel does not tell them apart."""
    own, file, shared = (_status_mib(field) for field in ("RssAnon", "RssFile", "RssShmem"))
    return None if own is None or file is None else (own, file + (shared or 0.0))


def trim() -> None:
    """Hand freed memory back to the system, so that one run's peak is not the one before it."""
    with contextlib.suppress(OSError, AttributeError):  # not every C library has it
        ctypes.CDLL(None).malloc_trim(0)


def reset_peak() -> bool:
    """Start the peak anew from what is resident now; False where the platform does not permit it."""
    try:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True
