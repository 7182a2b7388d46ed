"""The weight files of a model: their headers, read once and merged, by the index that a loader would follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from tools.errors import UnsafeModel, UnsupportedModel
from tools.file_facts import parsed_of
from tools.safetensors_header import (
    BITS_BY_DTYPE,
    MAX_HEADER_BYTES,
    MAX_TENSORS,
    HeaderError,
    ReadBytes,
    TensorInfo,
    WeightHeader,
    count_by_dtype,
    header_from,
    read_header,
    unsound,
)
from tools.strict_json import BadJson, parse_json

if TYPE_CHECKING:
    from tools.file_safety.file_view import FileView

__all__ = [
    "BITS_BY_DTYPE",
    "MAX_HEADER_BYTES",
    "HeaderError",
    "ReadBytes",
    "TensorInfo",
    "WeightHeader",
    "header_from",
    "header_of",
    "is_contained_shard",
    "read_header",
    "snapshot_tensors",
    "weight_map",
]

_MAX_INDEX_BYTES = 64_000_000


def header_of(view: FileView, name: str, size_bytes: int) -> WeightHeader:
    """The header of a model's safetensors file; one on this machine is read once while it stays as it is.

    Args:
        view: The model's files.
        name: Which one.
        size_bytes: Its length.

    Raises:
        HeaderError: The file is not exactly what the format asks for.
    """
    parse = partial(_header_or_error, view, name, size_bytes)
    found = parsed_of(f"header:{name}", view.path(name), parse, _header_bytes)
    if isinstance(found, HeaderError):
        raise found
    return found


def _header_bytes(found: WeightHeader | HeaderError) -> int:
    return found.header_bytes if isinstance(found, WeightHeader) else 0


def _header_or_error(view: FileView, name: str, size_bytes: int) -> WeightHeader | HeaderError:
    try:
        return header_from(partial(view.read, name), size_bytes, name)
    except HeaderError as error:
        return error


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
    headers = [header_of(view, name, sizes[name]) for name in _weight_names(view, sizes)]
    tensors: dict[str, TensorInfo] = {}
    metadata: dict[str, str] = {}
    for header in headers:
        for tensor, info in header.tensors.items():
            if tensor in tensors:
                raise unsound(info.file, f"tensor `{tensor[:80]}` is also in `{tensors[tensor].file}`")
            tensors[tensor] = info
        metadata = {**header.metadata, **metadata}
    return WeightHeader(
        tensors=tensors,
        parameters_by_dtype=count_by_dtype(tensors),
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
