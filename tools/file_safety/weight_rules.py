"""Rules on weights: header (T12), index (T14), config against tensors (T10), names and metadata (T13), values (T10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.file_safety.architectures import check_architecture
from tools.file_safety.content import has_zip_at_end
from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import Inspected
from tools.file_safety.listing_rules import reads_like_an_instruction
from tools.file_safety.values import first_not_finite
from tools.strict_json import BadJson
from tools.weight_files import HeaderError, TensorInfo, header_of, is_contained_shard

INDEX = "model.safetensors.index.json"
_AGAIN = "Fetch the file again; if it stays so, use another copy of the model."
_MAX_NAME = 512


def check_weights(model: Inspected, *, values: bool = True) -> Iterator[Finding]:
    """Apply the rules on weights: every header, then all tensors together against the config."""
    tensors: dict[str, TensorInfo] = {}
    sound, loaded = True, _loaded(model)
    for name in sorted(each for each in model.plain if each.endswith(".safetensors")):
        entry = model.plain[name]
        try:
            header = header_of(model.view, name, entry.size_bytes)
        except HeaderError as error:
            sound = False
            yield finding("T12", name, error.message, error.next_step)
            continue
        yield from _check_file(model, name, entry.size_bytes, values=values)
        yield from _check_texts(name, header.tensors, header.metadata)
        if name in loaded:
            twice = next((tensor for tensor in header.tensors if tensor in tensors), None)
            if twice is not None:
                sound = False
                yield finding("T12", name, f"Tensor `{twice[:80]}` is also in `{tensors[twice].file}`.", _AGAIN)
            tensors.update(header.tensors)
    yield from _check_index(model, tensors)
    if sound and tensors:
        yield from check_architecture(model, tensors)


def _loaded(model: Inspected) -> list[str]:
    """The weight files a loader takes: the single file, else the index's shards, else all; an adapter's belong to another model."""
    if "model.safetensors" in model.plain:
        return ["model.safetensors"]
    shards = model.object(INDEX).get("weight_map")
    if isinstance(shards, dict):
        return sorted({each for each in shards.values() if isinstance(each, str)})
    if "adapter_config.json" in model.plain:
        return [name for name in model.weight_files if not name.startswith("adapter_model")]
    return model.weight_files


def _check_file(model: Inspected, name: str, size_bytes: int, *, values: bool) -> Iterator[Finding]:
    if model.view.remote:
        return
    if has_zip_at_end(model.view, name, size_bytes):
        yield finding(
            "T12", name, "The file is a zip archive as well, so that other readers find other content.", _AGAIN
        )
    path = model.view.path(name) if values else None
    bad_tensor = first_not_finite(path) if path is not None else None
    if bad_tensor is not None:
        found = f"Tensor `{bad_tensor[:80]}` holds values that are not numbers (NaN or infinite)."
        yield finding("T10", name, found, "Check the results on your own examples; the file may be damaged.", "flag")


def _check_texts(name: str, tensors: dict[str, TensorInfo], metadata: dict[str, str]) -> Iterator[Finding]:
    step = "Nothing in it is followed here; ask the publisher why it is there."
    for tensor in tensors:
        if not tensor.isprintable() or len(tensor) > _MAX_NAME or reads_like_an_instruction(tensor):
            yield finding("T13", name, f"A tensor has the unusual name `{tensor[:120]}`.", step, "flag")
            break
    for key, value in metadata.items():
        text = f"{key} {value[:20_000]}"
        if (
            any(each in text for each in "\x00\x1b\u202e\u2066")
            or reads_like_an_instruction(text)
            or len(value) > 1_000_000
        ):
            yield finding("T13", name, f"Its metadata holds unusual text: `{text[:120]}`.", step, "flag")
            break


def _check_index(model: Inspected, tensors: dict[str, TensorInfo]) -> Iterator[Finding]:
    for name in sorted(each for each in model.plain if each.endswith(".index.json") and "/" not in each):
        if not name.endswith(".safetensors.index.json"):
            continue  # an index of pickled shards: the pickles themselves are found by their content
        try:
            content = model.json(name)
        except BadJson:
            continue
        yield from _check_one_index(model, name, content, tensors)


def _check_one_index(model: Inspected, name: str, content: Any, tensors: dict[str, TensorInfo]) -> Iterator[Finding]:
    step = "Use another copy of the model; an index may only name safetensors files beside it."
    shards = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(shards, dict) or not shards:
        yield finding("T14", name, "The index has no `weight_map`.", step)
        return
    outside = next((each for each in shards.values() if not is_contained_shard(each)), None)
    if outside is not None:
        yield finding(
            "T14", name, f"The index names `{str(outside)[:120]}`, which is no safetensors file beside it.", step
        )
        return
    missing = sorted({each for each in shards.values() if each not in model.plain})
    if missing:
        found = f"The index names `{missing[0]}`, which is not there ({len(missing)} missing)."
        yield finding("T14", name, found, "Fetch the model again so that all shards are there.")
        return
    if name == INDEX and "model.safetensors" not in model.plain:
        yield from _check_map(name, shards, tensors)
        yield from _check_total(name, content, tensors)


def _check_map(name: str, shards: dict[str, str], tensors: dict[str, TensorInfo]) -> Iterator[Finding]:
    wrong = next((each for each, shard in shards.items() if each not in tensors or tensors[each].file != shard), None)
    if wrong is not None:
        yield finding("T14", name, f"The index puts tensor `{wrong[:80]}` where it is not.", _AGAIN)
    unlisted = next((each for each in tensors if each not in shards), None)
    if unlisted is not None:
        yield finding("T14", name, f"The shards hold tensor `{unlisted[:80]}`, which the index does not list.", _AGAIN)


def _check_total(name: str, content: dict[str, Any], tensors: dict[str, TensorInfo]) -> Iterator[Finding]:
    metadata = content.get("metadata")
    stated = metadata.get("total_size") if isinstance(metadata, dict) else None
    actual = sum(each.size_bytes for each in tensors.values())
    if stated is not None and stated != actual:
        found = f"The index states {str(stated)[:30]} bytes of weights, the shards hold {actual}."
        yield finding("T14", name, found, "The measured size is used; ask the publisher about the difference.", "flag")
