"""Rule T10: whether the config and the tensors describe the same model.

A loader that meets a mismatch fills the gap with random numbers and says so in a log line only.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tools.file_safety.findings import Finding, finding
from tools.file_safety.inspected import Inspected, text_config
from tools.weight_files import TensorInfo

_STEP = "Do not use this copy: config and weights do not belong together. Fetch both again from the publisher."
_LAYER = re.compile(r"(?P<prefix>.*?(?:^|\.)(?:layers?|h|blocks?|resblocks))\.(?P<index>\d{1,6})\.(?P<rest>.+)\Z")
_EMBEDDING = re.compile(
    r"(?:^|\.)(?:word_embeddings|embed_tokens|wte|tok_embeddings|embeddings\.word_embedding|shared|embed_in|embedding)\.weight\Z"
)
_SKIPPED_PARTS = ("vision", "visual", "audio", "speech", "image")
_LAYER_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_WIDTH_KEYS = (
    "hidden_size",
    "d_model",
    "n_embd",
    "dim",
    "embedding_size",
    "word_embed_proj_dim",
    "embedding_dim",
    "hidden_dim",
)

# One tensor that every layer of an architecture has, by model_type.
_LAYER_MARK = {
    "bert": "attention.self.query.weight", "roberta": "attention.self.query.weight", "xlm-roberta": "attention.self.query.weight",
    "camembert": "attention.self.query.weight", "electra": "attention.self.query.weight", "distilbert": "attention.q_lin.weight",
    "mpnet": "attention.attn.q.weight", "gpt2": "attn.c_attn.weight", "gpt_neox": "attention.query_key_value.weight",
    "llama": "self_attn.q_proj.weight", "mistral": "self_attn.q_proj.weight", "qwen2": "self_attn.q_proj.weight",
    "qwen3": "self_attn.q_proj.weight", "gemma": "self_attn.q_proj.weight", "gemma2": "self_attn.q_proj.weight",
    "olmo2": "self_attn.q_proj.weight", "smollm3": "self_attn.q_proj.weight", "opt": "self_attn.q_proj.weight",
    "modernbert": "attn.Wqkv.weight", "t5": "layer.0.SelfAttention.q.weight", "mt5": "layer.0.SelfAttention.q.weight",
}  # fmt: skip
_CLASS_NAMES = {
    "Bert": "bert", "Roberta": "roberta", "XLMRoberta": "xlm-roberta", "Camembert": "camembert", "Electra": "electra",
    "DistilBert": "distilbert", "MPNet": "mpnet", "GPT2": "gpt2", "GPTNeoX": "gpt_neox", "Llama": "llama", "Mistral": "mistral",
    "Qwen2": "qwen2", "Qwen3": "qwen3", "Gemma": "gemma", "Gemma2": "gemma2", "Olmo2": "olmo2", "SmolLM3": "smollm3", "OPT": "opt",
    "ModernBert": "modernbert", "T5": "t5", "MT5": "mt5",
}  # fmt: skip
_CLASS = re.compile(r"(?P<family>\w+?)(?:Encoder|Lightning)?(?:Model|LMHeadModel|DoubleHeadsModel|For[A-Z]\w*)\Z")
_MAY_DIFFER_BY_LAYER = re.compile(r"relative_attention_bias|rotary_emb|position_ids|attn_norm|\.bias\Z|masked_bias")
# A quantizer packs a layer's weight under another name, with scales and tables beside it.
_PACKED = re.compile(r"\.(?:qweight|weight_packed)\Z")
_BESIDE_PACKED = re.compile(
    r"\.(?:qzeros|scales|g_idx|SCB|weight_(?:scale\w*|zero_point|shape|g_idx|global_scale|format)|input_\w*scale"
    r"|weight\.(?:absmax|quant_map|nested_\w+|quant_state\.\w+))\Z"
)
_Sizes = dict[str, int | None]


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
            yield finding(
                "T10",
                "config.json",
                "There is no config that says what the weights are.",
                "Fetch the whole model.",
                "flag",
            )
        return
    kind = config.get("model_type")
    yield from _check_class(config, kind)
    inner = text_config(config)
    text_tensors = {
        _PACKED.sub(".weight", name): info
        for name, info in tensors.items()
        if not any(part in name for part in _SKIPPED_PARTS) and not _BESIDE_PACKED.search(name)
    }
    yield from _check_embedding(inner, text_tensors, model)
    if kind == "albert":  # its layers share one set of weights
        return
    yield from _check_layers(inner, text_tensors, str(kind))
    yield from _check_shapes(inner, text_tensors, str(kind))


def _check_class(config: dict[str, Any], kind: object) -> Iterator[Finding]:
    classes = config.get("architectures")
    if not isinstance(kind, str) or not isinstance(classes, list) or not classes or not isinstance(classes[0], str):
        missing = "model_type" if not isinstance(kind, str) else "architectures"
        severity = "flag" if missing == "model_type" else "note"
        yield finding(
            "T10", "config.json", f"The config has no `{missing}`.", "Ask the publisher which model this is.", severity
        )
        return
    match = _CLASS.match(classes[0])
    family = _CLASS_NAMES.get(match.group("family")) if match is not None else None
    if family is not None and kind in _LAYER_MARK and family != kind:
        found = f"The config names the class `{classes[0]}`, but the type `{kind}`."
        yield finding("T10", "config.json", found, _STEP)


def _check_embedding(config: dict[str, Any], tensors: dict[str, TensorInfo], model: Inspected) -> Iterator[Finding]:
    name = next((each for each, info in tensors.items() if _EMBEDDING.search(each) and len(info.shape) == 2), None)
    vocabulary = config.get("vocab_size")
    if name is None or type(vocabulary) is not int:
        return
    rows, width = tensors[name].shape
    if rows != vocabulary:
        found = f"The config states a vocabulary of {vocabulary}, `{name}` has {rows} rows."
        yield finding("T10", tensors[name].file, found, _STEP)
    widths = {config[key] for key in _WIDTH_KEYS if type(config.get(key)) is int}
    if widths and width not in widths:
        found = f"The config states a width of {max(widths)}, `{name}` has {width}."
        yield finding("T10", tensors[name].file, found, _STEP)
    highest = highest_token_id(model)
    if highest is not None and highest >= rows:
        found = f"The tokenizer gives ids up to {highest}, the embedding has {rows} rows."
        step = "Texts with such tokens make the model fail; use the tokenizer that was published with these weights."
        yield finding("T10", "tokenizer.json", found, step, "flag")


def highest_token_id(model: Inspected) -> int | None:
    """Highest id the tokenizer can give; None when there is no tokenizer that lists its ids."""
    content = model.object("tokenizer.json")
    inner = content.get("model")
    vocabulary = inner.get("vocab") if isinstance(inner, dict) else None
    ids: list[int] = []
    if isinstance(vocabulary, dict):
        ids += [each for each in vocabulary.values() if type(each) is int]
    elif isinstance(vocabulary, list):
        ids.append(len(vocabulary) - 1)
    added = content.get("added_tokens")
    ids += (
        [each["id"] for each in added if isinstance(each, dict) and type(each.get("id")) is int]
        if isinstance(added, list)
        else []
    )
    return max(ids, default=None)


def _layers(tensors: dict[str, TensorInfo]) -> dict[str, dict[int, set[str]]]:
    """Names inside each numbered layer, by the prefix before the number."""
    groups: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in tensors:
        match = _LAYER.match(name)
        if match is not None:
            groups[match["prefix"]][int(match["index"])].add(match["rest"])
    return groups


def _check_layers(config: dict[str, Any], tensors: dict[str, TensorInfo], kind: str) -> Iterator[Finding]:
    groups = _layers(tensors)
    expected = next((config[key] for key in _LAYER_KEYS if type(config.get(key)) is int), None)
    mark = _LAYER_MARK.get(kind)
    if mark is not None and not any(name.endswith(mark) for name in tensors):
        found = f"The config says `{kind}`, but no tensor is named `…{mark}` as in every layer of that architecture."
        yield finding("T10", "config.json", found, _STEP)
        return
    if expected is None or not groups:
        return
    counts = {prefix: len(layers) for prefix, layers in groups.items()}
    largest = max(counts.values())
    if largest < expected:
        found = f"The config states {expected} layers, the weights hold {largest}."
        yield finding("T10", "config.json", found, _STEP)
    elif largest > expected and mark is not None and expected not in counts.values():
        found = f"The config states {expected} layers, the weights hold {largest}; the rest would be left out without a word."
        yield finding("T10", "config.json", found, _STEP)
    if mark is not None:
        yield from _check_uniform(groups)


def _check_uniform(groups: dict[str, dict[int, set[str]]]) -> Iterator[Finding]:
    """In the architectures of the table all layers have the same tensors."""
    for prefix, layers in groups.items():
        gap = next((index for index in range(max(layers) + 1) if index not in layers), None)
        if gap is not None:
            yield finding("T10", "config.json", f"Layer {gap} of `{prefix}` is not in the weights.", _STEP)
            return
        usual = Counter(rest for names in layers.values() for rest in names if not _MAY_DIFFER_BY_LAYER.search(rest))
        for rest, count in usual.items():
            if len(layers) > 2 and len(layers) / 2 <= count < len(layers):
                index = next(each for each, names in layers.items() if rest not in names)
                found = f"Tensor `{prefix}.{index}.{rest}` is missing, though {count} of {len(layers)} layers have it."
                yield finding("T10", "config.json", found, _STEP)
                return


def _expected_shapes(config: dict[str, Any], kind: str) -> dict[str, tuple[int | None, ...]]:
    sizes: _Sizes = {key: value for key, value in config.items() if type(value) is int and value > 0}
    hidden, inner = sizes.get("hidden_size"), sizes.get("intermediate_size")
    if kind in {"bert", "roberta", "xlm-roberta", "camembert"}:
        return {
            ".attention.self.query.weight": (hidden, hidden),
            ".intermediate.dense.weight": (inner, hidden),
            ".position_embeddings.weight": (sizes.get("max_position_embeddings"), hidden),
        }
    if kind in {"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "olmo2", "smollm3"}:
        heads = sizes.get("num_attention_heads")
        key_heads = sizes.get("num_key_value_heads") or heads
        per_head = sizes.get("head_dim") or (hidden // heads if hidden and heads else None)
        return {
            ".self_attn.q_proj.weight": (heads * per_head if heads and per_head else None, hidden),
            ".self_attn.k_proj.weight": (key_heads * per_head if key_heads and per_head else None, hidden),
            ".mlp.gate_proj.weight": (inner, hidden),
            ".mlp.down_proj.weight": (hidden, inner),
        }
    return {}


def _check_shapes(config: dict[str, Any], tensors: dict[str, TensorInfo], kind: str) -> Iterator[Finding]:
    expected = _expected_shapes(config, kind)
    for name, info in tensors.items():
        for suffix, shape in expected.items():
            if not f".{name}".endswith(suffix) or len(info.shape) != len(shape) or info.dtype in {"U8", "I8", "I32"}:
                continue
            if any(want is not None and want != have for want, have in zip(shape, info.shape, strict=True)):
                found = f"By the config `{name}` has the shape {list(shape)}, in the weights it has {list(info.shape)}."
                yield finding("T10", info.file, found, _STEP)
                return
