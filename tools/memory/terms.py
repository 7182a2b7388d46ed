"""The parts of a memory forecast, each with its formula."""

from __future__ import annotations

from typing import NamedTuple

from tools.memory.activations import WORKING_MIB, LayerBuild, activations, read_build
from tools.memory.model_shape import ModelShape
from tools.memory.records import MemoryTerm
from tools.memory.stored_weights import BYTES, StoredWeights, read_stored
from tools.weight_files import WeightHeader

RUNTIME_MIB = 383.0
"""Resident size of Python, torch and transformers alone on a CPU: the middle of 374 to 392, measured on several machines."""
_RUNTIME_SOURCE = "measured: Python, torch and transformers on a CPU without a model"
_RUNTIME_HERE = "measured on this machine by an earlier profile, with the same libraries"
_HOST_NOTE = (
    "peak of the whole process on a CPU; on a GPU the libraries stay in host memory, the driver's context is extra"
)
_MIB = 2**20


class FileSizes(NamedTuple):
    """What the files alone decide: every tensor is gone through, so once a model and not for every plan."""

    stored: StoredWeights
    """The weights as they lie in the files."""
    build: LayerBuild
    """How layers are built."""
    largest_file_bytes: int
    """Tensors of the largest file."""
    experts_bytes: int
    """All experts that lie in the files one by one."""
    layer_experts_bytes: int
    """Those of the layer that has the largest."""


def read_files(header: WeightHeader, shape: ModelShape) -> FileSizes:
    """Go through the tensors.

    Args:
        header: Heads of the weight files.
        shape: Sizes of the architecture.

    Raises:
        UnsupportedModel: The weights' number format cannot be told.
    """
    by_file: dict[str, int] = {}
    for tensor in header.tensors.values():
        by_file[tensor.file] = by_file.get(tensor.file, 0) + tensor.size_bytes
    experts, layer = expert_bytes(header)
    largest = max(by_file.values(), default=0)
    return FileSizes(read_stored(header, shape), read_build(shape, header), largest, experts, layer)


def total_of(terms: tuple[MemoryTerm, ...], *, on_device: bool = False) -> float:
    """Peak in MiB: what stays, and the larger of what loading and running add; on a device without the libraries."""
    sizes = {term.name: term.mib for term in terms}
    running = sizes.get("kv_cache", 0.0) + sizes.get("activations", 0.0)
    if on_device:
        return round(sizes["weights"] + running, 1)
    resident = sizes["runtime"] + sizes["weights"] + sizes.get("joined_experts", 0.0)
    return round(resident + max(sizes.get("load_peak", 0.0), running), 1)


def expert_bytes(header: WeightHeader) -> tuple[int, int]:
    """Bytes of all experts that lie in the files one by one, and of the largest layer's."""
    by_layer: dict[str, int] = {}
    for name, tensor in header.tensors.items():
        layer, found, expert = name.partition(".experts.")
        if found and expert[:1].isdigit():
            by_layer[layer] = by_layer.get(layer, 0) + tensor.size_bytes
    return sum(by_layer.values()), max(by_layer.values(), default=0)


class Plan:
    """A run to be forecast; everything but batch size and length is fixed.

    Args:
        header: Heads of the weight files.
        shape: Sizes of the architecture.
        dtype: Number format of the run; that of the files as they are when absent.
        length: Tokens of each input.
        new_tokens: Tokens generated for each input.
        files: What the files decide, where it was read already.
        runtime_mib: Memory of the libraries alone as measured on this machine, in MiB.
    """

    def __init__(
        self,
        header: WeightHeader,
        shape: ModelShape,
        dtype: str | None,
        length: int,
        new_tokens: int,
        *,
        files: FileSizes | None = None,
        runtime_mib: float | None = None,
    ) -> None:
        self.header, self.shape, self.length, self.new_tokens = header, shape, length, new_tokens
        self.files = files or read_files(header, shape)
        self.runtime_mib = runtime_mib
        stored = self.files.stored
        self.dtype = dtype or stored.dtype
        self.as_stored = self.dtype == stored.dtype
        """Whether the weights stay as they lie in the files."""
        if self.as_stored:
            self.compute_bytes = stored.compute_bytes
        else:
            self.compute_bytes = BYTES[self.dtype] if BYTES[self.dtype] >= 2 else 2.0

    def in_dtype(self, dtype: str) -> Plan:
        """The same run in another number format."""
        return Plan(
            self.header, self.shape, dtype, self.length, self.new_tokens, files=self.files, runtime_mib=self.runtime_mib
        )

    def terms(self, batch_size: int, length: int | None = None) -> tuple[MemoryTerm, ...]:
        """The parts of the forecast for a batch size.

        Args:
            batch_size: Inputs processed together.
            length: Tokens of each input; the plan's when absent.
        """
        tokens = self.length if length is None else length
        parts = (
            self._runtime(),
            self._weights(),
            self._experts(),
            self._load_peak(),
            self._kv_cache(batch_size, tokens),
            self._activations(batch_size, tokens),
        )
        return tuple(part for part in parts if part is not None)

    def _runtime(self) -> MemoryTerm:
        if self.runtime_mib is None:
            return MemoryTerm(name="runtime", mib=RUNTIME_MIB, formula=f"{RUNTIME_MIB:g}", source=_RUNTIME_SOURCE)
        size = round(self.runtime_mib, 1)
        formula = f"{size:g}, measured on this machine"
        return MemoryTerm(name="runtime", mib=size, formula=formula, source=_RUNTIME_HERE)

    def _weights(self) -> MemoryTerm:
        stored = self.files.stored
        size, formula, source = stored.size_bytes, stored.formula, "safetensors headers"
        if not self.as_stored:
            width = BYTES[self.dtype]
            size, formula = stored.parameters * width, f"{stored.parameters} parameters x {width:g} bytes / 2^20"
        if stored.quantization is not None:
            source = "safetensors headers; quantization_config in config.json"
        return MemoryTerm(name="weights", mib=_mib(size), formula=formula, source=source)

    def _load_peak(self) -> MemoryTerm | None:
        """A cast needs the mapped file and the copy at once, one file after the other."""
        if self.as_stored:
            return None
        largest, layer = self.files.largest_file_bytes, self.files.layer_experts_bytes
        formula = f"{largest} bytes of the largest mapped file / 2^20, beside the copy in {self.dtype}"
        if layer:
            formula = (
                f"({largest} bytes of the largest mapped file + 2 x {layer} bytes of one layer's experts) / 2^20, "
                f"beside the copy in {self.dtype}"
            )
        return MemoryTerm(
            name="load_peak", mib=_mib(largest + 2 * layer), formula=formula, source="safetensors headers"
        )

    def _experts(self) -> MemoryTerm | None:
        """Experts that lie in the files one by one are joined into new tensors while the files stay mapped."""
        whole, layer = self.files.experts_bytes, self.files.layer_experts_bytes
        if not whole or not self.as_stored:
            return None
        return MemoryTerm(
            name="joined_experts",
            mib=_mib(whole + layer),
            formula=f"({whole} bytes of experts + {layer} bytes of one layer's experts) / 2^20",
            source="safetensors headers; transformers joins experts while loading",
        )

    def _kv_cache(self, batch_size: int, length: int) -> MemoryTerm | None:
        shape = self.shape
        if not (shape.generates and shape.caches):
            return None
        # The decoder of an encoder-decoder starts from one token; the sequence is what its encoder reads.
        tokens = (1 if shape.reads_source else length) + self.new_tokens
        products = [p for c in shape.caches for p in c.products(tokens, length, self.compute_bytes)]
        return MemoryTerm(
            name="kv_cache",
            mib=_mib(batch_size * sum(each.size_bytes for each in products)),
            formula=f"batch {batch_size} x ({' + '.join(each.formula for each in products)}) / 2^20",
            source="config.json; sizes as transformers keeps them",
        )

    def _activations(self, batch_size: int, length: int) -> MemoryTerm | None:
        found = activations(self.shape, self.files.build, self.shape.tokens_of(length), batch_size, self.compute_bytes)
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
        lines += self._assumptions_on_packing()
        if not self.as_stored and BYTES[self.dtype] < 2:
            lines.append(
                f"{self.dtype} weights without scales and the layers a quantizer leaves out; computing in 16 bits"
            )
        if self.shape.positions and self.length + self.new_tokens > self.shape.positions:
            lines.append(f"the length is more than the {self.shape.positions} positions that config.json claims")
        return tuple(lines)

    def _assumptions_on_packing(self) -> list[str]:
        stored = self.files.stored
        if stored.quantization is None:
            return []
        if not stored.known:
            return [
                f"the method `{stored.quantization.method}` is not known here: packed weights are counted as they are stored"
            ]
        if not self.as_stored:
            return [f"the files hold {stored.dtype}, which is unpacked into {self.dtype} first"]
        lines = ["the weights stay packed as they lie in the files, with a library that has kernels for them"]
        if stored.unpacked_without_kernels:
            unpacked = _mib(stored.parameters * stored.compute_bytes)
            lines.append(
                f"without kernels for {stored.dtype} on the device, transformers unpacks the weights while loading: "
                f"{unpacked:,.0f} MiB of weights instead"
            )
        return lines


def _mib(size_bytes: float) -> float:
    return round(size_bytes / _MIB, 1)
