"""One timed call by task: a forward pass, or a prompt followed by new tokens."""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass
from typing import Any

import torch
from worker_decoding import cache_bytes, decoding_of, start_count
from worker_errors import JobError
from worker_inputs import positions, prepare
from worker_loading import Loaded
from worker_reading import weights_read
from worker_tasks import unit_of_task


@dataclass
class Call:
    """Times of one call in seconds, and what its cache held."""

    total_s: float
    first_s: float | None = None
    steps_s: tuple[float, ...] = ()
    """Time of each decoding step."""
    cache_mib: float | None = None


def synchronize(loaded: Loaded) -> None:
    """Wait until the device is done."""
    if loaded.device.type == "cuda":
        torch.cuda.synchronize(loaded.device)


def unit_of(loaded: Loaded) -> str:
    """What a throughput counts."""
    return unit_of_task(loaded.task, loaded.model.config, loaded.model.main_input_name)


def _is_of_the_machine(error: Exception, loaded: Loaded) -> bool:
    """Is it want of memory or a fault of the device, rather than inputs of a wrong shape?"""
    return isinstance(error, RuntimeError) and (loaded.device.type != "cpu" or "memory" in str(error).lower())


class _StepClock:
    """Marks the end of each step by the device's own events, so that marking does not wait for the device."""

    def __init__(self, loaded: Loaded) -> None:
        self._on_gpu = loaded.device.type == "cuda"
        self._marks: list[Any] = []
        self.mark()

    def mark(self) -> None:
        """A step ends here."""
        if not self._on_gpu:
            self._marks.append(time.perf_counter())
            return
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._marks.append(event)

    def steps_s(self) -> tuple[float, ...]:
        """Seconds between the marks; on a GPU once it is done."""
        pairs = zip(self._marks, self._marks[1:], strict=False)
        return tuple(a.elapsed_time(b) / 1000 if self._on_gpu else b - a for a, b in pairs)


class Workload:
    """Calls of one batch size and sequence length on the same inputs."""

    def __init__(self, loaded: Loaded, batch_size: int, sequence_length: int, new_tokens: int) -> None:
        self.loaded = loaded
        self.new_tokens = new_tokens if loaded.generates else 0
        made = prepare(loaded, batch_size, sequence_length)
        self._check_positions(made.tokens)
        self.inputs = made.values
        self.inputs_note = made.note
        forward = inspect.signature(loaded.model.forward).parameters
        self.last_only = {"logits_to_keep": 1} if loaded.generates and "logits_to_keep" in forward else {}
        self.decoding = decoding_of(loaded, self.inputs, self.last_only) if loaded.generates else None
        self.units = batch_size * (made.seconds if unit_of(loaded) == "seconds of audio" else max(1, self.new_tokens))
        self._cache_bytes = 0

    def _check_positions(self, tokens: int) -> None:
        """New tokens stand behind the prompt, or in a decoder of their own."""
        limit = positions(self.loaded.model.config)
        before = start_count(self.loaded) or tokens
        if limit is not None and self.new_tokens and before + self.new_tokens > limit:
            wanted = f"{before} + {self.new_tokens}"
            raise JobError("unsupported", f"{wanted} tokens are more than its {limit} positions")

    def call(self) -> Call:
        """Run it once."""
        return self.run()[0]

    def run(self) -> tuple[Call, Any]:
        """Run it once.

        Returns:
            The times; and the new tokens, the embeddings, or what else the model gave.
        """
        try:
            return self._generate() if self.new_tokens else self._forward()
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            if _is_of_the_machine(error, self.loaded):
                raise
            name, said = type(self.loaded.model).__name__, " ".join(str(error).split())[:200]
            raise JobError(
                "unsupported", f"`{name}` does not take inputs made for {self.loaded.task}: {said}"
            ) from error

    def prefill(self) -> Any:
        """The forward pass alone: for a model that generates, everything up to the first token."""
        return self.loaded.model(**self.inputs) if self.decoding is None else self.decoding.prefill()

    def bytes_read(self) -> tuple[int, int]:
        """What has to be read from memory at least.

        Returns:
            Bytes of weights for each forward pass (each decoding step when text is generated), and bytes of the cache
            that the last step of the last call read (0 before a call). Embedding tables that are only looked up are
            left out. With a mixture of experts all experts count, which is an upper bound.
        """
        return weights_read(self.loaded.model, decoding=self.new_tokens > 0), self._cache_bytes

    def _forward(self) -> tuple[Call, Any]:
        synchronize(self.loaded)
        start = time.perf_counter()
        answer = self.prefill()
        if self.loaded.embedding is not None:
            answer = self.loaded.embedding.of(answer.last_hidden_state, self.inputs["attention_mask"])
        synchronize(self.loaded)
        return Call(time.perf_counter() - start), answer

    def _generate(self) -> tuple[Call, torch.Tensor]:
        """Greedy, always the full number of tokens: an end-of-text token does not shorten a measurement."""
        decoding = decoding_of(self.loaded, self.inputs, self.last_only)
        synchronize(self.loaded)
        start = time.perf_counter()
        tokens = [decoding.taken(decoding.prefill())]
        synchronize(self.loaded)
        first = time.perf_counter() - start
        clock = _StepClock(self.loaded)
        for _ in range(self.new_tokens - 1):
            tokens.append(decoding.taken(decoding.step(tokens[-1])))
            clock.mark()
        synchronize(self.loaded)
        total = time.perf_counter() - start
        held = cache_bytes(decoding.cache[1])
        self._cache_bytes = held or 0
        call = Call(total, first, clock.steps_s(), None if held is None else held / 2**20)
        return call, torch.cat(tokens, dim=1)
