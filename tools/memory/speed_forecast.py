"""How long a model will take, forecast from its files and from the probe of a processor, without loading anything.

A forward pass is a sum: every linear layer at the probe's matrix rate or bandwidth, whichever is slower (the roofline of
Williams, Waterman and Patterson 2009), attention's products, the numbers that are carried between the layers, and a fixed
cost a layer in units of one tiny call. The factors were fitted to transformers on a processor (`python -m
tests.bench.speed_factors`), on other sizes and partly other families than those of the benchmark; a GPU's were not, so there
is no forecast for one.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.device_limits import DeviceLimits
from tools.memory.model_shape import ModelShape
from tools.memory.stored_weights import BYTES
from tools.weight_files import TensorInfo, WeightHeader

_LOOKED_UP = re.compile(r"(^|[._])(embed|wte|wpe|relative_attention_bias|shared\.weight)")
_PATCHES = re.compile(r"patch")
_HEAD = re.compile(r"(^|\.)(lm_head|embed_out|output_projection)\.")
_NUMBERED = re.compile(r"\.\d+\.")
_EXPERT = re.compile(r"\.experts\.(\d+)\.")
_ATTENTION = ("full attention", "sliding attention", "latent attention")


_FORWARD = {
    "float32": {
        "linear layers": 1.28,
        "output layer": 4.38,
        "attention": 1.39,
        "states": 27.3,
        "layer calls": 146.0,
        "rotation calls": 0.0,
        "norm calls": 8.79,
    },
    "bfloat16": {
        "linear layers": 1.24,
        "output layer": 4.13,
        "attention": 2.51,
        "states": 57.8,
        "layer calls": 73.5,
        "rotation calls": 0.0,
        "norm calls": 0.0,
    },
}
"""What each part costs beside the ideal; fitted and printed by `python -m tests.bench.speed_factors`."""
_STEP = {
    "float32": {
        "linear layers": 1.37,
        "several rows": 1.09,
        "cache": 1.99,
        "spread cache": 2.3,
        "layer calls": 73.0,
        "rotation calls": 33.9,
        "norm calls": 3.21,
    },
    "bfloat16": {
        "linear layers": 1.4,
        "several rows": 0.375,
        "cache": 6.97,
        "spread cache": 0.376,
        "layer calls": 57.7,
        "rotation calls": 0.0,
        "norm calls": 9.43,
    },
}
"""The same for a decoding step."""
_SOURCE = (
    "config.json, safetensors headers and the probe of this processor; factors fitted to transformers on a processor"
)


class SpeedForecast(BaseModel):
    """How long a call will take on a probed processor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_ms: float
    """Time of the whole call in milliseconds: the forward pass, and with new tokens every decoding step as well."""
    time_to_first_token_ms: float | None = None
    """Time until the first new token in milliseconds; only with new tokens."""
    inter_token_latency_ms: float | None = None
    """Time between later tokens in milliseconds; only with new tokens."""
    formula: str
    """The terms of the forward pass with their milliseconds."""
    source: str = _SOURCE
    """Where the figures come from."""


def forecast_speed(
    header: WeightHeader,
    shape: ModelShape,
    limits: DeviceLimits,
    *,
    dtype: str,
    batch_size: int,
    sequence_length: int,
    new_tokens: int = 0,
) -> SpeedForecast | None:
    """Forecast the time of one call on the processor that was probed.

    Args:
        header: Heads of the weight files.
        shape: Sizes of the architecture.
        limits: The probe.
        dtype: `float32` or `bfloat16`.
        batch_size: Inputs processed together.
        sequence_length: Tokens of each input; image models count their patches instead.
        new_tokens: Tokens to generate.

    Returns:
        The forecast; None for architectures and formats that it does not cover: encoder-decoders, recurrent layers, models of
        several parts, formats without a measured rate.
    """
    model = IdealTimes.read(header, shape, limits, dtype)
    if model is None or dtype not in _FORWARD:
        return None
    tokens = shape.tokens_of(sequence_length)
    terms = {name: _FORWARD[dtype][name] * seconds for name, seconds in model.forward_s(batch_size, tokens).items()}
    forward_ms = 1000 * sum(terms.values())
    formula = " + ".join(f"{name} {1000 * seconds:.3g}" for name, seconds in terms.items() if seconds)
    if new_tokens < 1:
        return SpeedForecast(latency_ms=_short(forward_ms), formula=formula)
    step = model.step_s(batch_size, tokens + new_tokens // 2)
    step_ms = 1000 * sum(_STEP[dtype][name] * seconds for name, seconds in step.items())
    return SpeedForecast(
        latency_ms=_short(forward_ms + (new_tokens - 1) * step_ms),
        time_to_first_token_ms=_short(forward_ms),
        inter_token_latency_ms=_short(step_ms),
        formula=formula,
    )


class _Matrix(NamedTuple):
    parameters: int
    row_share: float
    """Share of the rows that pass it: less than 1 for one of several experts."""


class IdealTimes:
    """What each part of a call would take if the device always reached its probed limits."""

    def __init__(
        self, matrices: list[_Matrix], header: WeightHeader, shape: ModelShape, limits: DeviceLimits, dtype: str
    ) -> None:
        self.matrices, self.shape, self.bytes = matrices, shape, BYTES[dtype]
        self.head, self.norms = _head(header, shape), _root_mean_square_norms(header)
        self.flop_s = 1 / (limits.matmul_gflop_per_s[dtype] * 1e9)
        self.byte_s = 1 / (limits.matvec_gb_per_s[dtype] * 1e9)
        self.call_s = (limits.call_us or 0.0) * 1e-6

    @classmethod
    def read(cls, header: WeightHeader, shape: ModelShape, limits: DeviceLimits, dtype: str) -> IdealTimes | None:
        """Those of a model on a probed device.

        Args:
            header: Heads of the weight files.
            shape: Sizes of the architecture.
            limits: The probe.
            dtype: Number format it runs in.

        Returns:
            The times; None for architectures and formats that they do not cover.
        """
        if dtype not in limits.matmul_gflop_per_s or dtype not in limits.matvec_gb_per_s:
            return None
        if not (shape.hidden and shape.layers and shape.heads and limits.call_us) or shape.reads_source:
            return None
        if any(cache.kind not in _ATTENTION for cache in shape.caches or ()) or _has_parts(header):
            return None
        experts = 1 + max((int(found[1]) for name in header.tensors if (found := _EXPERT.search(name))), default=0)
        made = (_matrix(name, each, shape.experts_per_token, experts) for name, each in header.tensors.items())
        return cls([matrix for matrix in made if matrix is not None], header, shape, limits, dtype)

    def forward_s(self, batch: int, tokens: int) -> dict[str, float]:
        """Seconds of each part of a forward pass.

        Args:
            batch: Inputs processed together.
            tokens: Tokens of each.
        """
        rows, hidden, layers = batch * tokens, self.shape.hidden or 0, self.shape.layers or 0
        seen = min(tokens, self._window() or tokens)
        return {
            "linear layers": self._linear_s(rows),
            "output layer": self._head_s(batch),
            "attention": 4 * rows * seen * hidden * layers * self.flop_s,
            "states": rows * layers * hidden * self.bytes * self.byte_s,
            **self._calls_s(),
        }

    def step_s(self, batch: int, tokens: int) -> dict[str, float]:
        """Seconds of each part of a decoding step.

        Args:
            batch: Sequences that grow together.
            tokens: Tokens of each so far.
        """
        hidden, layers = self.shape.hidden or 0, self.shape.layers or 0
        matrices_s = self._linear_s(batch) + self._head_s(batch)
        kept = sum(cache.size_bytes(tokens, tokens, self.bytes) for cache in self.shape.caches or ()) * batch
        spread = batch * tokens * 2 * hidden * layers * self.bytes
        return {
            "linear layers": matrices_s,
            "several rows": matrices_s if batch > 1 else 0.0,  # a product of few rows reads more slowly than of one
            "cache": kept * self.byte_s,
            # with as many heads of keys as of queries these are in the cache already
            "spread cache": spread * self.byte_s if spread > 1.01 * kept else 0.0,
            **self._calls_s(),
        }

    def _calls_s(self) -> dict[str, float]:
        """A tiny call for each layer, rotation of positions, and norm of several operations."""
        layers = self.shape.layers or 0
        return {
            "layer calls": layers * self.call_s,
            "rotation calls": layers * self.call_s if self.shape.rotary else 0.0,
            "norm calls": self.norms * self.call_s,
        }

    def _linear_s(self, rows: float) -> float:
        return sum(self._product_s(each.parameters, rows * each.row_share) for each in self.matrices)

    def _head_s(self, rows: int) -> float:
        return self._product_s(self.head, rows) if self.head else 0.0

    def _product_s(self, parameters: int, rows: float) -> float:
        return max(2 * rows * parameters * self.flop_s, parameters * self.bytes * self.byte_s)

    def _window(self) -> int | None:
        """The window of sliding layers, where all layers slide."""
        caches = self.shape.caches or ()
        return caches[0].tokens_at_most if len(caches) == 1 else None


def _matrix(name: str, tensor: TensorInfo, per_token: int, experts: int) -> _Matrix | None:
    """A linear layer's matrix, or a convolution over patches; None for tables, norms and the output layer."""
    if len(tensor.shape) < 2 or _HEAD.search(name) or "pooler" in name:
        return None
    if _LOOKED_UP.search(name) and not _PATCHES.search(name):
        return None
    if ".experts." in name:
        count = tensor.shape[0] if len(tensor.shape) == 3 else experts
        return _Matrix(math.prod(tensor.shape), min(1.0, per_token / max(1, count)))
    return _Matrix(math.prod(tensor.shape), 1.0)


def _head(header: WeightHeader, shape: ModelShape) -> int:
    """Parameters of the output layer over the vocabulary; tied to the table of words where it is not in the files."""
    if not shape.generates:
        return 0
    own = next((math.prod(t.shape) for n, t in header.tensors.items() if _HEAD.search(n) and len(t.shape) == 2), None)
    return own if own is not None else (shape.vocabulary or 0) * (shape.hidden or 0)


def _root_mean_square_norms(header: WeightHeader) -> int:
    """Norms without a bias, which transformers computes in several operations where others are one."""
    return sum(
        "norm" in name and name.endswith(".weight") and name.removesuffix("weight") + "bias" not in header.tensors
        for name, tensor in header.tensors.items()
        if len(tensor.shape) == 1
    )


def _has_parts(header: WeightHeader) -> bool:
    """Whether there are more numbered stacks of layers than one, such as an image encoder beside a decoder."""
    return len({name[: found.start()] for name in header.tensors if (found := _NUMBERED.search(name))}) > 1


def _short(value: float) -> float:
    return float(f"{value:.4g}")
