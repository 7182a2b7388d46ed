"""Our own strict reader of safetensors headers: what is not exactly right is refused before anything is mapped.

The format: eight bytes with the header's length (little-endian), a JSON object, then the tensors' data without holes.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from tools.errors import SourceUnavailable, UnsafeModel, UnsupportedModel
from tools.strict_json import BadJson, parse_json

if TYPE_CHECKING:
    from tools.file_safety.file_view import FileView

MAX_HEADER_BYTES = 100_000_000
"""The reference reader's own limit."""
MAX_TENSORS = 500_000
"""More tensors than any known model has."""
_MAX_COUNT = 2**63 - 1
_MAX_INDEX_BYTES = 64_000_000
_LENGTH_BYTES = 8
_CONVERT = "Fetch the file again; if it stays so, use another copy of the model."

BITS_BY_DTYPE = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of one element by the format's type names."""

ReadBytes = Callable[[int, int], bytes]
"""Called with an offset and a length; returns at most that many bytes of a file, here or on the hub."""


class HeaderError(UnsafeModel):
    """A safetensors file whose header is not exactly right (rule T12)."""


class TensorInfo(BaseModel):
    """One tensor as its header describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: str
    """The format's name of the type, for example `F32` or `BF16`."""
    shape: tuple[int, ...]
    """Sizes of the dimensions; empty for a scalar."""
    start: int
    """First byte, counted from the end of the header."""
    end: int
    """First byte after it, counted from the end of the header."""
    file: str = ""
    """File that holds it, relative to the model's folder."""

    @property
    def parameters(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Length of the data in bytes."""
        return self.end - self.start


class WeightHeader(BaseModel):
    """The header of one safetensors file, or of all shards of a model merged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tensors: dict[str, TensorInfo]
    """Tensors by name."""
    parameters_by_dtype: dict[str, int]
    """Number of parameters by type name."""
    metadata: dict[str, str]
    """The file's own metadata. Untrusted text."""
    header_bytes: int
    """Length of the headers, without the eight bytes before each."""
    data_bytes: int
    """Length of the tensors' data in bytes."""
    files: tuple[str, ...]
    """Files the header was read from, relative to the model's folder."""

    @property
    def total_parameters(self) -> int:
        """Parameters of all types together."""
        return sum(self.parameters_by_dtype.values())


def read_header(path: Path, name: str | None = None) -> WeightHeader:
    """Read and check the header of one safetensors file; the data is not read.

    Args:
        path: The file.
        name: What to call it; its own name when absent.

    Returns:
        The tensors with types, shapes and offsets.

    Raises:
        HeaderError: The file is not exactly what the format asks for.
        SourceUnavailable: The file cannot be read.
    """

    def read(offset: int, length: int) -> bytes:
        with path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    try:
        return header_from(read, path.stat().st_size, name or path.name)
    except OSError as error:
        message = f"`{name or path.name}` could not be read ({error.strerror or error})."
        raise SourceUnavailable(message, "Check the disk and the permissions, then try again.") from error


def header_from(read: ReadBytes, size_bytes: int, name: str) -> WeightHeader:
    """Read and check a safetensors header through a reading function, so that a remote file needs only its first bytes.

    Args:
        read: Reads a range of the file.
        size_bytes: Length of the whole file.
        name: File name, for messages and the tensors' `file`.

    Returns:
        The header.

    Raises:
        HeaderError: The file is not exactly what the format asks for.
    """
    start = read(0, _LENGTH_BYTES)
    if len(start) < _LENGTH_BYTES:
        raise _bad(name, f"it has {size_bytes} bytes, too few for a header")
    (length,) = struct.unpack("<Q", start)
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise _bad(name, f"the stated header length {length} is outside 2 to {MAX_HEADER_BYTES} bytes")
    if _LENGTH_BYTES + length > size_bytes:
        raise _bad(name, f"the header would end at byte {_LENGTH_BYTES + length}, the file has {size_bytes}")
    raw = read(_LENGTH_BYTES, length)
    if len(raw) != length:
        raise _bad(name, "the header is cut short")
    if not raw.startswith(b"{"):
        raise _bad(name, "the header does not start with `{`")
    try:
        content = parse_json(raw, max_depth=8)
    except BadJson as error:
        raise _bad(name, f"the header {error}") from error
    return _checked_header(content, length, size_bytes - _LENGTH_BYTES - length, name)


def _checked_header(content: object, header_bytes: int, data_bytes: int, name: str) -> WeightHeader:
    if not isinstance(content, dict):
        raise _bad(name, "the header is not an object")
    metadata = _checked_metadata(content.pop("__metadata__", None), name)
    if len(content) > MAX_TENSORS:
        raise _bad(name, f"it lists {len(content)} tensors, more than {MAX_TENSORS}")
    tensors = {tensor: _checked_tensor(tensor, entry, name) for tensor, entry in content.items()}
    _check_coverage(tensors, data_bytes, name)
    return WeightHeader(
        tensors=tensors,
        parameters_by_dtype=_count_by_dtype(tensors),
        metadata=metadata,
        header_bytes=header_bytes,
        data_bytes=data_bytes,
        files=(name,),
    )


def _checked_metadata(metadata: object, name: str) -> dict[str, str]:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _bad(name, "the metadata is not an object of texts")
    return metadata


def _checked_tensor(tensor: str, entry: object, name: str) -> TensorInfo:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _bad(name, f"the entry of tensor `{tensor[:80]}` does not have exactly dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS_BY_DTYPE:
        raise _bad(name, f"tensor `{tensor[:80]}` has the unknown type `{str(dtype)[:40]}`")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise _bad(name, f"tensor `{tensor[:80]}` has a shape or offsets that are not counts")
    bits = BITS_BY_DTYPE[dtype]
    for dimension in shape:  # the reference reader refuses overflow at every step, even before a zero
        bits *= dimension
        if bits > _MAX_COUNT:
            raise _bad(name, f"the shape of tensor `{tensor[:80]}` is larger than any file")
    start, end = offsets
    if bits % 8 or end - start != bits // 8:
        raise _bad(
            name, f"tensor `{tensor[:80]}` needs {bits / 8:g} bytes by its shape, its offsets span {end - start}"
        )
    return TensorInfo(dtype=dtype, shape=tuple(shape), start=start, end=end, file=name)


def _are_counts(values: object) -> bool:
    if not isinstance(values, list) or len(values) > 64:
        return False
    return all(type(value) is int and 0 <= value <= _MAX_COUNT for value in values)


def _check_coverage(tensors: dict[str, TensorInfo], data_bytes: int, name: str) -> None:
    """Without holes, without overlap, up to the last byte."""
    position = 0
    for tensor, info in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if info.start != position:
            kind = "overlaps its neighbour" if info.start < position else "leaves a hole before it"
            raise _bad(name, f"the data of tensor `{tensor[:80]}` {kind}")
        position = info.end
    if position != data_bytes:
        kind = "is cut short" if position > data_bytes else "goes on after the last tensor"
        raise _bad(name, f"the file {kind}: the tensors need {position} bytes of data, it has {data_bytes}")


def _count_by_dtype(tensors: dict[str, TensorInfo]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for info in tensors.values():
        counts[info.dtype] = counts.get(info.dtype, 0) + info.parameters
    return counts


def _bad(name: str, what: str) -> HeaderError:
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in what)
    return HeaderError(
        f"`{name}` is not a sound safetensors file: {shown} (rule T12).", _CONVERT, code="T12", file=name
    )


def snapshot_tensors(view: FileView) -> WeightHeader:
    """Read the headers of all of a model's weight files, merged; the data is neither read nor downloaded.

    Args:
        view: The model's files; their `model.safetensors.index.json` is followed when there is one, and never out of them.

    Returns:
        All tensors; each says which file holds it.

    Raises:
        UnsupportedModel: There are no safetensors weights.
        UnsafeModel: A header is not sound, or the index names files elsewhere or missing ones.
    """
    sizes = {entry.name: entry.size_bytes for entry in view.entries if entry.trouble is None}
    headers = [header_from(partial(view.read, name), sizes[name], name) for name in _weight_names(view, sizes)]
    tensors: dict[str, TensorInfo] = {}
    metadata: dict[str, str] = {}
    for header in headers:
        for tensor, info in header.tensors.items():
            if tensor in tensors:
                raise _bad(info.file, f"tensor `{tensor[:80]}` is also in `{tensors[tensor].file}`")
            tensors[tensor] = info
        metadata = {**header.metadata, **metadata}
    return WeightHeader(
        tensors=tensors,
        parameters_by_dtype=_count_by_dtype(tensors),
        metadata=metadata,
        header_bytes=sum(header.header_bytes for header in headers),
        data_bytes=sum(header.data_bytes for header in headers),
        files=tuple(name for header in headers for name in header.files),
    )


def _weight_names(view: FileView, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Names of the safetensors files that transformers would load."""
    if "model.safetensors" in sizes:
        return ("model.safetensors",)
    index = "model.safetensors.index.json"
    if index in sizes:
        if sizes[index] > _MAX_INDEX_BYTES:
            message = f"`{index}` has {sizes[index]} bytes, more than any index (rule T14)."
            raise UnsafeModel(message, "Use another copy of the model.", code="T14")
        names = sorted(set(weight_map(view.read(index, 0, sizes[index])).values()))
        for name in names:
            if name not in sizes:
                message = f"`{index}` names `{name}`, which is not there (rule T14)."
                raise UnsafeModel(message, "Fetch the model again so that all shards are there.", code="T14")
        return tuple(names)
    others = sorted(name for name in sizes if "/" not in name and name.endswith(".safetensors"))
    if not others:
        message = "The model has no safetensors weights."
        raise UnsupportedModel(message, "Choose a model, or a revision of it, in the safetensors format.")
    return tuple(others)


def weight_map(raw: bytes) -> dict[str, str]:
    """Shard of each tensor from an index, every name contained in the model's folder.

    Raises:
        UnsafeModel: The index is not sound or names something that is not a plain safetensors file beside it (T14).
    """
    step = "Use another copy of the model; an index may only name safetensors files beside it."
    try:
        content = parse_json(raw, max_depth=8)
    except BadJson as error:
        raise UnsafeModel(f"The index of the weights {error} (rule T14).", step, code="T14") from error
    shards = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(shards, dict) or not shards or len(shards) > MAX_TENSORS:
        raise UnsafeModel("The index of the weights has no `weight_map` (rule T14).", step, code="T14")
    for shard in shards.values():
        if not is_contained_shard(shard):
            message = f"The index of the weights names {json.dumps(shard)[:120]} (rule T14)."
            raise UnsafeModel(message, step, code="T14")
    return shards


def is_contained_shard(name: object) -> bool:
    """Whether a shard's name is a plain safetensors file name, without folders or addresses."""
    if not isinstance(name, str) or not name.endswith(".safetensors") or len(name) > 255:
        return False
    return name.isprintable() and not any(each in name for each in "/\\:") and not name.startswith(".")
