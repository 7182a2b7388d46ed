"""What a profile of the bundled MiniLM takes beside optimum-benchmark, which runs in an environment of its own.

Both measure the same batch sizes, length and number of calls, in turn, each from a fresh process.
"""

from __future__ import annotations

from tests.bench.home import BenchHome
from tests.bench.peers import Spent, optimum_command, own_command, paired_ratio, profile_arguments, run_timed
from tests.bench.results import Result
from tools.mirrors import bundled_folder

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SHARE = 0.25
PAIRS = 5


def measure(home: BenchHome) -> list[Result]:
    """Run both in turn, and compare within each turn."""
    folder = bundled_folder()
    if folder is None:
        raise RuntimeError("the bundled MiniLM is not there")
    own: list[Spent] = []
    optimum: list[Spent] = []
    for _ in range(1 if home.quick else PAIRS):
        own.append(run_timed(own_command([MODEL, *profile_arguments()]), home.folder))
        optimum.append(run_timed(optimum_command([str(folder), *profile_arguments()]), home.folder))
    return [
        paired_ratio("optimum.wall", "Profile beside optimum-benchmark: wall time", own, optimum, SHARE),
        paired_ratio("optimum.cpu", "Profile beside optimum-benchmark: processor time", own, optimum, SHARE, cpu=True),
    ]
