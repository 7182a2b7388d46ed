"""MiniLM with low-rank adapters on every layer: W + s·B·A (LoRA: Hu et al. 2021). The bundled weights stay as they are.

Adapters of one task are a megabyte or two beside the model; `merged_minilm` adds them when it loads the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from knowledge.embedding import load_minilm
from knowledge.threads import one_thread

if TYPE_CHECKING:
    import torch

SCALE = 2.0
"""Factor of the adapters' product."""
POOLED = 4.0
"""Factor of the mean token vector, the size that heads are trained for."""
ADDED_WORDS = "added_words"
"""Name of the input vectors of tokens that come behind the model's own, shape (tokens, 384)."""


def adaptable(model: Any) -> Iterator[tuple[str, torch.nn.Linear]]:
    """The linear layers that have adapters, with their names."""
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    for name, module in model.encoder.named_modules():
        if isinstance(module, torch.nn.Linear):
            yield name, module


def pool(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the token vectors, shape (texts, 384), scaled to the size that heads are trained for."""
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1) * POOLED


def read_text(model: Any, ids: Sequence[int]) -> torch.Tensor:
    """The pooled vector of one text, shape (384,), without what training needs.

    Args:
        model: What `merged_minilm` made.
        ids: The text's token ids.
    """
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    with torch.inference_mode(), one_thread():
        batch = torch.tensor([ids])
        return pool(model, batch, torch.ones_like(batch))[0]


def merged_minilm(folder: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[Any, Any, dict[str, torch.Tensor]]:
    """The tokenizer, the model with its adapters added, and in float32 what else was trained, the heads.

    Args:
        folder: Folder of all-MiniLM-L6-v2.
        arrays: `<layer>.a` and `<layer>.b` of each layer, the added words if any, and whatever else was trained.
    """
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    tokenizer, model = load_minilm(folder)
    added = {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}
    with torch.no_grad():
        for name, layer in adaptable(model):
            layer.weight += SCALE * added[f"{name}.b"] @ added[f"{name}.a"]
        if ADDED_WORDS in added:
            words = torch.cat([model.get_input_embeddings().weight, added.pop(ADDED_WORDS)])
            model.set_input_embeddings(torch.nn.Embedding.from_pretrained(words))
    return tokenizer, model.eval(), added
