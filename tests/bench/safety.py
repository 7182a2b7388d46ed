"""Whether planted attacks are found and sound models accepted, beside other scanners; our header reader beside the reference."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from tests.bench.header_damage import damaged
from tests.bench.header_fuzz import compare
from tests.bench.home import BenchHome
from tests.bench.machine import ROOT
from tests.bench.results import Result, share_interval
from tests.tools.attacks.around_weights import AROUND_WEIGHTS
from tests.tools.attacks.case import Case
from tests.tools.attacks.in_weights import IN_WEIGHTS
from tests.tools.attacks.sound import GOOD, saved_models, write_saved, write_sound
from tests.tools.attacks.wrong_loads import wrong_loads
from tools.file_safety.file_view import FolderView
from tools.file_safety.findings import FileInspection
from tools.file_safety.verdict import inspect_view

SCANNERS = ("picklescan", "modelscan", "fickling")
"""The last one needs typing_extensions, which it does not ask for."""
WRONG_LOADS = 0.95
MUTATIONS, SEED = 100_000, 20_261_127
_ENVIRONMENT = ROOT / ".work" / "scanners"
_SCRIPT = Path(__file__).parent / "peer_scanners.py"


class Planted(NamedTuple):
    """A case and where it lies."""

    case: Case
    folder: Path
    marker: Path


def measure(home: BenchHome) -> list[Result]:
    """Plant everything, let us and the other scanners look, and compare the header readers."""
    bad = _plant(home.folder / "bad")
    good = _write_good(home.folder / "good")
    results = [*_ours(bad, good), _wrong_loads(home.folder / "wrong"), _headers(1_000 if home.quick else MUTATIONS)]
    return results if home.quick else [*results, *_scanners(bad, good, home.folder)]


def _plant(root: Path) -> list[Planted]:
    found: list[Planted] = []
    for number, case in enumerate((*IN_WEIGHTS, *AROUND_WEIGHTS)):
        place = root / f"{number:03}"
        planted = Planted(case, place / "model", place / "marker")
        write_sound(planted.folder)
        case.build(planted.folder, planted.marker)
        found.append(planted)
    return found


def _write_good(root: Path) -> list[Path]:
    found: list[Path] = []
    for number, write in enumerate(GOOD.values()):
        found.append(root / f"{number:03}" / "model")
        found[-1].parent.mkdir(parents=True)
        write(found[-1])
    for number, row in enumerate(saved_models(), start=len(GOOD)):
        found.append(root / f"{number:03}" / "model")
        write_saved(found[-1], row)
    return found


def _inspect(folder: Path) -> FileInspection:
    return inspect_view(FolderView(folder), model=folder.parent.name, commit="")


def _has_reason(planted: Planted, inspection: FileInspection) -> bool:
    rules = {each.rule for each in inspection.findings if each.severity == inspection.verdict}
    return inspection.verdict == planted.case.verdict and planted.case.reason in rules


def _ours(bad: list[Planted], good: list[Path]) -> list[Result]:
    inspections = [_inspect(each.folder) for each in bad]
    accepted = [each.verdict == "accept" for each in inspections]
    reasons = [_has_reason(each, inspection) for each, inspection in zip(bad, inspections, strict=True)]
    flagged = [_inspect(each).verdict != "accept" for each in good]
    executed = [each.marker.exists() for each in bad]
    to_refuse = sum(each.case.verdict == "refuse" for each in bad)
    conditions = (
        f"{len(bad)} planted cases over T01 to T17, of which {to_refuse} are to be refused and the others flagged"
    )
    right = sum(reasons) / len(bad)
    return [
        Result(name="safety.bad_accepted", title="Planted attacks accepted", value=sum(accepted), unit="cases", goal=0,
               n=len(bad), conditions=conditions),
        Result(name="safety.right_reason", title="Planted attacks with the right verdict by the right rule", value=round(right, 4),
               unit="share", goal=1.0, bound="at least", n=len(bad), spread=share_interval(right, len(bad)), conditions=conditions),
        Result(name="safety.executed", title="Planted code that ran", value=sum(executed), unit="cases", goal=0, n=len(bad),
               conditions=f"a payload would create a marker file; {conditions}"),
        Result(name="safety.good_flagged", title="Sound models refused or flagged", value=sum(flagged), unit="cases", goal=0, n=len(good),
               conditions=f"{len(GOOD)} forms of a small BERT, {len(good) - len(GOOD)} models as transformers saves them"),
    ]  # fmt: skip


def _wrong_loads(folder: Path) -> Result:
    found: dict[str, list[bool]] = defaultdict(list)
    for planted in wrong_loads():
        write_saved(folder, planted.row)
        found[planted.change].append(
            any(each.rule == "T10" and each.severity == "refuse" for each in _inspect(folder).findings)
        )
        shutil.rmtree(folder)
    everything = [each for hits in found.values() for each in hits]
    share = sum(everything) / len(everything)
    return Result(
        name="safety.wrong_loads", title="Wrong loads refused from headers and config alone", value=round(share, 4), unit="share",
        goal=WRONG_LOADS, bound="at least", n=len(everything), spread=share_interval(share, len(everything)),
        detail={change: round(sum(hits) / len(hits), 4) for change, hits in found.items()},
        conditions="every model that transformers saved, with one thing of config or weights changed",
    )  # fmt: skip


def _headers(count: int) -> Result:
    agreement = compare(damaged(count, SEED))
    return Result(
        name="safety.header_differences", title="Damaged safetensors files judged otherwise than by the reference reader",
        value=len(agreement.differences), unit="files", goal=0, n=agreement.tried,
        detail={"both take": agreement.both_take, "both refuse": agreement.both_refuse, **{f"stricter: {k}": v for k, v in agreement.stricter.items()}},
        conditions="changed bytes, lengths, entries, numbers and texts, one to three changes each, the same ones every time; "
        "refused by us alone for a named reason is no difference",
    )  # fmt: skip


def _scanners(bad: list[Planted], good: list[Path], folder: Path) -> list[Result]:
    results: list[Result] = []
    for scanner in SCANNERS:
        of_bad, of_good = _scan(scanner, folder / "bad"), _scan(scanner, folder / "good")
        hits = {each.folder.parent.name for each in bad if of_bad[each.folder.parent.name] == "found"}
        pickles = [each for each in bad if each.case.row == "T01"]
        in_pickles = sum(each.folder.parent.name in hits for each in pickles)
        wrong = sum(each == "found" for each in of_good.values()) / len(good)
        failed = sum(each not in {"found", "nothing"} for each in of_bad.values()) / len(bad)
        share = len(hits) / len(bad)
        results.append(
            Result(
                name=f"safety.{scanner}", title=f"Planted attacks that {scanner} finds", value=round(share, 4), unit="share", n=len(bad),
                spread=share_interval(share, len(bad)),
                detail={"of pickles": round(in_pickles / len(pickles), 4), "good flagged": round(wrong, 4), "gave up": round(failed, 4)},
                conditions=f"any issue in the folder counts as found; it looks for code in files, not for wrong models; version {_version(scanner)}",
            )
        )  # fmt: skip
    executed = sum(each.marker.exists() for each in bad)
    results.append(
        Result(name="safety.executed_by_scanners", title="Planted code that ran while the other scanners looked", value=executed,
               unit="cases", n=len(bad), conditions="the same folders")
    )  # fmt: skip
    return results


def _python() -> Path:
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(_ENVIRONMENT, with_pip=True)
    if subprocess.run(
        [python, "-c", "import picklescan, modelscan, fickling"], check=False, capture_output=True
    ).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *SCANNERS, "typing_extensions"], check=True)
    return python


def _scan(scanner: str, root: Path) -> dict[str, str]:
    done = subprocess.run(
        [_python(), "-I", _SCRIPT, scanner, root], check=True, capture_output=True, text=True, cwd=root
    )
    return json.loads(done.stdout.splitlines()[-1])


def _version(scanner: str) -> str:
    code = f"import importlib.metadata; print(importlib.metadata.version({scanner!r}))"
    return subprocess.run([_python(), "-c", code], check=True, capture_output=True, text=True).stdout.strip()
