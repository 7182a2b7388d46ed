"""What a model's files say about it, read without loading it: sizes, types, lengths, classes, origin."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.errors import ToolError
from tools.file_safety.file_view import FileView
from tools.file_safety.inspected import Inspected, text_config
from tools.needed_files import needed_names
from tools.weight_files import TensorInfo, header_of

_LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "seq_length")
_WIDTH_KEYS = ("hidden_size", "d_model", "n_embd", "dim")
_MAX_BELIEVED_LENGTH = 16_777_216
_HEAD = re.compile(r"(?:\A|\.)(?:classifier|score|classification_head\.out_proj|classifier\.out_proj)\.weight\Z")
_INPUT_TABLE = re.compile(r"(?:word_embeddings|embed_tokens|wte|tok_embeddings|shared)\.weight\Z")
_TABLE = re.compile(rf"{_INPUT_TABLE.pattern}|(?:lm_head|wpe|position_embeddings)\.weight\Z")
_WRITERS_OF_TEXT = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForMaskedLM")
_UNNAMED_LABEL = re.compile(r"LABEL_\d+")
_MOST_LABELS = 1_000


class Fact(BaseModel):
    """One value and the file it was read from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: int | str
    """The value."""
    file: str
    """The file it was read from."""


class FileFact(BaseModel):
    """One fact of the files, by what it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    """What it is about, such as `parameters`."""
    value: int | str
    """The value. A text is untrusted."""
    file: str
    """The file it was read from."""


class ModelFacts(BaseModel):
    """What the files say; whatever is absent the files do not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Fact | None
    """Class that the config names, such as `BertModel`. Untrusted text."""
    parameters: Fact | None
    """Number of parameters in the weights."""
    dtype: Fact | None
    """Type that most parameters are stored in, for example `F32`."""
    lengths: tuple[Fact, ...]
    """Longest input in tokens by each file that states one, the one in force first."""
    embedding_size: Fact | None
    """Numbers in one embedding: of the last projection or pooling, else the hidden size."""
    hidden_size: Fact | None
    """Width of the layers; absent when the config does not state it."""
    base_name: Fact | None
    """Name the config was derived from, as its writer recorded it. Untrusted text."""
    vocabulary_size: Fact | None
    """Rows of the embedding table by the config."""
    label_count: Fact | None
    """Number of classes: rows of the classifier's weights, else entries of `id2label`."""
    labels: tuple[str, ...]
    """Names of the classes in order; empty when the config has none of its own. Untrusted text."""
    is_adapter: bool
    """Whether the files are an adapter, whose weights are only a small part of what runs."""
    other_parameters: tuple[int, ...] = ()
    """Other honest ways to count: without the embeddings, or with a table that the output shares counted twice."""


def read_facts(files: FileView | Inspected) -> ModelFacts:
    """Read what a model's files say about it.

    Args:
        files: The files, here or on the hub; with what was read of them before, when there is that.

    Returns:
        The facts; the tokenizer's are in `tools.tokenizer_facts`.
    """
    model = files if isinstance(files, Inspected) else Inspected(files)
    config = model.object("config.json")
    header = _header(model, config)
    return ModelFacts(
        architecture=_architecture(config),
        parameters=header.parameters,
        dtype=header.dtype,
        lengths=tuple(_lengths(model, text_config(config))),
        embedding_size=_embedding_size(model, text_config(config)),
        hidden_size=_hidden_size(text_config(config)),
        base_name=_base_name(model, config),
        vocabulary_size=_number("config.json", text_config(config).get("vocab_size")),
        label_count=_label_count(config, header),
        labels=_labels(config),
        is_adapter="adapter_config.json" in model.plain,
        other_parameters=header.other_counts,
    )


class _Header(NamedTuple):
    parameters: Fact | None = None
    dtype: Fact | None = None
    head: Fact | None = None
    other_counts: tuple[int, ...] = ()


def _header(model: Inspected, config: dict[str, Any]) -> _Header:
    """Number and type of the parameters, and the rows of a classifier."""
    sizes = {name: entry.size_bytes for name, entry in model.plain.items()}
    names = [name for name in needed_names(sizes) if name.endswith(".safetensors")]
    tensors: dict[str, TensorInfo] = {}
    for name in names:
        try:
            header = header_of(model.view, name, sizes[name])
        except ToolError:
            return _Header()
        tensors |= header.tensors
    if not tensors:
        return _Header()
    source = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    counts: Counter[str] = Counter()
    for tensor in tensors.values():
        counts[tensor.dtype] += tensor.parameters
    dtype = Fact(value=max(counts, key=lambda each: counts[each]), file=source)
    head = _head(tensors)
    if "quantization_config" in config:  # packed: one stored number holds several parameters
        return _Header(None, dtype, head)
    counted = {name: tensor for name, tensor in tensors.items() if "F" in tensor.dtype} or tensors
    total = sum(tensor.parameters for tensor in counted.values())
    tables = sum(tensor.parameters for name, tensor in counted.items() if _TABLE.search(name))
    inputs = sum(tensor.parameters for name, tensor in counted.items() if _INPUT_TABLE.search(name))
    architecture = _architecture(config)
    shares = architecture is not None and str(architecture.value).endswith(_WRITERS_OF_TEXT)
    others = (total - tables, total + inputs) if shares else (total - tables,)
    return _Header(Fact(value=total, file=source), dtype, head, others)


def _head(tensors: dict[str, TensorInfo]) -> Fact | None:
    found = next((name for name in tensors if _HEAD.search(name) and len(tensors[name].shape) == 2), None)
    return Fact(value=tensors[found].shape[0], file=tensors[found].file) if found is not None else None


def _label_count(config: dict[str, Any], header: _Header) -> Fact | None:
    names = config.get("id2label")
    if header.head is not None:
        return header.head
    return Fact(value=len(names), file="config.json") if isinstance(names, dict) and names else None


def _labels(config: dict[str, Any]) -> tuple[str, ...]:
    names = config.get("id2label")
    values = list(names.values())[:_MOST_LABELS] if isinstance(names, dict) else []
    plain = tuple(value[:80] for value in values if isinstance(value, str))
    return () if not plain or all(_UNNAMED_LABEL.fullmatch(each) for each in plain) else plain


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
    return _hidden_size(config)


def _hidden_size(config: dict[str, Any]) -> Fact | None:
    return next((fact for key in _WIDTH_KEYS if (fact := _number("config.json", config.get(key)))), None)


def _number(file: str, value: object) -> Fact | None:
    return Fact(value=value, file=file) if type(value) is int and value > 0 else None


def _architecture(config: dict[str, Any]) -> Fact | None:
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named else config.get("model_type")
    return Fact(value=name[:80], file="config.json") if isinstance(name, str) and name else None


def _base_name(model: Inspected, config: dict[str, Any]) -> Fact | None:
    for file, value in (
        ("adapter_config.json", model.object("adapter_config.json").get("base_model_name_or_path")),
        ("config.json", config.get("_name_or_path")),
    ):
        if isinstance(value, str) and value.count("/") == 1 and not value.startswith((".", "/", "~")):
            return Fact(value=value[:120], file=file)
    return None


def file_facts(facts: ModelFacts, languages: tuple[str, ...]) -> tuple[FileFact, ...]:
    """The facts as a list, and the languages that the card names.

    Args:
        facts: What the files say.
        languages: Language codes of the card's front matter.

    Returns:
        What is known, in a fixed order.
    """
    named = Fact(value=", ".join(languages[:20]), file="README.md") if languages else None
    labels = Fact(value=", ".join(facts.labels)[:400], file="config.json") if facts.labels else None
    listed = {
        "architecture": facts.architecture, "parameters": facts.parameters, "dtype": facts.dtype,
        "context_length": facts.lengths[0] if facts.lengths else None, "embedding_size": facts.embedding_size,
        "vocabulary_size": facts.vocabulary_size, "labels": labels or facts.label_count, "base_model": facts.base_name,
        "languages": named,
    }  # fmt: skip
    return tuple(FileFact(topic=topic, value=fact.value, file=fact.file) for topic, fact in listed.items() if fact)
