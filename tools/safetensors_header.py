"""Our own strict reader of safetensors headers: what is not exactly right is refused before anything is mapped.

The format: eight bytes with the header's length (little-endian), a JSON object, then the tensors' data without holes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import SourceUnavailable, UnsafeModel
from tools.strict_json import BadJson, parse_json

MAX_HEADER_BYTES = 100_000_000
"""The reference reader's own limit."""
MAX_TENSORS = 500_000
"""More tensors than any known model has."""
_MAX_COUNT = 2**64 - 1
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
        raise unsound(name, f"it has {size_bytes} bytes, too few for a header")
    (length,) = struct.unpack("<Q", start)
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise unsound(name, f"the stated header length {length} is outside 2 to {MAX_HEADER_BYTES} bytes")
    if _LENGTH_BYTES + length > size_bytes:
        raise unsound(name, f"the header would end at byte {_LENGTH_BYTES + length}, the file has {size_bytes}")
    raw = read(_LENGTH_BYTES, length)
    if len(raw) != length:
        raise unsound(name, "the header is cut short")
    if not raw.startswith(b"{"):
        raise unsound(name, "the header does not start with `{`")
    try:
        content = parse_json(raw, max_depth=8)
    except BadJson as error:
        raise unsound(name, f"the header {error}") from error
    return _checked_header(content, length, size_bytes - _LENGTH_BYTES - length, name)


def _checked_header(content: object, header_bytes: int, data_bytes: int, name: str) -> WeightHeader:
    if not isinstance(content, dict):
        raise unsound(name, "the header is not an object")
    metadata = _checked_metadata(content.pop("__metadata__", None), name)
    if len(content) > MAX_TENSORS:
        raise unsound(name, f"it lists {len(content)} tensors, more than {MAX_TENSORS}")
    tensors = {tensor: _checked_tensor(tensor, entry, name) for tensor, entry in content.items()}
    _check_coverage(tensors, data_bytes, name)
    return WeightHeader(
        tensors=tensors,
        parameters_by_dtype=count_by_dtype(tensors),
        metadata=metadata,
        header_bytes=header_bytes,
        data_bytes=data_bytes,
        files=(name,),
    )


def _checked_metadata(metadata: object, name: str) -> dict[str, str]:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise unsound(name, "the metadata is not an object of texts")
    return metadata


def _checked_tensor(tensor: str, entry: object, name: str) -> TensorInfo:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise unsound(name, f"the entry of tensor `{tensor[:80]}` does not have exactly dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS_BY_DTYPE:
        raise unsound(name, f"tensor `{tensor[:80]}` has the unknown type `{str(dtype)[:40]}`")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise unsound(name, f"tensor `{tensor[:80]}` has a shape or offsets that are not counts")
    elements = 1
    for dimension in shape:  # the reference reader refuses overflow at every step, even before a zero
        elements *= dimension
        if elements > _MAX_COUNT:
            break
    bits = elements * BITS_BY_DTYPE[dtype]
    if bits > _MAX_COUNT:
        raise unsound(name, f"the shape of tensor `{tensor[:80]}` is larger than any file")
    start, end = offsets
    if bits % 8 or end - start != bits // 8:
        raise unsound(
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
            raise unsound(name, f"the data of tensor `{tensor[:80]}` {kind}")
        position = info.end
    if position != data_bytes:
        kind = "is cut short" if position > data_bytes else "goes on after the last tensor"
        raise unsound(name, f"the file {kind}: the tensors need {position} bytes of data, it has {data_bytes}")


def count_by_dtype(tensors: dict[str, TensorInfo]) -> dict[str, int]:
    """Number of parameters by type name."""
    counts: dict[str, int] = {}
    for info in tensors.values():
        counts[info.dtype] = counts.get(info.dtype, 0) + info.parameters
    return counts


def unsound(name: str, what: str) -> HeaderError:
    """The failure for a file that is not exactly right; the text is safe to show."""
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in what)
    return HeaderError(
        f"`{name}` is not a sound safetensors file: {shown} (rule T12).", _CONVERT, code="T12", file=name
    )
