"""Makes inputs from a model's configuration alone: seeded ids of its vocabulary, or noise of its image size."""

from __future__ import annotations

from typing import Any

import torch
from worker_loading import JobError, Loaded

_SEED = 20_250_101
_SPECIAL_IDS = 5


def _text_config(config: Any) -> Any:
    get = getattr(config, "get_text_config", None)
    return get() if get else config


def positions(config: Any) -> int | None:
    """How many positions the model has; None when its configuration does not say or it has no such limit."""
    text = _text_config(config)
    value = getattr(text, "max_position_embeddings", None) or getattr(text, "n_positions", None)
    if not isinstance(value, int) or value <= 0:
        return None
    offset = getattr(text, "pad_token_id", None) if getattr(text, "model_type", "") in _OFFSET_TYPES else None
    return value - offset - 1 if isinstance(offset, int) else value


_OFFSET_TYPES = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "data2vec-text")
"""Families that count positions from the padding id on."""


def make_inputs(loaded: Loaded, batch_size: int, sequence_length: int) -> dict[str, torch.Tensor]:
    """Inputs for one call.

    Args:
        loaded: The model.
        batch_size: Inputs processed together.
        sequence_length: Tokens of each; of no meaning for images.

    Returns:
        Keyword arguments of the model.
    """
    config = loaded.model.config
    name = loaded.model.main_input_name
    generator = torch.Generator().manual_seed(_SEED)
    if name == "pixel_values":
        inner = getattr(config, "vision_config", config)
        size = getattr(inner, "image_size", 224)
        height, width = (size, size) if isinstance(size, int) else size
        shape = (batch_size, getattr(inner, "num_channels", 3), height, width)
        pixels = torch.rand(shape, generator=generator).to(loaded.model.dtype)
        return {"pixel_values": pixels.to(loaded.device)}
    if name != "input_ids":
        raise JobError("unsupported", f"inputs of the kind `{name}` are not made up without data")
    vocabulary = getattr(_text_config(config), "vocab_size", None)
    if not isinstance(vocabulary, int) or vocabulary <= 0:
        raise JobError("unsupported", "its configuration states no vocabulary size")
    limit = positions(config)
    if limit is not None and sequence_length > limit:
        raise JobError("unsupported", f"{sequence_length} tokens are more than its {limit} positions")
    low = min(_SPECIAL_IDS, vocabulary - 1)
    ids = torch.randint(low, vocabulary, (batch_size, sequence_length), generator=generator).to(loaded.device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if getattr(config, "is_encoder_decoder", False):
        inputs["decoder_input_ids"] = ids[:, :1]
    return inputs
