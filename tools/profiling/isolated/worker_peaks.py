"""A run's own peak of memory, on a processor or an accelerator, and how a lack of memory shows."""

from __future__ import annotations

import torch
from worker_loading import Loaded
from worker_memory import peak_mib, reset_peak, trim


def start_peak(loaded: Loaded) -> None:
    """Begin a peak anew, so that one run's is not the one before it."""
    if loaded.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(loaded.device)
    else:
        trim()
        reset_peak()


def peak_of(loaded: Loaded) -> float:
    """The peak since `start_peak` in MiB: of the device's allocator, or of the whole process."""
    return torch.cuda.max_memory_allocated(loaded.device) / 2**20 if loaded.device.type == "cuda" else peak_mib()


def give_back(loaded: Loaded, error: RuntimeError | MemoryError) -> None:
    """Hand what is cached back to the device after a lack of memory; any other error is raised again."""
    if "memory" not in str(error).lower() and not isinstance(error, MemoryError):
        raise error
    if loaded.device.type == "cuda":
        torch.cuda.empty_cache()
