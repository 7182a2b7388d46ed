"""One timed call by task: a forward pass, or a prompt followed by new tokens."""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass
from typing import Any

import torch
from worker_inputs import make_inputs, positions
from worker_loading import JobError, Loaded


@dataclass
class Call:
    """Times of one call in seconds, and what its cache held."""

    total_s: float
    first_s: float | None = None
    steps_s: float | None = None
    cache_mib: float | None = None


def synchronize(loaded: Loaded) -> None:
    """Wait until the device is done."""
    if loaded.device.type == "cuda":
        torch.cuda.synchronize(loaded.device)


def unit_of(loaded: Loaded) -> str:
    """What a throughput counts."""
    if loaded.task == "text-generation":
        return "tokens"
    return "texts" if loaded.model.main_input_name == "input_ids" else "inputs"


class Workload:
    """Calls of one batch size and sequence length on the same inputs."""

    def __init__(self, loaded: Loaded, batch_size: int, sequence_length: int, new_tokens: int) -> None:
        self.loaded = loaded
        self.new_tokens = new_tokens if loaded.task == "text-generation" else 0
        limit = positions(loaded.model.config)
        if limit is not None and sequence_length + self.new_tokens > limit:
            wanted = f"{sequence_length} + {self.new_tokens}" if self.new_tokens else str(sequence_length)
            raise JobError("unsupported", f"{wanted} tokens are more than its {limit} positions")
        self.inputs = make_inputs(loaded, batch_size, sequence_length)
        forward = inspect.signature(loaded.model.forward).parameters
        self.last_only = {"logits_to_keep": 1} if "logits_to_keep" in forward else {}
        self.units = batch_size * max(1, self.new_tokens)

    def call(self) -> Call:
        """Run it once."""
        return self._generate() if self.new_tokens else self._forward()

    def _forward(self) -> Call:
        synchronize(self.loaded)
        start = time.perf_counter()
        self.loaded.model(**self.inputs)
        synchronize(self.loaded)
        return Call(time.perf_counter() - start)

    def _generate(self) -> Call:
        """Greedy, always the full number of tokens: an end-of-text token does not shorten a measurement."""
        model = self.loaded.model
        mask = self.inputs["attention_mask"]
        synchronize(self.loaded)
        start = time.perf_counter()
        output = model(**self.inputs, use_cache=True, **self.last_only)
        token = output.logits[:, -1:].argmax(-1)
        synchronize(self.loaded)
        first = time.perf_counter() - start
        for _ in range(self.new_tokens - 1):
            mask = torch.cat([mask, mask.new_ones((mask.shape[0], 1))], dim=1)
            name, cache = _cache_of(output)
            output = model(input_ids=token, attention_mask=mask, use_cache=True, **{name: cache})
            token = output.logits[:, -1:].argmax(-1)
        synchronize(self.loaded)
        total = time.perf_counter() - start
        return Call(total, first, total - first, _cache_mib(_cache_of(output)[1]))


_CACHES = ("past_key_values", "cache_params")
"""What transformers calls what is kept between steps: attention's keys and values, or purely recurrent states."""


def _cache_of(output: Any) -> tuple[str, Any]:
    """The name of the argument, and what a step hands to the next under it."""
    name = next((name for name in _CACHES if getattr(output, name, None) is not None), None)
    if name is None:
        raise JobError("unsupported", "its cache between steps is of no known kind")
    return name, getattr(output, name)


def _cache_mib(cache: Any) -> float | None:
    layers = getattr(cache, "layers", None)
    if not layers:
        return None
    kept = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
    states = [getattr(layer, name, None) or {} for layer in layers for name in ("conv_states", "recurrent_states")]
    kept += [state for each in states for state in each.values()]
    return sum(tensor.nbytes for tensor in kept if isinstance(tensor, torch.Tensor)) / 2**20
