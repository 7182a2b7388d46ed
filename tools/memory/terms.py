"""The parts of a memory forecast, each with its formula."""

from __future__ import annotations

from functools import cached_property

from tools.errors import UnsupportedModel
from tools.memory.activations import WORKING_MIB, LayerBuild, activations, read_build
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
_MIB = 2**20


def total_of(terms: tuple[MemoryTerm, ...], *, on_device: bool = False) -> float:
    """Peak in MiB: what stays, and the larger of what loading and running add; on a device without the libraries."""
    sizes = {term.name: term.mib for term in terms}
    running = sizes.get("kv_cache", 0.0) + sizes.get("activations", 0.0)
    if on_device:
        return round(sizes["weights"] + running, 1)
    resident = sizes["runtime"] + sizes["weights"] + sizes.get("joined_experts", 0.0)
    return round(resident + max(sizes.get("load_peak", 0.0), running), 1)


def parameters_of(header: WeightHeader) -> int:
    """Parameters in the files; counters and masks that some files hold as well are none."""
    return sum(count for name, count in header.parameters_by_dtype.items() if name not in _NO_PARAMETERS)


def expert_bytes(header: WeightHeader) -> tuple[int, int]:
    """Bytes of all experts that lie in the files one by one, and of the largest layer's."""
    by_layer: dict[str, int] = {}
    for name, tensor in header.tensors.items():
        layer, found, expert = name.partition(".experts.")
        if found and expert[:1].isdigit():
            by_layer[layer] = by_layer.get(layer, 0) + tensor.size_bytes
    return sum(by_layer.values()), max(by_layer.values(), default=0)


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
        parts = (*self._of_files, self._kv_cache(batch_size), self._activations(batch_size))
        return tuple(part for part in parts if part is not None)

    @cached_property
    def _of_files(self) -> tuple[MemoryTerm | None, ...]:
        """What the files alone decide; every tensor is gone through, so once a plan and not for every batch size."""
        runtime = MemoryTerm(name="runtime", mib=RUNTIME_MIB, formula=f"{RUNTIME_MIB:g}", source=_RUNTIME_SOURCE)
        whole, layer = expert_bytes(self.header)
        return runtime, self._weights(), self._experts(whole, layer), self._load_peak(layer)

    @cached_property
    def _build(self) -> LayerBuild:
        return read_build(self.shape, self.header)

    def _weights(self) -> MemoryTerm:
        count, width = parameters_of(self.header), BYTES[self.dtype]
        formula = f"{count} parameters x {width:g} bytes / 2^20"
        return MemoryTerm(name="weights", mib=_mib(count * width), formula=formula, source="safetensors headers")

    def _load_peak(self, layer: int) -> MemoryTerm | None:
        """A cast needs the mapped file and the copy at once, one file after the other."""
        if self.dtype == file_dtype(self.header):
            return None
        by_file: dict[str, int] = {}
        for tensor in self.header.tensors.values():
            by_file[tensor.file] = by_file.get(tensor.file, 0) + tensor.size_bytes
        largest = max(by_file.values(), default=0)
        formula = f"{largest} bytes of the largest mapped file / 2^20, beside the copy in {self.dtype}"
        if layer:
            formula = (
                f"({largest} bytes of the largest mapped file + 2 x {layer} bytes of one layer's experts) / 2^20, "
                f"beside the copy in {self.dtype}"
            )
        return MemoryTerm(
            name="load_peak", mib=_mib(largest + 2 * layer), formula=formula, source="safetensors headers"
        )

    def _experts(self, whole: int, layer: int) -> MemoryTerm | None:
        """Experts that lie in the files one by one are joined into new tensors while the files stay mapped."""
        if not whole or self.dtype != file_dtype(self.header):
            return None
        return MemoryTerm(
            name="joined_experts",
            mib=_mib(whole + layer),
            formula=f"({whole} bytes of experts + {layer} bytes of one layer's experts) / 2^20",
            source="safetensors headers; transformers joins experts while loading",
        )

    def _kv_cache(self, batch_size: int) -> MemoryTerm | None:
        shape = self.shape
        if not (shape.generates and shape.caches):
            return None
        # The decoder of an encoder-decoder starts from one token; the sequence is what its encoder reads.
        tokens = (1 if shape.reads_source else self.length) + self.new_tokens
        products = [p for c in shape.caches for p in c.products(tokens, self.length, self.compute_bytes)]
        return MemoryTerm(
            name="kv_cache",
            mib=_mib(batch_size * sum(each.size_bytes for each in products)),
            formula=f"batch {batch_size} x ({' + '.join(each.formula for each in products)}) / 2^20",
            source="config.json; sizes as transformers keeps them",
        )

    def _activations(self, batch_size: int) -> MemoryTerm | None:
        found = activations(self.shape, self._build, self._tokens(), batch_size, self.compute_bytes)
        if found is None:
            return None
        numbers = sum(each.numbers for each in found)
        products = " + ".join(each.formula for each in found)
        return MemoryTerm(
            name="activations",
            mib=round(WORKING_MIB + numbers * self.compute_bytes / _MIB, 1),
            formula=f"{WORKING_MIB:g} + ({products}) x {self.compute_bytes:g} bytes / 2^20",
            source="config.json; factors fitted to measured peaks on CPU",
        )

    def _tokens(self) -> int:
        if self.shape.image and self.shape.patch and not self.shape.vocabulary:
            return (self.shape.image // self.shape.patch) ** 2 + 1
        return self.length

    def assumptions(self) -> tuple[str, ...]:
        """What the forecast takes for granted."""
        lines = [_HOST_NOTE, "no training, no copies in other processes"]
        if not self.shape.keeps_scores:
            lines.append("attention without a full matrix of scores")
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
