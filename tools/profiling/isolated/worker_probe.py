"""A short probe of what this device can do: copying, matrix-vector and matrix products; the roof of its roofline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch

_LARGE_MIB = {"cpu": 128, "cuda": 1024}
"""Larger than the caches."""
_COLUMNS = 4096
_MATRIX = {"cpu": 1024, "cuda": 8192}
_SMALLEST_MATRIX = 128
_CALL_S = 0.05
_REPEATS = 6
_TINY = 64
_TINY_CALLS = 300


def probe(device: torch.device, dtype: torch.dtype) -> dict | None:
    """Measure the device's limits in well under a second.

    Args:
        device: Where the model runs.
        dtype: Number format it runs in; float32 and bfloat16 are measured beside it.

    Returns:
        The fields of `DeviceLimits`; None where memory does not suffice for it.
    """
    start = time.perf_counter()
    formats = list(dict.fromkeys((dtype, torch.float32, torch.bfloat16)))
    try:
        products = {_name(each): _matmul_gflop_per_s(device, each) for each in formats}
        vectors = {_name(each): _matvec_gb_per_s(device, each, products[_name(each)]) for each in formats}
        copy = _copy_gb_per_s(device)
    except (RuntimeError, MemoryError):
        return None
    finally:
        if device.type == "cuda":
            torch.cuda.empty_cache()  # what the probe used is no part of what a run reserves
    return {
        "copy_gb_per_s": copy,
        "matvec_gb_per_s": {name: rate for name, rate in vectors.items() if rate},
        "matmul_gflop_per_s": products,
        "call_us": _call_us(device),
        "probe_s": time.perf_counter() - start,
    }


def better_of(first: dict | None, second: dict | None) -> dict | None:
    """The better figure of two probes, one by one."""
    if first is None or second is None:
        return first or second
    return {
        "copy_gb_per_s": max(first["copy_gb_per_s"], second["copy_gb_per_s"]),
        "matvec_gb_per_s": _highest(first["matvec_gb_per_s"], second["matvec_gb_per_s"]),
        "matmul_gflop_per_s": _highest(first["matmul_gflop_per_s"], second["matmul_gflop_per_s"]),
        "call_us": min(first["call_us"], second["call_us"]),
        "probe_s": first["probe_s"] + second["probe_s"],
    }


def _highest(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    return {name: max(first.get(name, 0.0), second.get(name, 0.0)) for name in {**first, **second}}


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _best_s(device: torch.device, call: Callable[[], object]) -> float:
    """The fastest of a few calls: a limit is what was reached once."""
    best = math.inf
    for _ in range(_REPEATS):
        _wait(device)
        start = time.perf_counter()
        call()
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _matmul_gflop_per_s(device: torch.device, dtype: torch.dtype) -> float:
    """The matrix grows while a product stays short: some formats are a hundred times slower on some processors."""
    size, rate = _SMALLEST_MATRIX, 0.0
    while size <= _MATRIX[device.type]:
        matrix = torch.ones((size, size), dtype=dtype, device=device)
        seconds = _best_s(device, lambda matrix=matrix: torch.mm(matrix, matrix))
        rate = max(rate, 2 * size**3 / seconds / 1e9)
        if 8 * seconds > _CALL_S:
            break
        size *= 2
    return rate


def _matvec_gb_per_s(device: torch.device, dtype: torch.dtype, gflop_per_s: float) -> float | None:
    """Bytes of a matrix larger than the caches, read once for each product; None for a format with no fast path here."""
    if gflop_per_s < 10:
        return None
    rows = _LARGE_MIB[device.type] * 2**20 // (_COLUMNS * dtype.itemsize)
    matrix = torch.ones((rows, _COLUMNS), dtype=dtype, device=device)
    vector = torch.ones((1, _COLUMNS), dtype=dtype, device=device)
    return matrix.nbytes / _best_s(device, lambda: torch.nn.functional.linear(vector, matrix)) / 1e9


def _copy_gb_per_s(device: torch.device) -> float:
    numbers = _LARGE_MIB[device.type] * 2**20 // 4
    source, target = torch.ones(numbers, device=device), torch.zeros(numbers, device=device)
    return 2 * source.nbytes / _best_s(device, lambda: target.copy_(source)) / 1e9


def _call_us(device: torch.device) -> float:
    """What an operation costs before it computes anything."""
    layer, vector = torch.nn.Linear(_TINY, _TINY).to(device), torch.ones((1, _TINY), device=device)

    def calls() -> None:
        for _ in range(_TINY_CALLS):
            layer(vector)

    return 1e6 * _best_s(device, calls) / _TINY_CALLS
