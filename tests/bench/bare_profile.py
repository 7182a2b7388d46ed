"""What someone without a tool would write: import, load, warm up, time the batches; prints milliseconds and the peak as JSON."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time

import torch
from transformers import AutoModel


def embed(model, inputs):
    """What the model's files say an embedding is: the mean over the tokens, of length 1."""
    hidden, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))


def time_calls(model, batch, length, repeats):
    """Milliseconds of some calls after one to warm up."""
    ids = torch.randint(5, model.config.vocab_size, (batch, length))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    embed(model, inputs)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        embed(model, inputs)
        times.append(1000 * (time.perf_counter() - start))
    return times


if __name__ == "__main__":
    folder, batches, length, repeats = sys.argv[1:5]
    torch.set_grad_enabled(False)
    bare = AutoModel.from_pretrained(folder).eval()
    medians = {
        batch: statistics.median(time_calls(bare, int(batch), int(length), int(repeats)))
        for batch in batches.split(",")
    }
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"latency_ms": medians, "peak_mib": peak_mib}))
