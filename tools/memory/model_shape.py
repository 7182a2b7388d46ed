"""Reads the sizes of a model's architecture from its configuration as untrusted numbers, whatever a family calls them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.errors import UnsupportedModel
from tools.file_safety.file_view import FileView
from tools.memory.config_numbers import HEADS, HIDDEN, LAYERS, first_size
from tools.memory.layer_caches import LayerCache, layer_caches
from tools.memory.quantization import Quantization, read_quantization, stated_dtype
from tools.strict_json import BadJson, parse_json

_MAX_CONFIG_BYTES = 10_000_000
_INNER = ("text_config", "llm_config", "language_config", "decoder")
_NAMES: dict[str, tuple[str, ...]] = {
    "hidden": HIDDEN,
    "layers": LAYERS,
    "heads": HEADS,
    "intermediate": ("intermediate_size", "n_inner", "ffn_dim", "d_ff", "hidden_dim"),
    "expert_intermediate": ("moe_intermediate_size", "expert_ffn_hidden_size"),
    "vocabulary": ("vocab_size",),
    "positions": ("max_position_embeddings", "n_positions", "max_seq_len"),
    "image": ("image_size",),
    "patch": ("patch_size",),
}
_ACTIVATIONS = ("hidden_act", "hidden_activation", "activation_function", "feed_forward_proj", "activation")
_WRITTEN_OUT = ("gelu_new", "gelu_fast", "gelu_python")
_ROTARY = ("rope_parameters", "rope_theta", "rope_scaling", "rotary_pct", "rotary_dim", "rotary_emb_base")
_MAX_EXPERTS = 1000
_EXPERTS = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_top_k")
_GATED = ("silu", "swish", "swiglu", "geglu", "gelu_pytorch_tanh")
_GENERATING = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_WORD_LOGITS = (*_GENERATING, "ForMaskedLM")


class ModelShape(BaseModel):
    """Sizes of an architecture; absent where the configuration does not state a usable number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str = ""
    """Name of the architecture as the configuration states it. Untrusted text."""
    hidden: int | None = None
    """Width of the hidden states."""
    layers: int | None = None
    """Number of layers."""
    heads: int | None = None
    """Attention heads."""
    intermediate: int | None = None
    """Width inside the feed-forward part."""
    expert_intermediate: int | None = None
    """Width inside the feed-forward part of one expert, where it is another."""
    vocabulary: int | None = None
    """Number of tokens."""
    positions: int | None = None
    """Longest input in tokens, as claimed."""
    image: int | None = None
    """Side of an input image in pixels."""
    patch: int | None = None
    """Side of an image patch in pixels."""
    gated: bool = False
    """Whether the feed-forward part is a gated one."""
    gelu_written_out: bool = False
    """Whether its activation function is a chain of operations, each with a result of its own."""
    rotary: bool = False
    """Whether positions are rotated into queries and keys."""
    keeps_scores: bool = False
    """Whether attention needs the whole matrix of scores, because it caps them."""
    experts_per_token: int = 1
    """Experts that a token passes in one layer; 1 without experts."""
    reads_source: bool = False
    """Whether an encoder reads the input and a decoder writes."""
    quantization: Quantization | None = None
    """How the checkpoint was quantized; absent when it was not."""
    stated_dtype: str = ""
    """Number format that the configuration says is computed in: float32, float16 or bfloat16; empty where it says none."""
    caches: tuple[LayerCache, ...] | None = None
    """What the layers keep for each sequence while generating; absent where the configuration does not tell."""

    @property
    def generates(self) -> bool:
        """Whether it keeps keys and values for generating text."""
        return self.architecture.endswith(_GENERATING)

    def tokens_of(self, length: int) -> int:
        """Positions that a pass of that many tokens has; of a model that reads images alone, its patches and one more."""
        if self.image and self.patch and not self.vocabulary:
            return (self.image // self.patch) ** 2 + 1
        return length

    @property
    def scanned(self) -> int | None:
        """Numbers of a layer's state that a plain scan keeps for every token; None where no layer is scanned so."""
        return next((each.state_float32 for each in self.caches or () if each.scanned), None)

    @property
    def word_logits(self) -> bool:
        """Whether its head gives one number for each token of the vocabulary."""
        return self.architecture.endswith(_WORD_LOGITS)


def read_shape(view: FileView) -> ModelShape:
    """Read a model's `config.json`.

    Args:
        view: The model's files.

    Returns:
        The sizes that are stated and usable.

    Raises:
        UnsupportedModel: There is no usable configuration.
    """
    size = next((e.size_bytes for e in view.entries if e.name == "config.json" and e.trouble is None), None)
    if size is None:
        raise _unusable("is missing or cannot be read")
    if size > _MAX_CONFIG_BYTES:
        raise _unusable("is larger than any configuration")
    try:
        content = parse_json(view.read("config.json", 0, size), allow_non_finite=True)
    except BadJson as error:
        raise _unusable(str(error)) from error
    if not isinstance(content, dict):
        raise _unusable("is not an object")
    return shape_from(content)


def shape_from(config: dict[str, Any]) -> ModelShape:
    """The sizes in a configuration; of a model of several parts, those of its text part."""
    inner = next((config[name] for name in _INNER if isinstance(config.get(name), dict)), {})
    merged = {**config, **inner}
    sizes = {field: first_size(merged, *names) for field, names in _NAMES.items()}
    activation = next((merged[name] for name in _ACTIVATIONS if isinstance(merged.get(name), str)), "")
    names = config.get("architectures")
    architecture = names[0][:100] if isinstance(names, list) and names and isinstance(names[0], str) else ""
    gated = activation.startswith(_GATED) or "gated" in activation
    experts = first_size(merged, *_EXPERTS)
    return ModelShape(
        architecture=architecture,
        gated=gated,
        gelu_written_out=activation in _WRITTEN_OUT,
        rotary=any(merged.get(name) is not None for name in _ROTARY),
        keeps_scores=merged.get("attn_logit_softcapping") is not None,
        experts_per_token=experts if experts is not None and experts <= _MAX_EXPERTS else 1,
        reads_source=merged.get("is_encoder_decoder") is True,
        quantization=read_quantization(merged),
        stated_dtype=stated_dtype(merged),
        caches=layer_caches(merged),
        **sizes,
    )


def _unusable(why: str) -> UnsupportedModel:
    return UnsupportedModel(f"`config.json` {why}.", "Give a model in the transformers layout.")
