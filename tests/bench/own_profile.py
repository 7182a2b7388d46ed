"""Our profile from a fresh process, as its command does it; prints the record as JSON."""

from __future__ import annotations

import sys

from tools.model_sources import ModelSources
from tools.profiling import profile_model

if __name__ == "__main__":
    model, batches, length, repeats = sys.argv[1:5]
    record = profile_model(
        model, device="cpu", batch_sizes=[int(each) for each in batches.split(",")], sequence_lengths=[int(length)],
        repeats=int(repeats), sources=ModelSources(offline=True),
    )  # fmt: skip
    sys.stdout.write(record.model_dump_json())
