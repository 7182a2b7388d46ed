"""The memory that is free on this machine, within the limits of a container."""

from __future__ import annotations

import contextlib
from pathlib import Path

_MIN_MIB = 256
_RESERVE_MIB = 512


def available_memory_mib() -> int | None:
    """Memory a worker may take now, in MiB, less a reserve for everything else; None where the platform does not say."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) // 1024)
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):
            root = Path("/sys/fs/cgroup")
            found.append((int((root / limit).read_text()) - int((root / used).read_text())) // 2**20)
    return max(_MIN_MIB, min(found) - _RESERVE_MIB) if found else None
