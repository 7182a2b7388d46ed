"""The tool `estimate_memory`: a forecast of peak memory from configuration and headers, without loading anything."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.errors import InvalidArgument, UnsupportedModel
from tools.fetching import inspect_location, local_commit, refuse_unsafe
from tools.locating import locate_model
from tools.model_shape import ModelShape, read_shape
from tools.model_sources import ModelSources
from tools.weight_files import WeightHeader, snapshot_tensors

BYTES: dict[str, float] = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "int4": 0.5}
"""Bytes of one parameter by number format."""
MAX_BATCH = 4096
"""Largest batch size that is forecast."""
MAX_LENGTH = 1_048_576
"""Most tokens that are forecast."""
RUNTIME_MIB = 374.0
"""Resident size of Python, torch and transformers alone on a CPU, measured."""
_RUNTIME_SOURCE = "measured: Python, torch and transformers on a CPU without a model"
_HOST_NOTE = (
    "peak of the whole process on a CPU; on a GPU the libraries stay in host memory, the driver's context is extra"
)
_NAME_OF_FILE_TYPE = {
    "F64": "float32",
    "F32": "float32",
    "BF16": "bfloat16",
    "F16": "float16",
    "I8": "int8",
    "U8": "int8",
    "F8_E4M3": "int8",
    "F8_E5M2": "int8",
}
_NO_PARAMETERS = ("I64", "U64", "BOOL")
_DEFAULT_LENGTH = 128
_WORKING_MIB = 32.0
_HIDDEN_COPIES = 12
_MAX_MEMORY_GIB = 100_000
_MIB = 2**20

TermName = Literal["runtime", "weights", "load_peak", "kv_cache", "activations"]
"""What memory is needed for."""


class MemoryTerm(BaseModel):
    """One part of the forecast."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TermName
    """What the memory is needed for; `load_peak` comes on top of the weights while loading only."""
    mib: float
    """Size in MiB."""
    formula: str
    """How the size follows from the figures, with the figures filled in."""
    source: str
    """Where the figures come from."""


class MemoryForecast(BaseModel):
    """Peak memory that a run will need, forecast from the files alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash of the files."""
    dtype: str
    """Number format the run would use: float32, bfloat16, float16, int8 or int4."""
    batch_size: int
    """Inputs processed together."""
    sequence_length: int
    """Tokens of each input."""
    new_tokens: int
    """Tokens generated for each input."""
    parameters: int
    """Parameters in the files."""
    terms: tuple[MemoryTerm, ...]
    """The parts of the forecast."""
    total_mib: float
    """Peak in MiB: runtime and weights, and the larger of what loading and running add."""
    device_memory_gib: float | None = None
    """Memory of the device it should fit, in GiB; absent when none was named."""
    fits: bool | None = None
    """Whether the total fits that memory; absent when none was named."""
    margin_mib: float | None = None
    """Memory left over in MiB, negative when it does not fit; absent when no device memory was named."""
    largest_batch_that_fits: int | None = None
    """Largest batch size, at most 4096, whose total fits; 0 when none does; absent when no device memory was named."""
    own_error_percent: float | None = None
    """Error of this forecast on this machine in percent, from an earlier measurement; absent when none is known."""
    assumptions: tuple[str, ...]
    """What the forecast takes for granted."""


def estimate_memory(
    model: str,
    dtype: str | None = None,
    batch_size: int = 1,
    sequence_length: int | None = None,
    new_tokens: int = 0,
    device_memory_gib: float | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> MemoryForecast:
    """Forecast the peak memory a run will need, in milliseconds, without downloading or loading the weights.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        dtype: `float32`, `bfloat16`, `float16`, `int8` or `int4`; that of the files when absent.
        batch_size: Inputs processed together, 1 to 4096.
        sequence_length: Tokens of each input, 1 to 1048576; 128 or the model's limit when absent.
        new_tokens: Tokens generated for each input, 0 to 1048576.
        device_memory_gib: Memory of the device it should fit, in GiB.
        sources: Where models may come from.

    Returns:
        The forecast with the formula of each part.

    Raises:
        InvalidArgument: A value is out of its range.
        UnsupportedModel: The model has no safetensors weights or no usable configuration.
        UnsafeModel: The inspection refuses the files.
    """
    _check(dtype, batch_size, sequence_length, new_tokens, device_memory_gib)
    # Of a model on the hub its configuration and the heads of its weight files are read, and nothing is downloaded.
    location = locate_model(model, sources=sources)
    refuse_unsafe(inspect_location(location))
    header, shape = snapshot_tensors(location.view), read_shape(location.view)
    length = sequence_length or min(_DEFAULT_LENGTH, shape.positions or _DEFAULT_LENGTH)
    plan = Plan(header, shape, dtype or file_dtype(header), length, new_tokens)
    terms = plan.terms(batch_size)
    total = total_of(terms)
    limit = None if device_memory_gib is None else device_memory_gib * 1024
    return MemoryForecast(
        model=location.reference.canonical,
        commit=location.commit or local_commit(location),
        dtype=plan.dtype,
        batch_size=batch_size,
        sequence_length=length,
        new_tokens=new_tokens,
        parameters=parameters_of(header),
        terms=terms,
        total_mib=total,
        device_memory_gib=device_memory_gib,
        fits=None if limit is None else total <= limit,
        margin_mib=None if limit is None else round(limit - total, 1),
        largest_batch_that_fits=None if limit is None else _largest_batch(plan, limit),
        assumptions=plan.assumptions(),
    )


def total_of(terms: tuple[MemoryTerm, ...], *, on_device: bool = False) -> float:
    """Peak in MiB: what stays, and the larger of what loading and running add; on a device without the libraries."""
    sizes = {term.name: term.mib for term in terms}
    running = sizes.get("kv_cache", 0.0) + sizes.get("activations", 0.0)
    if on_device:
        return round(sizes["weights"] + running, 1)
    return round(sizes["runtime"] + sizes["weights"] + max(sizes.get("load_peak", 0.0), running), 1)


def parameters_of(header: WeightHeader) -> int:
    """Parameters in the files; counters and masks that some files hold as well are none."""
    return sum(count for name, count in header.parameters_by_dtype.items() if name not in _NO_PARAMETERS)


def file_dtype(header: WeightHeader) -> str:
    """The number format that most parameters of the files have."""
    floats = {name: count for name, count in header.parameters_by_dtype.items() if name in _NAME_OF_FILE_TYPE}
    if not floats:
        raise UnsupportedModel("The weights have no common number format.", "State `dtype`, or take another model.")
    return _NAME_OF_FILE_TYPE[max(floats, key=lambda name: floats[name])]


class Plan:
    """A run to be forecast; everything but the batch size is fixed."""

    def __init__(self, header: WeightHeader, shape: ModelShape, dtype: str, length: int, new_tokens: int) -> None:
        self.header, self.shape, self.dtype, self.length, self.new_tokens = header, shape, dtype, length, new_tokens
        self.compute_bytes = BYTES[dtype] if BYTES[dtype] >= 2 else 2.0

    def terms(self, batch_size: int) -> tuple[MemoryTerm, ...]:
        """The parts of the forecast for a batch size."""
        parts = (self._load_peak(), self._kv_cache(batch_size), self._activations(batch_size))
        runtime = MemoryTerm(name="runtime", mib=RUNTIME_MIB, formula=f"{RUNTIME_MIB:g}", source=_RUNTIME_SOURCE)
        return (runtime, self._weights(), *(part for part in parts if part is not None))

    def _weights(self) -> MemoryTerm:
        count, width = parameters_of(self.header), BYTES[self.dtype]
        formula = f"{count} parameters x {width:g} bytes / 2^20"
        return MemoryTerm(name="weights", mib=_mib(count * width), formula=formula, source="safetensors headers")

    def _load_peak(self) -> MemoryTerm | None:
        """A cast needs the mapped file and the copy at once, one file after the other."""
        if self.dtype == file_dtype(self.header):
            return None
        by_file: dict[str, int] = {}
        for tensor in self.header.tensors.values():
            by_file[tensor.file] = by_file.get(tensor.file, 0) + tensor.size_bytes
        largest = max(by_file.values(), default=0)
        return MemoryTerm(
            name="load_peak",
            mib=_mib(largest),
            formula=f"{largest} bytes of the largest mapped file / 2^20, beside the copy in {self.dtype}",
            source="safetensors headers",
        )

    def _kv_cache(self, batch_size: int) -> MemoryTerm | None:
        shape = self.shape
        if not (shape.generates and shape.layers and shape.hidden and shape.heads):
            return None
        heads, size = shape.key_value_heads or shape.heads, shape.head_size or shape.hidden // shape.heads
        tokens = self.length + self.new_tokens
        bytes_ = 2 * shape.layers * heads * size * tokens * batch_size * self.compute_bytes
        return MemoryTerm(
            name="kv_cache",
            mib=_mib(bytes_),
            formula=f"2 x {shape.layers} layers x {heads} heads x {size} x {tokens} tokens x batch {batch_size} "
            f"x {self.compute_bytes:g} bytes / 2^20",
            source="config.json",
        )

    def _activations(self, batch_size: int) -> MemoryTerm | None:
        shape = self.shape
        if not shape.hidden:
            return None
        inner, factor = shape.intermediate or 4 * shape.hidden, 3 if shape.gated else 2
        tokens, word = self._tokens(), shape.vocabulary if shape.word_logits and shape.vocabulary else 0
        rows = 1 if shape.generates else tokens
        numbers = batch_size * (tokens * (_HIDDEN_COPIES * shape.hidden + factor * inner) + rows * word)
        return MemoryTerm(
            name="activations",
            mib=round(_WORKING_MIB + numbers * self.compute_bytes / _MIB, 1),
            formula=f"{_WORKING_MIB:g} + batch {batch_size} x ({tokens} tokens x ({_HIDDEN_COPIES} x {shape.hidden} + "
            f"{factor} x {inner}) + {rows} x {word} logits) x {self.compute_bytes:g} bytes / 2^20",
            source="config.json; factors fitted to measured peaks on CPU",
        )

    def _tokens(self) -> int:
        if self.shape.image and self.shape.patch and not self.shape.vocabulary:
            return (self.shape.image // self.shape.patch) ** 2 + 1
        return self.length

    def assumptions(self) -> tuple[str, ...]:
        """What the forecast takes for granted."""
        lines = [_HOST_NOTE, "attention without a full matrix of scores; no training, no copies in other processes"]
        if not self.shape.hidden:
            lines.append(
                "activations are not forecast: config.json does not state the width; the total is a lower bound"
            )
        if BYTES[self.dtype] < 2:
            lines.append(
                f"{self.dtype} weights without scales and the layers a quantizer leaves out; computing in 16 bits"
            )
        if self.shape.positions and self.length + self.new_tokens > self.shape.positions:
            lines.append(f"the length is more than the {self.shape.positions} positions that config.json claims")
        return tuple(lines)


def _largest_batch(plan: Plan, limit_mib: float) -> int:
    low, high = 0, MAX_BATCH
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if total_of(plan.terms(middle)) <= limit_mib else (low, middle - 1)
    return low


def _mib(size_bytes: float) -> float:
    return round(size_bytes / _MIB, 1)


def _check(dtype: str | None, batch: int, length: int | None, new_tokens: int, memory_gib: float | None) -> None:
    if dtype is not None and dtype not in BYTES:
        raise InvalidArgument(f"`{str(dtype)[:40]}` is not a number format.", f"Use one of {', '.join(BYTES)}.")
    for name, value, low, high in (
        ("batch_size", batch, 1, MAX_BATCH),
        ("sequence_length", _DEFAULT_LENGTH if length is None else length, 1, MAX_LENGTH),
        ("new_tokens", new_tokens, 0, MAX_LENGTH),
    ):
        if type(value) is not int or not low <= value <= high:
            raise InvalidArgument(f"`{name}` is outside {low} to {high}.", f"Give a whole number from {low} to {high}.")
    if memory_gib is not None and not 0 < memory_gib <= _MAX_MEMORY_GIB:
        raise InvalidArgument("`device_memory_gib` is not a size of memory.", f"Give GiB, up to {_MAX_MEMORY_GIB}.")
