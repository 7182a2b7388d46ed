"""MiniLM as a reader of questions: low-rank adapters on every layer and two heads, trained on the example utterances.

The bundled weights stay as they are; what is added is about two megabytes beside the pilot (LoRA: Hu et al. 2021,
W + s·B·A). Japanese, of which MiniLM's vocabulary has little, is read together with a word-for-word English gloss.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file

from assistant.languages import language_of
from assistant.llm.example_utterances import ROUTES
from assistant.llm.japanese_gloss import gloss
from assistant.llm.route_views import Floats, log_softmax

if TYPE_CHECKING:
    import torch

FILE = "minilm_adapters.safetensors"
SCALE = 2.0
"""Factor of the adapters' product."""
POOLED = 4.0
"""Factor of the mean token vector, the size that the heads are trained for."""
MAX_TOKENS = 96
SECOND = ("none", *ROUTES)
"""What the second head chooses from."""


class AdaptedMiniLM:
    """Reads masked questions; loaded at the first use, safe to use from several threads.

    Args:
        minilm: Folder of all-MiniLM-L6-v2.
        weights: Folder that holds the adapters.
    """

    def __init__(self, minilm: Path, weights: Path) -> None:
        self._minilm, self._weights = minilm, weights
        self._lock = threading.Lock()

    @cached_property
    def _loaded(self) -> tuple[Any, Any, dict[str, torch.Tensor]]:
        import torch  # noqa: PLC0415 (heavy import, only when needed)
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 (as above)

        tokenizer = AutoTokenizer.from_pretrained(self._minilm, local_files_only=True)
        model = AutoModel.from_pretrained(self._minilm, local_files_only=True, use_safetensors=True, dtype="float32")
        added = {k: torch.from_numpy(v.astype(np.float32)) for k, v in load_file(self._weights / FILE).items()}
        with torch.no_grad():
            for name, layer in adaptable(model):
                layer.weight += SCALE * added[f"{name}.b"] @ added[f"{name}.a"]
        return tokenizer, model.eval(), added

    def read(self, masked: str, last_tool: str) -> tuple[Floats, Floats]:
        """Log-probabilities of the first route, shape (routes,), and of the second (or none), shape (1 + routes,)."""
        import torch  # noqa: PLC0415 (heavy import, only when needed)

        with self._lock:
            tokenizer, model, added = self._loaded
            ids = torch.tensor([token_ids(tokenizer, masked, last_tool)])
            with torch.inference_mode():
                pooled = pool(model, ids, torch.ones_like(ids))
                first = pooled @ added["first.weight"].T + added["first.bias"]
                second = pooled @ added["second.weight"].T + added["second.bias"]
        return log_softmax(first[0].numpy()), log_softmax(second[0].numpy())


def adaptable(model: Any) -> Iterator[tuple[str, torch.nn.Linear]]:
    """The linear layers that have adapters, with their names."""
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    for name, module in model.encoder.named_modules():
        if isinstance(module, torch.nn.Linear):
            yield name, module


def token_ids(tokenizer: Any, masked: str, last_tool: str) -> list[int]:
    """Token ids of a masked question: the tool before, the words, and for Japanese the gloss as a second segment."""
    text = f"after {last_tool.replace('_', ' ')}: {masked}" if last_tool else masked
    plain = text.encode("utf-8", "replace").decode()
    second = gloss(masked) if language_of(masked) == "ja" else ""
    pair = (plain, second) if second else (plain,)
    return tokenizer(*pair, truncation=True, max_length=MAX_TOKENS)["input_ids"]


def pool(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the token vectors, shape (texts, 384), scaled to the size that the heads are trained for."""
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1) * POOLED
