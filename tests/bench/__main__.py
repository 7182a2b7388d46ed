"""Measure what the README promises: `python -m tests.bench`; the results go to `docs/bench.json` and into the README.

Every part answers one question. A missed goal is told in words, and is no failure of the bench.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.home import BenchHome
from tests.bench.machine import ROOT, read_commit, read_load, read_machine
from tests.bench.report import replace_block, shown, table
from tests.bench.results import Document, Part, Result

PARTS = (
    "profile",
    "optimum",
    "memory",
    "forecast",
    "intake",
    "speed",
    "start",
    "search",
    "guidance",
    "documents",
    "turns",
    "routing",
    "claims",
    "safety",
)
"""In the order in which they run: what starts processes comes before what fills this one."""
JSON = ROOT / "docs" / "bench.json"
README = ROOT / "README.md"


def main() -> None:
    """Run the parts, say what they found, and write it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="run these parts, and keep the others")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    parser.add_argument("--quick", action="store_true", help="few samples, to see that it works; writes nothing")
    options = parser.parse_args()
    home = BenchHome(quick=options.quick)
    parts: list[Part] = []
    try:
        for name in PARTS:
            if name in options.only:
                parts.append(run_part(name, home))
                # After each part, so that one that breaks does not lose those before it.
                if not (options.dry or options.quick):
                    write(parts, JSON, README)
    finally:
        home.remove()
    missed = [r for part in parts for r in part.results if r.held is False]
    _say("Every goal is held." if not missed else f"Goals missed: {', '.join(r.name for r in missed)}.")


def run_part(name: str, home: BenchHome) -> Part:
    """Run one part, with the machine's load around it."""
    home.settings  # noqa: B018 (builds the index before anything is timed)
    module = importlib.import_module(f"tests.bench.{name}")
    commit, uncommitted = read_commit()
    date = datetime.now(UTC).isoformat(timespec="seconds")
    before, start = read_load(), time.perf_counter()
    _say(f"{name}: load {before.load_average[0]}, {100 * before.busy_share:.0f} % of the cores busy")
    results = module.measure(home)
    wall_s = round(time.perf_counter() - start, 1)
    for result in results:
        _say(f"  {in_words(result)}")
    return Part(
        name=name, date=date, commit=commit, uncommitted_files=uncommitted, wall_s=wall_s, load_before=before,
        load_after=read_load(), results=tuple(results),
    )  # fmt: skip


def in_words(result: Result) -> str:
    """A result as a line for the terminal."""
    spread = ", ".join(f"{name} {shown(value, result.unit)}" for name, value in (result.spread | result.detail).items())
    text = f"{result.name}: {shown(result.value, result.unit)} (n {result.n}; {spread})"
    if result.goal is None:
        return text
    goal = f"{result.bound} {shown(result.goal, result.unit)}"
    return f"{text} - {'held' if result.held else 'MISSED'}, {goal}"


def write(parts: list[Part], json_file: Path, readme: Path) -> None:
    """Write the JSON and the README's block; parts that were not run are kept when they are of this machine."""
    machine = read_machine()
    new = {part.name: part.model_dump(mode="json") for part in parts}
    merged = {**_kept(json_file, machine), **new}
    ordered = [merged[name] for name in PARTS if name in merged]
    document = Document(machine=machine, parts=ordered).model_dump(mode="json")
    json_file.parent.mkdir(exist_ok=True)
    json_file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        readme.write_text(replace_block(readme.read_text(encoding="utf-8"), table(document)), encoding="utf-8")
    except ValueError as problem:
        _say(f"{readme.name} was left as it is: {problem}.")


def _kept(json_file: Path, machine: dict[str, Any]) -> dict[str, Any]:
    if not json_file.is_file():
        return {}
    document = json.loads(json_file.read_text(encoding="utf-8"))
    parts = {part["name"]: part for part in document["parts"]}
    if document["machine"] == machine:
        return parts
    _say(f"Measured on another machine and left out until they are run here: {', '.join(parts)}.")
    return {}


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
