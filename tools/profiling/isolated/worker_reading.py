"""How much of the weights a forward pass has to read."""

from __future__ import annotations

from typing import Any

import torch


def weights_read(model: Any, *, decoding: bool) -> int:
    """Bytes of the weights that one pass reads.

    Args:
        model: The model.
        decoding: Whether the pass is a decoding step, which runs the decoder and the output layer alone.

    Returns:
        Bytes; tables that are only looked up are left out, and one that is also the output layer counts once.
    """
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    parts = [model]
    if decoding:
        decoder = _decoder(model)
        parts = [model] if decoder is None else [decoder, *([] if head is None else [head])]
    kept = {parameter.data_ptr(): parameter.nbytes for part in parts for parameter in part.parameters()}
    output = getattr(head, "weight", None)
    for table in (module for part in parts for module in part.modules() if isinstance(module, torch.nn.Embedding)):
        if output is None or table.weight.data_ptr() != output.data_ptr():
            kept.pop(table.weight.data_ptr(), None)
    return sum(kept.values())


def _decoder(model: Any) -> Any:
    """The part that runs at every step; None when the whole model does, or nothing tells."""
    inner = getattr(model, "text_decoder", None)
    if inner is not None:
        return inner
    found = model.get_decoder() if hasattr(model, "get_decoder") else None
    return found if isinstance(found, torch.nn.Module) else None
