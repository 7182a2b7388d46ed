"""The parts of a memory forecast, each with its formula."""

from __future__ import annotations

from tools.errors import UnsupportedModel
from tools.memory.model_shape import ModelShape
from tools.memory.records import MemoryTerm
from tools.weight_files import WeightHeader

BYTES: dict[str, float] = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "int4": 0.5}
"""Bytes of one parameter by number format."""
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
_WORKING_MIB = 32.0
_HIDDEN_COPIES = 12
_MIB = 2**20


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
        if not (shape.generates and shape.caches):
            return None
        # The decoder of an encoder-decoder starts from one token; the sequence is what its encoder reads.
        tokens = (1 if shape.reads_source else self.length) + self.new_tokens
        per_sequence = sum(c.size_bytes(tokens, self.length, self.compute_bytes) for c in shape.caches)
        products = [f for c in shape.caches for f in c.formulas(tokens, self.length, self.compute_bytes)]
        return MemoryTerm(
            name="kv_cache",
            mib=_mib(batch_size * per_sequence),
            formula=f"batch {batch_size} x ({' + '.join(products)}) / 2^20",
            source="config.json; sizes as transformers keeps them",
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
        if self.shape.generates and self.shape.caches is None:
            lines.append("the cache of keys, values and states is not forecast: config.json does not tell its layers")
        if BYTES[self.dtype] < 2:
            lines.append(
                f"{self.dtype} weights without scales and the layers a quantizer leaves out; computing in 16 bits"
            )
        if self.shape.positions and self.length + self.new_tokens > self.shape.positions:
            lines.append(f"the length is more than the {self.shape.positions} positions that config.json claims")
        return tuple(lines)


def _mib(size_bytes: float) -> float:
    return round(size_bytes / _MIB, 1)
