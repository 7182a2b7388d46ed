"""How soon a first look at a model is there: file safety, memory forecast and documentation, before anything is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import chain, islice, zip_longest
from pathlib import Path

from tests.bench.home import BenchHome
from tests.bench.machine import environment_of_user
from tests.bench.results import Result, quantile, quantiles, rounded
from tests.tools.attacks.around_weights import AROUND_WEIGHTS
from tests.tools.attacks.in_weights import IN_WEIGHTS
from tests.tools.attacks.sound import CARD, saved_models, write_saved, write_sound
from tools.documentation import check_documentation
from tools.errors import ToolError
from tools.file_safety import inspect_files
from tools.memory import estimate_memory
from tools.mirrors import bundled_folder
from tools.model_sources import ModelSources

COLD_S, WARM_MS, FUNNEL_S = 0.3, 30.0, 2.0
RUNS, CALLS, FOLDERS = 9, 30, 100
HEAVY = ("torch", "transformers", "huggingface_hub", "sqlalchemy", "langchain_core", "gradio")
_OFFLINE = ModelSources(offline=True)


def measure(home: BenchHome) -> list[Result]:
    """Run the command, call the functions, and go through many folders."""
    model = bundled_folder()
    if model is None:
        raise RuntimeError("the bundled model is not there")
    environment = environment_of_user(TAMESHI_HOME=str(home.copy("intake")), TAMESHI_OFFLINE="1")
    command = [str(Path(sys.executable).with_name("tameshi")), "look", str(model)]
    cold = _repeated(
        lambda: subprocess.run(command, check=True, capture_output=True, env=environment), 2 if home.quick else RUNS
    )
    warm = _repeated(lambda: look(str(model)), 3 if home.quick else CALLS)
    folders = _folders(home.folder / "funnel", 20 if home.quick else FOLDERS)
    funnel = _repeated(lambda: list(map(look, folders)), 1 if home.quick else 3)
    refused = sum(look(each) == "refuse" for each in folders)
    imported = _imported(str(model))
    what = "file safety, memory forecast and documentation of MiniLM's folder"
    return [
        Result(name="intake.cold", title="First look from the command line", value=rounded(quantile(cold, 0.5)), unit="s", goal=COLD_S,
               n=len(cold), spread=quantiles(cold), conditions=f"median of fresh processes after one; {what}; printed and stored as evidence"),
        Result(name="intake.warm", title="First look in a running process", value=rounded(1000 * quantile(warm, 0.5)), unit="ms",
               goal=WARM_MS, n=len(warm), spread=quantiles([1000 * each for each in warm]),
               conditions=f"median of calls one after the other after one; {what}; what a file parses to is kept while it stays as it is"),
        Result(name="intake.funnel", title=f"First look at {len(folders)} folders", value=rounded(quantile(funnel, 0.5)), unit="s",
               goal=FUNNEL_S, n=len(funnel), spread=quantiles(funnel), detail={"refused folders": float(refused)},
               conditions="small models of many architectures and planted attacks in turn, written just before, so that nothing is kept "
               "of them but hashes; a refused folder ends there"),
        Result(name="intake.heavy_modules", title="Heavy libraries that a first look imports", value=len(imported), unit="libraries", goal=0,
               n=len(HEAVY), conditions=f"of {', '.join(HEAVY)}"),
    ]  # fmt: skip


def look(model: str) -> str:
    """The three functions one after the other; a refusal ends it.

    Args:
        model: The folder.

    Returns:
        The verdict on its files.
    """
    verdict = inspect_files(model, sources=_OFFLINE).verdict
    if verdict != "refuse":
        for step in (estimate_memory, check_documentation):
            try:
                step(model, sources=_OFFLINE)
            except ToolError:  # an architecture whose memory is not known is told so, as a command tells it
                continue
    return verdict


def _repeated(call: Callable[[], object], times: int) -> list[float]:
    """Seconds of each call after one that does not count."""
    found: list[float] = []
    for _ in range(times + 1):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return found[1:]


def _folders(root: Path, count: int) -> list[str]:
    """Sound models and attacks in turn."""
    cases = (*AROUND_WEIGHTS, *IN_WEIGHTS)
    attacks = cases[:: max(1, len(cases) // count)]
    found: list[str] = []
    for number, each in enumerate(islice(chain.from_iterable(zip_longest(saved_models(), attacks)), count)):
        folder = root / f"{number:03}" / "model"
        if isinstance(each, dict):
            write_saved(folder, each)
            (folder / "README.md").write_text(CARD)
        else:
            write_sound(folder)
            each.build(folder, folder.parent / "marker")
        found.append(str(folder))
    return found


def _imported(model: str) -> list[str]:
    """Which heavy libraries a process has after a look."""
    code = f"import json, sys; from tests.bench.intake import HEAVY, look; look({model!r}); print(json.dumps([n for n in HEAVY if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
