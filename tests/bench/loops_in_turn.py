"""The harness's calls and a bare loop in turn, in one process: two processes of one script differ by more than they do.

Prints, by batch size, the ratios of the medians of neighbouring turns as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys

import torch
from transformers import AutoModel

from tests.bench.bare_profile import time_calls
from tests.bench.machine import ROOT

# As the worker does: its modules know each other by name.
sys.path.append(str(ROOT / "tools" / "profiling" / "isolated"))

from worker_loading import load  # pyright: ignore[reportMissingImports]
from worker_timing import repeat  # pyright: ignore[reportMissingImports]
from worker_workloads import Workload  # pyright: ignore[reportMissingImports]

if __name__ == "__main__":
    folder, batches, length, repeats, turns = sys.argv[1:6]
    torch.set_grad_enabled(False)
    loaded = load({"kind": "profile", "root": folder, "device": "cpu", "dtype": "float32"})
    bare = AutoModel.from_pretrained(folder).eval()

    def harness(batch: int) -> float:
        """Median in milliseconds as the worker takes it."""
        calls = repeat(Workload(loaded, batch, int(length), 0), int(repeats))
        return statistics.median(1000 * call.total_s for call in calls)

    def loop(batch: int) -> float:
        """The same of the bare loop."""
        return statistics.median(time_calls(bare, batch, int(length), int(repeats)))

    ratios: dict[int, list[float]] = {}
    for batch in map(int, batches.split(",")):
        ratios[batch] = []
        for turn in range(int(turns)):
            order = (loop, harness) if turn % 2 else (harness, loop)
            took_ms = {each: each(batch) for each in order}
            ratios[batch].append(took_ms[harness] / took_ms[loop])
    sys.stdout.write(json.dumps(ratios))
