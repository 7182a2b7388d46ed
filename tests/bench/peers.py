"""Other ways to the same figures, each in a process of its own: a bare script, and optimum-benchmark in its own environment."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import NamedTuple

from tests.bench.machine import ROOT
from tests.bench.results import Result, quantiles, rounded

OPTIMUM = ("optimum-benchmark==0.6.0", "transformers==4.57.6", "torch==2.13.0", "accelerate>=1.10,<2")
"""It does not import with transformers 5."""
BATCH_SIZES, LENGTH, REPEATS = (1, 8, 32), 128, 10
CONDITIONS = f"batch sizes 1, 8 and 32, {LENGTH} tokens, {REPEATS} calls each, float32, on the processor"
_ENVIRONMENT = ROOT / ".work" / "optimum"
_HERE = Path(__file__).parent


class Spent(NamedTuple):
    """What a command took."""

    wall_s: float
    cpu_s: float
    """Processor time of the command and everything it started."""
    output: str


def profile_arguments() -> list[str]:
    """Batch sizes, length and number of calls, as every command takes them."""
    return [",".join(map(str, BATCH_SIZES)), str(LENGTH), str(REPEATS)]


def paired_ratio(
    name: str, title: str, ours: list[Spent], theirs: list[Spent], goal: float, *, cpu: bool = False
) -> Result:
    """The median of our time by theirs, turn by turn.

    Args:
        name: Name of the result.
        title: What it is.
        ours: What we took.
        theirs: What the other took in the same turn.
        goal: The most that is wanted.
        cpu: Whether processor time counts instead of wall time.
    """

    def seconds(spent: Spent) -> float:
        return spent.cpu_s if cpu else spent.wall_s

    ratios = [seconds(first) / seconds(second) for first, second in zip(ours, theirs, strict=True)]
    return Result(
        name=name, title=title, value=rounded(statistics.median(ratios)), unit="ratio", goal=goal, n=len(ratios),
        spread=quantiles(ratios),
        detail={
            "ours_s": rounded(statistics.median(seconds(each) for each in ours)),
            "theirs_s": rounded(statistics.median(seconds(each) for each in theirs)),
        },
        conditions=f"median of paired ratios; {CONDITIONS}, both from a fresh process, imports and loading included",
    )  # fmt: skip


def run_timed(command: list[str], folder: Path) -> Spent:
    """Run a command to its end in a folder.

    Args:
        command: Program and arguments.
        folder: Working folder.
    """
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env=_environment())
    wall_s, after = time.perf_counter() - start, os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(wall_s, cpu_s, done.stdout)


def own_command(arguments: list[str]) -> list[str]:
    """Our profile from a fresh process."""
    return [sys.executable, "-m", "tests.bench.own_profile", *arguments]


def bare_command(arguments: list[str]) -> list[str]:
    """The bare script; isolated, since files beside it have the names of standard modules."""
    return [sys.executable, "-I", str(_HERE / "bare_profile.py"), *arguments]


def in_turn_command(arguments: list[str]) -> list[str]:
    """The harness's calls and the bare loop in one process."""
    return [sys.executable, "-m", "tests.bench.loops_in_turn", *arguments]


def optimum_command(arguments: list[str]) -> list[str]:
    """optimum-benchmark; its environment is made when it is not there."""
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(_ENVIRONMENT, with_pip=True)
    if subprocess.run([python, "-c", "import optimum_benchmark"], check=False, capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *OPTIMUM], check=True)
    return [str(python), "-I", str(_HERE / "peer_optimum.py"), *arguments]


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    values = {name: os.environ[name] for name in kept if name in os.environ}  # noqa: TID251 (the bench is no part of the product)
    return values | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
