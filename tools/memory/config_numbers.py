"""Reads sizes out of a configuration as untrusted numbers."""

from __future__ import annotations

from typing import Any

_MAX_SIZE = 10_000_000
HIDDEN = ("hidden_size", "n_embd", "d_model", "dim")
"""What families call the width of the hidden states."""
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
"""What they call the number of layers."""
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
"""What they call the number of attention heads."""


def size_of(value: object) -> int | None:
    """The value where it is a usable size: a whole number from 1 to ten million."""
    return value if type(value) is int and 0 < value <= _MAX_SIZE else None


def first_size(config: dict[str, Any], *names: str) -> int | None:
    """The first usable size under one of these names."""
    return next((size for name in names if (size := size_of(config.get(name))) is not None), None)
