"""Runs one scanner over folders of models; started by path in an environment that has the scanners and nothing of ours.

Arguments: `picklescan`, `modelscan` or `fickling`, then the folder of folders. Prints a JSON object: by folder `found`,
`nothing` or why it could not be told.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

SECONDS_FOR_ONE = 20


def picklescan(folder: Path) -> bool:
    from picklescan.scanner import scan_directory_path

    result = scan_directory_path(str(folder))
    return bool(result.issues_count or result.infected_files)


def modelscan(folder: Path) -> bool:
    from modelscan.modelscan import ModelScan

    return ModelScan().scan(folder)["summary"]["total_issues"] > 0


def fickling(folder: Path) -> bool:
    """It judges one pickle or zip archive at a time, and raises for files that are neither."""
    from fickling import scan_file, scan_zip_archive

    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors" and path.stat().st_size < 100_000_000:
            for scan in (lambda name: [scan_file(name)], lambda name: list(scan_zip_archive(name).values())):
                with contextlib.suppress(Exception):
                    if any(not each.is_safe for each in scan(str(path))):
                        return True
    return False


def _judged(scan: Callable[[Path], bool], folder: Path) -> str:
    signal.alarm(SECONDS_FOR_ONE)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return "found" if scan(folder) else "nothing"
    except Exception as error:  # noqa: BLE001 (whatever a scanner stumbles over, it has not found it)
        return type(error).__name__
    finally:
        signal.alarm(0)


def _too_long(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _too_long)
    chosen = {"picklescan": picklescan, "modelscan": modelscan, "fickling": fickling}[sys.argv[1]]
    print(json.dumps({each.name: _judged(chosen, each) for each in sorted(Path(sys.argv[2]).iterdir())}))
