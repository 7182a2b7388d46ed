"""What someone without a tool would write: import, load, warm up, time the batches; prints milliseconds and the peak as JSON."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time

import torch
from transformers import AutoModel

folder, batches, length, repeats = (
    sys.argv[1],
    [int(x) for x in sys.argv[2].split(",")],
    int(sys.argv[3]),
    int(sys.argv[4]),
)
torch.set_grad_enabled(False)
model = AutoModel.from_pretrained(folder).eval()
medians = {}
for batch in batches:
    ids = torch.randint(5, model.config.vocab_size, (batch, length))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    model(**inputs)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        model(**inputs)
        times.append(1000 * (time.perf_counter() - start))
    medians[batch] = statistics.median(times)
print(json.dumps({"latency_ms": medians, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
