"""What a model's files say about it, read without loading it: sizes, types, lengths, languages of its tokenizer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.errors import ToolError
from tools.file_safety.file_view import FileView
from tools.file_safety.inspected import Inspected, text_config
from tools.needed_files import needed_names
from tools.weight_files import header_from

_LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "seq_length")
_WIDTH_KEYS = ("hidden_size", "d_model", "n_embd", "dim")
_SCRIPTS = {
    "ja": (("\u3041", "\u30ff"),), "zh": (("\u4e00", "\u9fff"),), "ko": (("\uac00", "\ud7a3"), ("\u1100", "\u11ff")),
    "ru": (("\u0400", "\u04ff"),), "uk": (("\u0400", "\u04ff"),), "bg": (("\u0400", "\u04ff"),), "ar": (("\u0600", "\u06ff"),),
    "fa": (("\u0600", "\u06ff"),), "hi": (("\u0900", "\u097f"),), "th": (("\u0e00", "\u0e7f"),), "el": (("\u0370", "\u03ff"),),
    "he": (("\u0590", "\u05ff"),),
}  # fmt: skip
_MAX_BELIEVED_LENGTH = 16_777_216


class Fact(BaseModel):
    """One value and the file it was read from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: int | str
    """The value."""
    file: str
    """The file it was read from."""


class ModelFacts(BaseModel):
    """What the files say; whatever is absent the files do not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: Fact | None
    """Number of parameters in the weights."""
    dtype: Fact | None
    """Type that most parameters are stored in, for example `F32`."""
    lengths: tuple[Fact, ...]
    """Longest input in tokens by each file that states one, the one in force first."""
    embedding_size: Fact | None
    """Numbers in one embedding: of the last projection or pooling, else the hidden size."""
    base_name: Fact | None
    """Name the config was derived from, as its writer recorded it. Untrusted text."""


def read_facts(view: FileView) -> ModelFacts:
    """Read what a model's files say about it.

    Args:
        view: The files, here or on the hub.

    Returns:
        The facts.
    """
    model = Inspected(view)
    config = model.object("config.json")
    parameters, dtype = _weights(model)
    return ModelFacts(
        parameters=parameters,
        dtype=dtype,
        lengths=tuple(_lengths(model, text_config(config))),
        embedding_size=_embedding_size(model, text_config(config)),
        base_name=_base_name(model, config),
    )


def _weights(model: Inspected) -> tuple[Fact | None, Fact | None]:
    sizes = {name: entry.size_bytes for name, entry in model.plain.items()}
    names = [name for name in needed_names(sizes) if name.endswith(".safetensors")]
    counts: dict[str, int] = {}
    for name in names:
        try:
            header = header_from(
                lambda start, length, name=name: model.view.read(name, start, length), sizes[name], name
            )
        except ToolError:
            return None, None
        for dtype, count in header.parameters_by_dtype.items():
            counts[dtype] = counts.get(dtype, 0) + count
    floating = {dtype: count for dtype, count in counts.items() if "F" in dtype} or counts
    if not counts:
        return None, None
    source = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return Fact(value=sum(floating.values()), file=source), Fact(
        value=max(counts, key=lambda each: counts[each]), file=source
    )


def _lengths(model: Inspected, config: dict[str, Any]) -> list[Fact]:
    found: list[Fact] = []
    for name in ("sentence_bert_config.json", "sentence_xlm-roberta_config.json"):
        found += _length(name, model.object(name).get("max_seq_length"))
    for key in _LENGTH_KEYS:
        found += _length("config.json", config.get(key))
    return found + _length("tokenizer_config.json", model.object("tokenizer_config.json").get("model_max_length"))


def _length(file: str, value: object) -> list[Fact]:
    return [Fact(value=value, file=file)] if type(value) is int and 0 < value <= _MAX_BELIEVED_LENGTH else []


def _embedding_size(model: Inspected, config: dict[str, Any]) -> Fact | None:
    modules = sorted(name for name in model.plain if name.count("/") == 1 and name.endswith("/config.json"))
    for name in reversed(modules):
        content = model.object(name)
        value = content.get("out_features", content.get("word_embedding_dimension"))
        if type(value) is int:
            return Fact(value=value, file=name)
    value = next((config[key] for key in _WIDTH_KEYS if type(config.get(key)) is int), None)
    return Fact(value=value, file="config.json") if value is not None else None


def _base_name(model: Inspected, config: dict[str, Any]) -> Fact | None:
    for file, value in (
        ("adapter_config.json", model.object("adapter_config.json").get("base_model_name_or_path")),
        ("config.json", config.get("_name_or_path")),
    ):
        if isinstance(value, str) and value.count("/") == 1 and not value.startswith((".", "/", "~")):
            return Fact(value=value[:120], file=file)
    return None


def pieces_in_script(view: FileView, language: str) -> tuple[int, str] | None:
    """How many pieces of the tokenizer are written in a language's own script.

    Args:
        view: The model's files.
        language: Two-letter code.

    Returns:
        Count and file; None when the language has no script of its own here, or the tokenizer works on bytes.
    """
    ranges = _SCRIPTS.get(language)
    model = Inspected(view)
    content = model.object("tokenizer.json") if ranges is not None else {}
    inner = content.get("model")
    vocabulary = inner.get("vocab") if isinstance(inner, dict) else None
    works_on_bytes = "ByteLevel" in str(content.get("pre_tokenizer"))[:2_000] or (
        isinstance(inner, dict) and inner.get("byte_fallback")
    )
    if ranges is None or works_on_bytes or not isinstance(vocabulary, dict | list):
        return None
    pieces = (
        list(vocabulary)
        if isinstance(vocabulary, dict)
        else [each[0] for each in vocabulary if isinstance(each, list) and each]
    )
    count = sum(
        1
        for piece in pieces
        if isinstance(piece, str) and any(low <= each <= high for each in piece for low, high in ranges)
    )
    return count, "tokenizer.json"
