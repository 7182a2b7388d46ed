"""How soon the memory forecast is there, from the command line and in a running process, beside accelerate's estimate."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.home import BenchHome
from tests.bench.machine import environment_of_user
from tests.bench.results import Result, quantile, quantiles, rounded
from tools.memory import estimate_memory
from tools.mirrors import bundled_folder
from tools.model_sources import ModelSources

COLD_S, RATIO = 0.25, 50.0
PAIRS = 7
CALLS = 30
PEER = Path(__file__).parent / "accelerate_estimate.py"


class _Run(NamedTuple):
    wall_s: float
    output: str


def measure(home: BenchHome) -> list[Result]:
    """Run the command and the peer in turn, the first of a pair changing, after one run of each that does not count."""
    model = bundled_folder()
    if model is None:
        raise RuntimeError("the bundled model is not there")
    folder = home.copy("forecast")
    command = [str(Path(sys.executable).with_name("tameshi")), "estimate-memory", str(model)]
    peer = [sys.executable, "-I", str(PEER), str(model)]
    first = _first_looks(command, folder, 1 if home.quick else 3)
    _run(command, folder), _run(peer, folder)
    ours: list[float] = []
    theirs: list[_Run] = []
    for number in range(1 if home.quick else PAIRS):
        if number % 2:
            theirs.append(_run(peer, folder))
        ours.append(_run(command, folder).wall_s)
        if not number % 2:
            theirs.append(_run(peer, folder))
    warm = _warm(str(model), 3 if home.quick else CALLS)
    return _results(ours, theirs, first, warm)


def _results(ours: list[float], theirs: list[_Run], first: list[float], warm: list[float]) -> list[Result]:
    conditions = (
        f"MiniLM's folder, a fresh process each, {len(ours)} pairs in turn, the order within a pair changing, after one run "
        "of each; the forecast is printed and stored"
    )
    ratios = [peer.wall_s / own for own, peer in zip(ours, theirs, strict=True)]
    alone = [1000 * float(peer.output.split()[1]) for peer in theirs]
    n = len(ours)
    return [
        Result(
            name="forecast.cold", title="Memory forecast from the command line", value=rounded(quantile(ours, 0.5)),
            unit="s", goal=COLD_S, n=n, spread=quantiles(ours), conditions=f"median; {conditions}",
        ),
        Result(
            name="forecast.ratio", title="accelerate's estimate against that command",
            value=rounded(quantile(ratios, 0.5)), unit="ratio", goal=RATIO, bound="at least", n=n,
            spread=quantiles(ratios),
            conditions=f"median of the paired ratios; {conditions}; accelerate by its functions, whose command refuses a folder",
        ),
        Result(
            name="forecast.accelerate", title="accelerate's estimate", value=rounded(quantile([r.wall_s for r in theirs], 0.5)),
            unit="s", n=n, spread=quantiles([r.wall_s for r in theirs]), conditions=f"median; {conditions}",
        ),
        Result(
            name="forecast.first_look", title="Memory forecast of a folder seen for the first time",
            value=rounded(quantile(first, 0.5)), unit="s", n=len(first), spread=quantiles(first),
            conditions="median; as above, with the hash of the files not remembered",
        ),
        Result(
            name="forecast.warm", title="Memory forecast in a running process", value=rounded(quantile(warm, 0.5)),
            unit="ms", n=len(warm), spread=quantiles(warm), detail={"accelerate": rounded(quantile(alone, 0.5))},
            conditions="median of calls one after the other; accelerate's first call with its libraries imported beside it",
        ),
    ]  # fmt: skip


def _first_looks(command: list[str], folder: Path, times: int) -> list[float]:
    found: list[float] = []
    for _ in range(times):
        shutil.rmtree(folder / "file-facts", ignore_errors=True)
        found.append(_run(command, folder).wall_s)
    return found


def _warm(model: str, calls: int) -> list[float]:
    """Milliseconds of each call after one that does not count."""
    found: list[float] = []
    for _ in range(calls + 1):
        start = time.perf_counter()
        estimate_memory(model, sources=ModelSources(offline=True))
        found.append(1000 * (time.perf_counter() - start))
    return found[1:]


def _run(command: list[str], folder: Path) -> _Run:
    environment = environment_of_user(TAMESHI_HOME=str(folder), TAMESHI_OFFLINE="1")
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return _Run(time.perf_counter() - start, done.stdout)
