"""Worker programs with the real limits that a test gives a body, and the processes that they leave or do not leave."""

from __future__ import annotations

import time
from pathlib import Path

from tools.profiling.isolation import WORKER

START = f"""
import json, os, sys, time
sys.path.append({str(WORKER.parent)!r})
from worker_limits import cut_off
job = json.load(sys.stdin)
lines = cut_off(job)
def send(**content):
    os.write(1, (json.dumps(content) + "\\n").encode())
"""
JOB = {"device": "cpu", "threads": 1}


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether the process ends within that time."""
    end = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)
