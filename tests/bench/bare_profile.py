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


def embed(inputs):
    """What the model's files say an embedding is: the mean over the tokens, of length 1."""
    hidden, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))


medians = {}
for batch in batches:
    ids = torch.randint(5, model.config.vocab_size, (batch, length))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    embed(inputs)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        embed(inputs)
        times.append(1000 * (time.perf_counter() - start))
    medians[batch] = statistics.median(times)
print(json.dumps({"latency_ms": medians, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
