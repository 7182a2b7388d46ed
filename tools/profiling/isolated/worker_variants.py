"""Tries other settings beside the model as it is: how much faster, and how far the answers are from those in float32."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import is_traceable_wrapper_subclass
from worker_errors import JobError
from worker_loading import Loaded
from worker_memory import trim
from worker_reply import Report
from worker_statistics import median_interval
from worker_workloads import Workload

_MIN_PAIRS = 5
_MAX_PAIRS = 40
_PAIRS_S = 2.0
_TOO_SLOW = 20.0

Make = Callable[[Loaded, int, int], Workload]


class NotHere(Exception):
    """A setting that this installation or this model does not have."""


def measure_variants(
    wanted: list[str], loaded: Loaded, size: tuple[int, int], make: Make, report: Report
) -> list[dict]:
    """Measure every setting of the wanted kinds beside the model as it is.

    Args:
        wanted: Of `dtype`, `attention`, `compile`, `quantization`.
        loaded: The model as asked for.
        size: Batch size and sequence length.
        make: Makes a workload of a model.
        report: Told before each setting, and given its figures.

    Returns:
        The fields of `Variant`, one for each setting.
    """
    settings = [(kind, value) for kind in _CHANGES if kind in wanted for value in _values(kind, loaded)]
    if not settings:
        return []
    report.progress(0.8, "Computing the answers in float32")
    exact = _answers(make(_in_float32(loaded), *size))
    done: list[dict] = []
    for place, (kind, value) in enumerate(settings):
        report.progress(0.8 + 0.15 * place / len(settings), f"Trying {kind} {value}")
        found: dict[str, Any] = {"setting": f"{kind}={value}", "batch_size": size[0], "sequence_length": size[1]}
        try:
            found |= _compare(loaded, kind, value, size, make, exact)
        except (NotHere, JobError) as reason:
            found["error"] = f"Not tried: {reason}."
        except Exception as error:  # noqa: BLE001 (compilers and quantizers fail in their own ways; the rest goes on)
            found["error"] = f"Failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        done.append(found)
        report.part(variants=[found])
    return done


def _values(kind: str, loaded: Loaded) -> list[str]:
    values = {
        "dtype": ["float32", "bfloat16", "float16"],
        "attention": ["eager", "sdpa"],
        "compile": ["default"],
        "quantization": list(_QUANTIZERS),
    }[kind]
    as_it_is = {"dtype": loaded.dtype, "attention": getattr(loaded.model.config, "_attn_implementation", None)}
    return [value for value in values if value != as_it_is.get(kind)]


def _compare(loaded: Loaded, kind: str, value: str, size: tuple[int, int], make: Make, exact: torch.Tensor) -> dict:
    with _CHANGES[kind](loaded, value) as changed:
        base, other = make(loaded, *size), make(changed, *size)
        slow = _warm_up(base, other)
        pairs = _pairs(base, other) if not slow else [slow]
        answers = _answers(other)
        weights = _weights_mib(changed.model)
    ratios = [first / second for first, second in pairs]
    low, high = median_interval(ratios) if len(ratios) >= _MIN_PAIRS else (None, None)
    return {
        "latency_p50_ms": 1000 * statistics.median(second for _, second in pairs),
        "speedup": statistics.median(ratios),
        "speedup_low": low,
        "speedup_high": high,
        "weights_mib": weights,
        **_agreement(exact, answers, has_head=_has_head(loaded)),
    }


def _warm_up(base: Workload, other: Workload) -> tuple[float, float] | None:
    """Call both once or twice; a pair of times when the other is so slow that more calls would be a waste."""
    first = min(base.call().total_s for _ in range(2))
    other.call()
    second = other.call().total_s
    return (first, second) if second > _TOO_SLOW * first else None


def _pairs(base: Workload, other: Workload) -> list[tuple[float, float]]:
    """Times in turn, so that what disturbs the machine meets both."""
    pairs: list[tuple[float, float]] = []
    start = time.perf_counter()
    while len(pairs) < _MIN_PAIRS or len(pairs) < _MAX_PAIRS and time.perf_counter() - start < _PAIRS_S:
        pairs.append((base.call().total_s, other.call().total_s))
    return pairs


def _answers(workload: Workload) -> torch.Tensor:
    """The output that the model is used for, one row for each position, in float32."""
    output = workload.prefill()
    for name in ("logits", "logits_per_image", "last_hidden_state", "start_logits"):
        found = getattr(output, name, None)
        if isinstance(found, torch.Tensor):
            rows = found.detach().float()
            return rows.reshape(-1, rows.shape[-1]).cpu()
    raise NotHere("its output is of no kind that can be compared")


def _has_head(loaded: Loaded) -> bool:
    return loaded.task not in ("feature-extraction", "sentence-similarity", "text-ranking")


def _agreement(exact: torch.Tensor, other: torch.Tensor, *, has_head: bool) -> dict[str, float | None]:
    if exact.shape != other.shape or not torch.isfinite(other).all():
        raise NotHere("its answers are not finite numbers of the same shape")
    cosine = torch.nn.functional.cosine_similarity(exact, other, dim=1).min().item()
    flips = None
    if has_head and exact.shape[1] > 1:
        flips = 100 * (exact.argmax(1) != other.argmax(1)).float().mean().item()
    return {"lowest_cosine": max(-1.0, min(1.0, cosine)), "flips_percent": flips}


def _weights_mib(model: Any) -> float:
    """Size of what the weights take; packed ones of a quantized layer are parts of their tensor."""
    kept = {part.data_ptr(): part.nbytes for each in model.parameters() for part in _parts(each)}
    return sum(kept.values()) / 2**20


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The plain tensors of a packed one, or itself."""
    if not is_traceable_wrapper_subclass(tensor):
        return [tensor]
    return [part for name in tensor.__tensor_flatten__()[0] for part in _parts(getattr(tensor, name))]


class _Changed:
    """A changed model for the length of a comparison."""

    def __init__(self, loaded: Loaded, value: str) -> None:
        self.loaded, self.value = loaded, value

    def __enter__(self) -> Loaded:
        return self.change()

    def __exit__(self, *_: object) -> None:
        self.restore()
        trim()

    def change(self) -> Loaded:
        raise NotImplementedError

    def restore(self) -> None:
        """Undo what was changed in place."""


class _Dtype(_Changed):
    def change(self) -> Loaded:
        return _copied(self.loaded, getattr(torch, self.value))


class _Attention(_Changed):
    def change(self) -> Loaded:
        changed = copy.deepcopy(self.loaded.model)
        changed.set_attn_implementation(self.value)
        return dataclasses.replace(self.loaded, model=changed)


class _Compiled(_Changed):
    def change(self) -> Loaded:
        from torch._inductor import config  # noqa: PLC0415 (heavy import, only where it is tried)

        # The header that is compiled in advance is larger than what the worker may write into a file.
        config.cpp_cache_precompile_headers = False
        changed = copy.deepcopy(self.loaded.model)
        changed.forward = torch.compile(changed.forward)
        return dataclasses.replace(self.loaded, model=changed)

    def restore(self) -> None:
        torch.compiler.reset()


class _Quantized(_Changed):
    def change(self) -> Loaded:
        if importlib.util.find_spec("torchao") is None:
            raise NotHere("the package torchao is not installed")
        from torchao import quantization  # noqa: PLC0415 (optional package)  # pyright: ignore[reportMissingImports]

        changed = copy.deepcopy(self.loaded.model)
        try:
            quantization.quantize_(changed, getattr(quantization, _QUANTIZERS[self.value])())
        except (ImportError, NotImplementedError) as error:
            raise NotHere(f"torchao says: {str(error)[:120]}") from error
        return dataclasses.replace(self.loaded, model=changed)


_QUANTIZERS = {
    "int8": "Int8WeightOnlyConfig",
    "int8-dynamic": "Int8DynamicActivationInt8WeightConfig",
    "int4": "Int4WeightOnlyConfig",
}
"""What torchao calls them: weights alone, or the numbers between the layers as well."""

_CHANGES: dict[str, type[_Changed]] = {
    "dtype": _Dtype,
    "attention": _Attention,
    "compile": _Compiled,
    "quantization": _Quantized,
}


def _copied(loaded: Loaded, dtype: torch.dtype) -> Loaded:
    model = copy.deepcopy(loaded.model).to(dtype)
    return dataclasses.replace(loaded, model=model, dtype=str(dtype).removeprefix("torch."))


def _in_float32(loaded: Loaded) -> Loaded:
    return loaded if loaded.dtype == "float32" else _copied(loaded, torch.float32)
