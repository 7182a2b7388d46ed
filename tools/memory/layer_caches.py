"""What a generating model keeps for each sequence, layer by layer, read from its configuration as untrusted numbers.

Layers differ: full attention keeps every token, sliding and chunked attention the last ones, latent attention a compressed
vector, recurrent layers (Mamba, gated delta nets, short convolutions) a state of fixed size. The sizes are those of
transformers' `DynamicCache`, which the tests hold them against; engines with a paged cache round up to whole pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.memory.config_numbers import HEADS, HIDDEN, LAYERS, first_size, size_of

CacheKind = Literal["full attention", "sliding attention", "latent attention", "recurrent state", "cross attention"]
"""How a layer remembers."""


class LayerKind(StrEnum):
    """What a layer of the configuration is, by what it keeps."""

    FULL = "full"
    SLIDING = "sliding"
    RECURRENT = "recurrent"
    CONVOLUTION = "convolution"
    HYBRID = "hybrid"
    NONE = "none"


_FLOAT32 = 4
_MAX_LAYERS = 2000

_KINDS: dict[str, LayerKind] = {
    "full_attention": LayerKind.FULL,
    "attention": LayerKind.FULL,
    "sliding_attention": LayerKind.SLIDING,
    "chunked_attention": LayerKind.SLIDING,
    "linear_attention": LayerKind.RECURRENT,
    "mamba": LayerKind.RECURRENT,
    "mamba2": LayerKind.RECURRENT,
    "conv": LayerKind.CONVOLUTION,
    "hybrid": LayerKind.HYBRID,
    "moe": LayerKind.NONE,
    "mlp": LayerKind.NONE,
}
_LETTERS: dict[str, LayerKind] = {
    "M": LayerKind.RECURRENT,
    "*": LayerKind.FULL,
    "-": LayerKind.NONE,
    "E": LayerKind.NONE,
}
_EVERY: dict[str, tuple[LayerKind, int, str]] = {
    # family: the usual layer, after how many a full-attention one stands, the key that states another number
    "gemma2": (LayerKind.SLIDING, 2, ""),
    "gemma3_text": (LayerKind.SLIDING, 6, "sliding_window_pattern"),
    "gemma3n_text": (LayerKind.SLIDING, 5, ""),
    "gemma4_text": (LayerKind.SLIDING, 6, ""),
    "cohere2": (LayerKind.SLIDING, 4, "sliding_window_pattern"),
    "olmo3": (LayerKind.SLIDING, 4, ""),
    "exaone4": (LayerKind.SLIDING, 4, "sliding_window_pattern"),
    "gpt_oss": (LayerKind.SLIDING, 2, ""),
    "llama4_text": (LayerKind.SLIDING, 4, "no_rope_layer_interval"),
    "qwen3_next": (LayerKind.RECURRENT, 4, "full_attention_interval"),
    "qwen3_5_text": (LayerKind.RECURRENT, 4, "full_attention_interval"),
    "qwen3_5_moe_text": (LayerKind.RECURRENT, 4, "full_attention_interval"),
}
_ALL: dict[str, LayerKind] = {
    "mamba": LayerKind.RECURRENT,
    "mamba2": LayerKind.RECURRENT,
    "falcon_mamba": LayerKind.RECURRENT,
    "falcon_h1": LayerKind.HYBRID,
}
_UNREADABLE = ("recurrent_gemma", "rwkv", "xlstm", "minimax", "bailing_hybrid")
"""Families whose layers keep a state that this module has no sizes for."""


class Product(NamedTuple):
    """A size with the product it comes from."""

    size_bytes: float
    """Bytes."""
    formula: str
    """The product in words."""


class LayerCache(BaseModel):
    """What layers of one kind keep for one sequence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CacheKind
    """How these layers remember."""
    layers: int
    """Number of these layers."""
    numbers_per_token: int = 0
    """Numbers that one layer keeps for each token."""
    tokens_at_most: int | None = None
    """Most tokens that are kept, for sliding attention."""
    state_numbers: int = 0
    """Numbers of one layer's state in the model's number format, whatever the length."""
    state_float32: int = 0
    """Numbers of one layer's state that stay in float32, whatever the length."""
    scanned: bool = False
    """Whether, without a kernel of its own, the float32 state of every token is written out (first-generation Mamba)."""

    def products(self, tokens: int, source_tokens: int, number_bytes: float) -> list[Product]:
        """Bytes for one sequence, product by product.

        Args:
            tokens: Tokens read and generated.
            source_tokens: Tokens that the encoder read, for cross attention.
            number_bytes: Bytes of a number in the model's format.
        """
        kept = source_tokens if self.kind == "cross attention" else tokens
        kept = kept if self.tokens_at_most is None else min(kept, self.tokens_at_most)
        found: list[Product] = []
        if self.numbers_per_token:
            numbers = self.numbers_per_token
            text = f"{self.layers} layers of {self.kind} x {numbers} numbers x {kept} tokens x {number_bytes:g} bytes"
            found.append(Product(self.layers * numbers * kept * number_bytes, text))
        for numbers, width in ((self.state_numbers, number_bytes), (self.state_float32, _FLOAT32)):
            if numbers:
                text = f"{self.layers} layers of {self.kind} x {numbers} numbers x {width:g} bytes"
                found.append(Product(self.layers * numbers * width, text))
        return found

    def size_bytes(self, tokens: int, source_tokens: int, number_bytes: float) -> float:
        """Bytes for one sequence; arguments as of `products`."""
        return sum(each.size_bytes for each in self.products(tokens, source_tokens, number_bytes))


def layer_caches(config: dict[str, Any]) -> tuple[LayerCache, ...] | None:
    """What the layers of a text decoder keep.

    Args:
        config: The configuration of the text part, untrusted.

    Returns:
        Layers by kind; None where the configuration does not tell, or tells of layers whose sizes are not known here.
    """
    if config.get("is_encoder_decoder"):
        return _of_decoder_with_source(config)
    kinds = layer_kinds(config)
    if kinds is None:
        return None
    found: list[LayerCache] = []
    for kind, count in Counter(kinds).items():
        made = _caches_of(kind, count, config)
        if made is None:
            return None
        found += made
    return tuple(found)


def layer_kinds(config: dict[str, Any]) -> tuple[LayerKind, ...] | None:
    """The kind of each layer; None where the configuration names one that is not known here."""
    layers = first_size(config, *LAYERS) or _number_listed(config)
    if layers is None or layers > _MAX_LAYERS or config.get("model_type") in _UNREADABLE:
        return None
    readers: tuple[Callable[[dict[str, Any], int], Sequence[LayerKind | None] | None], ...] = (
        _listed,
        _by_letters,
        _by_places,
        _by_family,
        _by_window,
    )
    kinds = next(found for reader in readers if (found := reader(config, layers)) is not None)
    known = tuple(kind for kind in kinds if kind is not None)
    if len(known) != layers:
        return None
    shared = config.get("num_kv_shared_layers")
    if type(shared) is int and 0 < shared < layers:  # the last layers read what earlier ones keep
        known = (*known[:-shared], *[LayerKind.NONE] * shared)
    return known


def _number_listed(config: dict[str, Any]) -> int | None:
    listed = config.get("layers_block_type") or config.get("hybrid_override_pattern")
    return len(listed) or None if isinstance(listed, list | str) else None


def _listed(config: dict[str, Any], layers: int) -> Sequence[LayerKind | None] | None:
    names = config.get("layer_types") or config.get("layers_block_type")
    if not isinstance(names, list) or len(names) != layers:
        return None
    return [_KINDS.get(name) if isinstance(name, str) else None for name in names]


def _by_letters(config: dict[str, Any], layers: int) -> Sequence[LayerKind | None] | None:
    letters = config.get("hybrid_override_pattern")
    if not isinstance(letters, str) or len(letters) != layers:
        return None
    return [_LETTERS.get(letter) for letter in letters]


def _by_places(config: dict[str, Any], layers: int) -> Sequence[LayerKind | None] | None:
    """Families that state where their attention layers stand among recurrent ones."""
    period, offset = config.get("attn_layer_period"), config.get("attn_layer_offset")
    if type(period) is int and type(offset) is int and period > 0:
        return [LayerKind.FULL if i % period == offset else LayerKind.RECURRENT for i in range(layers)]
    for key, other in (("attn_layer_indices", LayerKind.RECURRENT), ("full_attn_idxs", LayerKind.CONVOLUTION)):
        places = config.get(key)
        if isinstance(places, list):
            return [LayerKind.FULL if i in places else other for i in range(layers)]
    return None


def _by_family(config: dict[str, Any], layers: int) -> Sequence[LayerKind | None] | None:
    family = config.get("model_type")
    if family in _ALL:
        return [_ALL[family]] * layers
    if family not in _EVERY:
        return None
    usual, every, key = _EVERY[family]
    every = size_of(config.get(key)) or every
    if usual == LayerKind.SLIDING and _window(config) is None:
        return [LayerKind.FULL] * layers
    kinds: list[LayerKind] = [usual if (i + 1) % every else LayerKind.FULL for i in range(layers)]
    if family == "gemma4_text":
        kinds[-1] = LayerKind.FULL
    return kinds


def _by_window(config: dict[str, Any], layers: int) -> Sequence[LayerKind]:
    """A window without a list of layers holds for all; the Qwen families use it from a stated layer on, if at all."""
    if _window(config) is None or config.get("use_sliding_window") is False:
        return [LayerKind.FULL] * layers
    first = config.get("max_window_layers") if config.get("use_sliding_window") else 0
    start = first if type(first) is int and first >= 0 else 0
    return [LayerKind.SLIDING if i >= start else LayerKind.FULL for i in range(layers)]


def _window(config: dict[str, Any]) -> int | None:
    return first_size(config, "sliding_window", "attention_chunk_size")


def _caches_of(kind: LayerKind, count: int, config: dict[str, Any]) -> list[LayerCache] | None:
    """What `count` layers of this kind keep; None where a size is missing."""
    found: list[LayerCache | None] = []
    if kind in (LayerKind.FULL, LayerKind.SLIDING, LayerKind.HYBRID):
        found.append(_attention(kind, count, config))
    if kind in (LayerKind.RECURRENT, LayerKind.HYBRID):
        found.append(_state(count, config))
    if kind == LayerKind.CONVOLUTION:
        hidden, kernel = first_size(config, "hidden_size"), first_size(config, "conv_L_cache")
        kept = (hidden or 0) * (kernel or 0)
        found.append(LayerCache(kind="recurrent state", layers=count, state_numbers=kept) if kept else None)
    known = [each for each in found if each is not None]
    return known if len(known) == len(found) else None


def _attention(kind: LayerKind, count: int, config: dict[str, Any]) -> LayerCache | None:
    rank, rotary = size_of(config.get("kv_lora_rank")), size_of(config.get("qk_rope_head_dim"))
    if rank and rotary:
        return LayerCache(kind="latent attention", layers=count, numbers_per_token=rank + rotary)
    heads, size = _heads(config), _head_size(config)
    if not heads or not size:
        return None
    if kind == LayerKind.SLIDING and (window := _window(config)):
        # The step's own token comes on top while it is read, so one less stays between steps.
        at_most = max(1, window - 1)
        return LayerCache(
            kind="sliding attention", layers=count, numbers_per_token=2 * heads * size, tokens_at_most=at_most
        )
    return LayerCache(kind="full attention", layers=count, numbers_per_token=2 * heads * size)


def _heads(config: dict[str, Any]) -> int | None:
    """Heads of keys and values."""
    if config.get("multi_query") is True and not config.get("new_decoder_architecture"):
        return 1
    return first_size(config, "num_key_value_heads", "num_kv_heads", "n_head_kv", *HEADS)


def _head_size(config: dict[str, Any]) -> int | None:
    """Width of one attention head, stated or the hidden width shared by the heads."""
    stated = first_size(config, "head_dim", "attention_head_dim", "d_kv")
    if stated:
        return stated
    hidden, heads = first_size(config, *HIDDEN), first_size(config, *HEADS, "decoder_attention_heads")
    return hidden // heads if hidden and heads else None


def _state(count: int, config: dict[str, Any]) -> LayerCache | None:
    """A recurrent layer's state: the convolution's last inputs in the model's format, the recurrence in float32."""
    in_blocks = _gated_delta(config) or _mamba2(config)
    sizes = in_blocks or _mamba(config)
    if sizes is None:
        return None
    return LayerCache(
        kind="recurrent state",
        layers=count,
        state_numbers=sizes[0],
        state_float32=sizes[1],
        scanned=in_blocks is None,
    )


def _gated_delta(config: dict[str, Any]) -> tuple[int, int] | None:
    key_heads, value_heads = size_of(config.get("linear_num_key_heads")), size_of(config.get("linear_num_value_heads"))
    key, value = size_of(config.get("linear_key_head_dim")), size_of(config.get("linear_value_head_dim"))
    kernel = size_of(config.get("linear_conv_kernel_dim"))
    if not (key_heads and value_heads and key and value and kernel):
        return None
    return (2 * key_heads * key + value_heads * value) * kernel, value_heads * key * value


def _mamba2(config: dict[str, Any]) -> tuple[int, int] | None:
    own = "head_dim" if config.get("model_type") == "mamba2" else ""
    heads = first_size(config, "mamba_n_heads", "mamba_num_heads", "n_mamba_heads", own and "num_heads")
    size = first_size(config, "mamba_d_head", "mamba_head_dim", "mamba_headdim", own)
    state = first_size(config, "mamba_d_state", "ssm_state_size", "state_size")
    groups = first_size(config, "mamba_n_groups", "n_groups", "mamba_ngroups") or 1
    kernel = first_size(config, "mamba_d_conv", "conv_kernel", "conv_kernel_size")
    if not (heads and size and state and kernel):
        return None
    return (heads * size + 2 * groups * state) * kernel, heads * size * state


def _mamba(config: dict[str, Any]) -> tuple[int, int] | None:
    hidden, expand = first_size(config, "hidden_size"), first_size(config, "mamba_expand", "expand")
    inner = size_of(config.get("intermediate_size")) if config.get("model_type") in _ALL else None
    inner = inner or (hidden * expand if hidden and expand else None)
    state = first_size(config, "mamba_d_state", "state_size")
    kernel = first_size(config, "mamba_d_conv", "conv_kernel")
    if not (inner and state and kernel):
        return None
    return inner * kernel, inner * state


def _of_decoder_with_source(config: dict[str, Any]) -> tuple[LayerCache, ...] | None:
    """An encoder-decoder's decoder: its own tokens, and the encoder's output once for each layer."""
    layers = first_size(config, "num_decoder_layers", "decoder_layers", "num_layers", "num_hidden_layers")
    heads = first_size(config, "decoder_attention_heads", "num_attention_heads", "num_heads")
    size = _head_size(config)
    if not (layers and heads and size):
        return None
    per_token = 2 * heads * size
    return (
        LayerCache(kind="full attention", layers=layers, numbers_per_token=per_token),
        LayerCache(kind="cross attention", layers=layers, numbers_per_token=per_token),
    )
