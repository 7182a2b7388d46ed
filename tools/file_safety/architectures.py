"""Rule T10: whether the config and the tensors describe the same model.

A loader that meets a mismatch fills the gap with random numbers and says so in a log line only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.file_safety.architecture_table import architecture_of, types_by_family
from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import Inspected, text_config
from tools.file_safety.layer_rules import MISMATCH_STEP, Weights, check_layer_count, check_tensors
from tools.file_safety.token_ids import read_token_ids
from tools.weight_files import TensorInfo

_EMBEDDING = re.compile(
    r"(?:^|\.)(?:word_embeddings|embed_tokens|wte|tok_embeddings|embeddings\.word_embedding|shared|embed_in|embedding)\.weight\Z"
)
_OF_OTHER_INPUTS = ("vision", "visual", "audio", "speech", "image")
_WIDTH_KEYS = {"hidden_size", "d_model", "n_embd", "dim", "hidden_dim"}
_REST_OF_CLASS = re.compile(r"(?:\w*Model|PreTrainedModel|For[A-Z]\w*)\Z")
# A quantizer packs a layer's weight under another name, with scales and tables beside it.
_PACKED = re.compile(r"\.(?:qweight|weight_packed)\Z")
_BESIDE_PACKED = re.compile(
    r"\.(?:qzeros|scales|g_idx|SCB|weight_(?:scale\w*|zero_point|shape|g_idx|global_scale|format)|input_\w*scale"
    r"|weight\.(?:absmax|quant_map|nested_\w+|quant_state\.\w+))\Z"
)


def check_architecture(model: Inspected, tensors: dict[str, TensorInfo]) -> Iterator[Finding]:
    """Compare the config with all tensors that would be loaded.

    Args:
        model: The model under inspection.
        tensors: Tensors by name.

    Yields:
        Findings of rule T10.
    """
    config = model.object("config.json")
    if not config:
        if "adapter_config.json" not in model.plain:
            found = "There is no config that says what the weights are."
            yield finding("T10", "config.json", found, "Fetch the whole model.", "flag")
        return
    yield from _check_class(config)
    inner = text_config(config)
    of_text = _plain_weights(tensors, of_text_only=inner is not config)
    yield from _check_embedding(inner, of_text, model)
    kind = str(inner.get("model_type", config.get("model_type")))
    architecture = architecture_of(kind)
    if architecture is None or not architecture.stacks:
        if kind != "albert":  # its layers share one set of weights
            yield from check_layer_count(inner, of_text)
        return
    weights = Weights(
        tensors=of_text,
        config=inner,
        whole_config=config,
        is_part=inner is not config,
        is_quantized=isinstance(config.get("quantization_config"), dict),
        is_embedder="modules.json" in model.plain,
    )
    yield from check_tensors(kind, architecture, weights)


def _plain_weights(tensors: dict[str, TensorInfo], *, of_text_only: bool) -> dict[str, TensorInfo]:
    """Tensors under their usual names; of a model with several inputs those of its language model."""
    return {
        _PACKED.sub(".weight", name): info
        for name, info in tensors.items()
        if not (of_text_only and any(part in name for part in _OF_OTHER_INPUTS)) and not _BESIDE_PACKED.search(name)
    }


def _check_class(config: dict[str, Any]) -> Iterator[Finding]:
    kind, classes = config.get("model_type"), config.get("architectures")
    if not isinstance(kind, str) or not isinstance(classes, list) or not classes or not isinstance(classes[0], str):
        missing = "model_type" if not isinstance(kind, str) else "architectures"
        severity = "flag" if missing == "model_type" else "note"
        found = f"The config has no `{missing}`."
        yield finding("T10", "config.json", found, "Ask the publisher which model this is.", severity)
        return
    kinds, architecture = _types_of_class(classes[0]), architecture_of(kind)
    if architecture is None or classes[0] in architecture.foreign_classes:
        return
    if kinds and not _is_among(kind, kinds):
        found = f"The config names the class `{classes[0]}`, but the type `{kind}`."
        yield finding("T10", "config.json", found, MISMATCH_STEP)


def _is_among(kind: str, kinds: frozenset[str]) -> bool:
    """Whether a type is one of these, or the language model of one, which shares its classes."""
    return any(kind == each or kind.startswith(f"{each}_") for each in kinds)


def _types_of_class(name: str) -> frozenset[str]:
    """The types whose classes are named like this; the longest beginning decides. Empty when there is none."""
    families = types_by_family()
    for end in range(len(name), 1, -1):
        if name[:end] in families and _REST_OF_CLASS.match(name[end:]):
            return families[name[:end]]
    return frozenset()


def _check_embedding(config: dict[str, Any], tensors: dict[str, TensorInfo], model: Inspected) -> Iterator[Finding]:
    name = next((each for each, info in tensors.items() if _EMBEDDING.search(each) and len(info.shape) == 2), None)
    vocabularies = [config[key] for key in ("vocab_size", "decoder_vocab_size") if type(config.get(key)) is int]
    if name is None or not vocabularies:
        return
    rows, width = tensors[name].shape
    if rows not in vocabularies:
        found = f"The config states a vocabulary of {vocabularies[0]}, `{name}` has {rows} rows."
        yield finding("T10", tensors[name].file, found, MISMATCH_STEP)
    widths = {value for key, value in config.items() if type(value) is int and _is_width(key)}
    if widths and width not in widths:
        found = f"The config states a width of {max(widths)}, `{name}` has {width}."
        yield finding("T10", tensors[name].file, found, MISMATCH_STEP)
    highest = read_token_ids(model).highest
    if highest is not None and highest >= rows:
        found = f"The tokenizer gives ids up to {highest}, the embedding has {rows} rows."
        step = "Texts with such tokens make the model fail; use the tokenizer that was published with these weights."
        yield finding("T10", "tokenizer.json", found, step, "flag")


def _is_width(key: str) -> bool:
    """Whether a config's key can be the width of the embedding, which may be another one than that of the layers."""
    return key in _WIDTH_KEYS or ("embed" in key and "position" not in key)
