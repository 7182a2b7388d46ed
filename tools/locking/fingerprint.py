"""What a model's files mean, in a few lines: enough to tell by meaning what changed when the old files are gone."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import ToolError
from tools.file_safety.file_view import FileView
from tools.file_safety.findings import printable
from tools.file_safety.inspected import Inspected
from tools.model_facts import read_facts
from tools.weight_files import WeightHeader, snapshot_tensors

_MAX_ENTRIES = 100
_MAX_TEXT_CHARACTERS = 200
_MAX_TEMPLATE_BYTES = 1_000_000
_LARGEST_INTEGER = 2**53
_NO_MEANING = frozenset({"transformers_version", "_name_or_path", "_commit_hash", "torch_dtype_version"})
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

Scalar = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str
"""A value of a config: what is none of these is kept as its JSON text."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""64 hexadecimal digits."""


class Fingerprint(BaseModel):
    """What a model's files mean; whatever is absent the files do not say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architectures: tuple[str, ...] = ()
    """Classes that the config names."""
    model_type: str | None = None
    """The config's `model_type`."""
    parameters: int | None = None
    """Number of parameters in the weights."""
    dtype: str | None = None
    """Type that most parameters are stored in, for example `F32`."""
    tensors: int | None = None
    """Number of tensors in the weights."""
    tensor_table_sha256: Sha256 | None = None
    """Hash over name, type and shape of every tensor."""
    vocabulary_size: int | None = None
    """Pieces of the tokenizer, added ones included."""
    vocabulary_sha256: Sha256 | None = None
    """Hash over the pieces with their ids."""
    context_length: int | None = None
    """Longest input in tokens, as the first of the files that state one says."""
    chat_template_sha256: Sha256 | None = None
    """Hash of the chat template; absent when there is none."""
    special_tokens: dict[str, str] = {}
    """Special tokens by role."""
    generation: dict[str, Scalar] = {}
    """Defaults of `generation_config.json`."""
    config: dict[str, Scalar] = {}
    """Entries of `config.json` by dotted key, without those that mean nothing for what the model does."""


def fingerprint(view: FileView) -> Fingerprint:
    """Read what a model's files mean; nothing is loaded.

    Args:
        view: The files, here or on the hub.

    Returns:
        The fingerprint.
    """
    model = Inspected(view)
    config = model.object("config.json")
    header = _header(view)
    pieces = _pieces(model)
    counts = header.parameters_by_dtype if header is not None else {}
    return Fingerprint(
        architectures=_texts(config.get("architectures")),
        model_type=_text(config.get("model_type")),
        parameters=header.total_parameters if header is not None else None,
        dtype=max(counts, key=lambda each: counts[each]) if counts else None,
        tensors=len(header.tensors) if header is not None else None,
        tensor_table_sha256=_table_hash(header) if header is not None else None,
        vocabulary_size=len(pieces) or None,
        vocabulary_sha256=_hash(pieces) if pieces else None,
        context_length=next((each.value for each in read_facts(model).lengths if isinstance(each.value, int)), None),
        chat_template_sha256=_template_hash(model),
        special_tokens=_special_tokens(model),
        generation=_entries(model.object("generation_config.json")),
        config=_entries(config),
    )


def _header(view: FileView) -> WeightHeader | None:
    try:
        return snapshot_tensors(view)
    except ToolError:
        return None


def _table_hash(header: WeightHeader) -> str:
    return _hash([[name, info.dtype, list(info.shape)] for name, info in sorted(header.tensors.items())])


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _pieces(model: Inspected) -> dict[str, Any]:
    """Pieces with their ids (or positions) from `tokenizer.json`, else from `vocab.json` or `vocab.txt`."""
    content = model.object("tokenizer.json")
    inner = content.get("model")
    vocabulary = inner.get("vocab") if isinstance(inner, dict) else model.object("vocab.json")
    if isinstance(vocabulary, list):
        named = [each[0] for each in vocabulary if isinstance(each, list) and each and isinstance(each[0], str)]
        vocabulary = {piece: position for position, piece in enumerate(named)}
    if not vocabulary and "vocab.txt" in model.plain:
        raw = model.view.read("vocab.txt", 0, model.plain["vocab.txt"].size_bytes)
        vocabulary = {
            line: position for position, line in enumerate(raw.decode("utf-8", "replace").split("\n")) if line
        }
    pieces: dict[str, Any] = dict(vocabulary) if isinstance(vocabulary, dict) else {}
    added = content.get("added_tokens")
    for token in added if isinstance(added, list) else ():
        if isinstance(token, dict) and isinstance(token.get("content"), str):
            pieces.setdefault(token["content"], token.get("id"))
    return pieces


def _template_hash(model: Inspected) -> str | None:
    for name in ("chat_template.jinja", "chat_template.json"):
        if name in model.plain and model.plain[name].size_bytes <= _MAX_TEMPLATE_BYTES:
            return hashlib.sha256(model.view.read(name, 0, model.plain[name].size_bytes)).hexdigest()
    template = model.object("tokenizer_config.json").get("chat_template")
    if isinstance(template, str):
        return hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest()
    return _hash(template) if template else None


def _special_tokens(model: Inspected) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        content = model.object(file)
        for role in _SPECIAL:
            value = content.get(role)
            value = value.get("content") if isinstance(value, dict) else value
            if isinstance(value, str):
                found.setdefault(role, _shown(value))
    return found


def _entries(content: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """Entries by dotted key; lists and what lies deeper than one level are kept as their JSON text."""
    found: dict[str, Scalar] = {}
    for key in sorted(content):
        value = content[key]
        if key in _NO_MEANING or value is None:
            continue
        if isinstance(value, dict) and not prefix:
            found |= _entries(value, f"{_shown(key)}.")
        else:
            found[prefix + _shown(key)] = _scalar(value)
        if len(found) >= _MAX_ENTRIES:
            break
    return dict(list(found.items())[:_MAX_ENTRIES])


def _scalar(value: object) -> Scalar:
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, bool) or type(value) is int and abs(value) <= _LARGEST_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return text if len(text) <= _MAX_TEXT_CHARACTERS else f"sha256:{_hash(value)}"


def _shown(text: str) -> str:
    """Untrusted text of one short printable line; a longer one is told apart by its hash."""
    if len(text) > _MAX_TEXT_CHARACTERS:
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return printable(text, _MAX_TEXT_CHARACTERS)


def _text(value: object) -> str | None:
    return _shown(value) if isinstance(value, str) else None


def _texts(values: object) -> tuple[str, ...]:
    return tuple(_shown(each) for each in values[:8] if isinstance(each, str)) if isinstance(values, list) else ()
