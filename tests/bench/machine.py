"""On what the bench ran, and how busy that was; nothing that names the host or its folders."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from tests.bench.results import Load
from tools.profiling.device import cpu_name, cpu_threads

ROOT = Path(__file__).parent.parent.parent
OWN_OUTPUT = ("README.md", "docs/bench.json")
_PACKAGES = ("torch", "transformers", "gradio", "chromadb", "langchain", "langgraph", "numpy")


def read_machine() -> dict[str, Any]:
    """Processor, memory, system, versions, threads."""
    import torch

    return {
        "cpu": cpu_name(),
        "cores": cpu_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "accelerator": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none",
        "system": _system(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "torch_threads": torch.get_num_threads(),
    }


def read_load() -> Load:
    """The load average, and the share of the cores that others use during a second in which the bench waits."""
    one, five, fifteen = (round(value, 2) for value in os.getloadavg())
    return Load(load_average=(one, five, fifteen), busy_share=round(psutil.cpu_percent(interval=1.0) / 100, 3))


def read_commit() -> tuple[str, int]:
    """The commit, and how many tracked files differ from it; `unknown` outside a git checkout."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD").strip()
        changed = [line[3:] for line in _git("status", "--porcelain", "--untracked-files=no").splitlines()]
    except (OSError, subprocess.CalledProcessError):
        return "unknown", 0
    return commit, sum(path not in OWN_OUTPUT for path in changed)


def environment_of_user(**own: str) -> dict[str, str]:
    """The environment of a process as a user starts it: without our settings, and modules stay compiled after the first start.

    Args:
        own: What it has beside.
    """
    foreign = ("TAMESHI_", "GRADIO_", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}  # noqa: TID251 (for another process)
    return environment | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": ""} | own


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
