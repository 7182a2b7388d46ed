"""What a forward pass holds beside weights and cache, as products of the architecture's sizes.

The factors were fitted to the kernel's peaks of real models of a dozen architectures, each in a fresh process. They are above
the count of live tensors, since freed memory stays with the allocator in pieces.
"""

from __future__ import annotations

from typing import NamedTuple

from tools.memory.model_shape import ModelShape
from tools.weight_files import WeightHeader

WORKING_MIB = 32.0
"""What the first call adds whatever the size: code that is read from disk, and the libraries' own buffers."""
_COPIES = 14
_COPIES_WITH_ROTATION = 22  # rotated queries and keys, norms in float32
_PLAIN, _GATED, _WRITTEN_OUT = 2, 3, 10
_SCORES = 3
_SCANNED = 4
_FLOAT32 = 4
_GATES = ("gate_proj", ".w1.", "wi_0", "gate_up_proj", ".mlp.Wi.")
_FUSED_QKV = ("c_attn", "query_key_value", "qkv_proj", "Wqkv")


class Activation(NamedTuple):
    """Numbers that are held at the peak."""

    numbers: int
    """How many."""
    formula: str
    """The product they come from."""


class LayerBuild(NamedTuple):
    """How layers are built, as the names of the tensors tell."""

    inner_factor: int
    """Results of the feed-forward part's width that are held at once."""
    fused_queries: bool
    """Whether queries, keys and values are one tensor."""


def read_build(shape: ModelShape, header: WeightHeader) -> LayerBuild:
    """Read how layers are built; all names are gone through, so once a model is enough.

    Args:
        shape: Sizes of the architecture.
        header: Heads of the weight files.
    """
    return LayerBuild(_inner_factor(shape, header), _named(header, _FUSED_QKV))


def activations(
    shape: ModelShape, build: LayerBuild, tokens: int, batch_size: int, number_bytes: float
) -> list[Activation] | None:
    """Numbers that are held at the peak of a forward pass.

    Args:
        shape: Sizes of the architecture.
        build: How its layers are built.
        tokens: Tokens (or image patches) of each input.
        batch_size: Inputs processed together.
        number_bytes: Bytes of a number in the format that is computed in.

    Returns:
        The products to be added up; None where the configuration does not state the width.
    """
    if not shape.hidden:
        return None
    copies = _COPIES_WITH_ROTATION if shape.rotary else _COPIES
    inner, factor = _inner(shape), build.inner_factor
    found = [
        Activation(
            batch_size * tokens * copies * shape.hidden,
            f"batch {batch_size} x {tokens} tokens x {copies} x {shape.hidden} of hidden states",
        ),
        Activation(
            batch_size * tokens * factor * inner,
            f"batch {batch_size} x {tokens} tokens x {factor} x {inner} between the linear layers",
        ),
    ]
    if shape.word_logits and shape.vocabulary:
        rows = 1 if shape.generates else tokens
        text = f"batch {batch_size} x {rows} tokens x {shape.vocabulary} logits"
        found.append(Activation(batch_size * rows * shape.vocabulary, text))
    if shape.keeps_scores and shape.heads:
        numbers = batch_size * _SCORES * shape.heads * tokens * tokens
        found.append(
            Activation(numbers, f"batch {batch_size} x {_SCORES} x {shape.heads} heads x {tokens} x {tokens} scores")
        )
    if shape.generates and shape.layers and build.fused_queries:
        # Keys and values are parts of one tensor, which stays whole until the first new token: with the queries.
        numbers = batch_size * tokens * shape.layers * shape.hidden
        text = f"batch {batch_size} x {tokens} tokens x {shape.layers} layers x {shape.hidden} of queries kept with the cache"
        found.append(Activation(numbers, text))
    if shape.scanned:
        # Without a kernel of its own for it, the state of every token is written out, in float32.
        copies = round(_SCANNED * _FLOAT32 / number_bytes)
        text = f"batch {batch_size} x {tokens} tokens x {copies} x {shape.scanned} of the scan"
        found.append(Activation(batch_size * tokens * copies * shape.scanned, text))
    return found


def _inner(shape: ModelShape) -> int:
    """Width between the linear layers; a token that passes several experts has one for each."""
    dense = shape.intermediate or 4 * (shape.hidden or 0)
    if shape.expert_intermediate:
        return max(dense, shape.experts_per_token * shape.expert_intermediate)
    return shape.experts_per_token * dense


def _inner_factor(shape: ModelShape, header: WeightHeader) -> int:
    if shape.gelu_written_out:
        return _WRITTEN_OUT
    return _GATED if shape.gated or _named(header, _GATES) else _PLAIN


def _named(header: WeightHeader, parts: tuple[str, ...]) -> bool:
    return any(part in name for name in header.tensors for part in parts)
