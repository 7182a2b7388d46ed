"""What the worker cuts itself off from before anything of a model is touched; standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_MIB = 1024 * 1024
_FILE_MIB = 64
_PROCESSES_ALONE = 512
_PROCESSES_SHARED = 8192


def cut_off(job: dict) -> list[str]:
    """Apply every limit that this platform permits.

    Args:
        job: `parent_pid`, `cpu_limit_s`, and `memory_limit_mib`, which is absent on an accelerator.

    Returns:
        One line per limit, also for those that could not be applied.
    """
    network = _cut_network()
    lines = [
        "own process group, isolated interpreter, empty working folder, cleaned environment without tokens",
        "no network" if network else "network not cut: this platform does not permit it; libraries are set offline",
    ]
    if sys.platform == "linux":
        _tie_to_parent(job["parent_pid"])
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    lines += _limit_resources(job, alone=network)
    return lines


def _cut_network() -> bool:
    """Move into an own, empty network namespace; must run before the first thread starts."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0


def _tie_to_parent(parent_pid: int) -> None:
    """Die with the parent, gain no rights, and keep reading our own entries below /proc after the change of namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before the tie was made
        os._exit(1)


def _limit_resources(job: dict, *, alone: bool) -> list[str]:
    applied: list[str] = []
    # Threads count as processes; outside an own user namespace those of the user's other programs count too.
    processes = _PROCESSES_ALONE if alone else _PROCESSES_SHARED
    wanted = [
        ("CORE", 0, "no core dump"),
        ("FSIZE", _FILE_MIB * _MIB, f"files up to {_FILE_MIB} MiB"),
        ("NPROC", processes, f"{processes} threads"),
        ("CPU", job["cpu_limit_s"], f"{job['cpu_limit_s']} s of processor time"),
    ]
    memory = job.get("memory_limit_mib")
    if memory is not None:
        # DATA counts private writable memory, so libraries and mapped files do not use it up.
        wanted.append(("DATA", memory * _MIB, f"{memory} MiB of memory"))
        wanted.append(("AS", (memory + 32 * 1024) * _MIB, ""))
    for name, value, text in wanted:
        if _limit(name, value) and text:
            applied.append(text)
    lines = [f"limits: {', '.join(applied)}"]
    if memory is None:
        lines.append("memory of the process not limited: an accelerator's driver reserves more than it uses")
    return lines


def _limit(name: str, value: int) -> bool:
    kind = getattr(resource, f"RLIMIT_{name}", None)
    if kind is None:
        return False
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        return False
    return True
