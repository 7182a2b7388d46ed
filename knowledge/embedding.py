"""Sentence embeddings with MiniLM: mean of the token vectors, normalised."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
DIMENSIONS = 384
MAX_TOKENS = 256
BATCH = 32


class Embedder:
    """Embeds texts; loaded at the first use, safe to use from several threads.

    Args:
        folder: Folder of a sentence-transformers model with mean pooling (config, tokenizer, safetensors).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    @cached_property
    def model_hash(self) -> str:
        """SHA-256 of the weights, which an index must have been built with."""
        with (self.folder / "model.safetensors").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 (heavy import, only when needed)

        tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        model = AutoModel.from_pretrained(self.folder, local_files_only=True, use_safetensors=True, dtype="float32")
        return tokenizer, model.eval()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of shape (texts, 384); texts longer than 256 tokens are cut there."""
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        import torch  # noqa: PLC0415 (heavy import, only when needed)

        with self._lock:
            tokenizer, model = self._loaded
            # Sorted by length, a batch has little padding; the order is restored at the end.
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            vectors: list[Floats] = []
            for start in range(0, len(order), BATCH):
                # A lone surrogate, which a browser can send, is no text to a tokenizer.
                batch = [texts[i].encode("utf-8", "replace").decode() for i in order[start : start + BATCH]]
                inputs = tokenizer(batch, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
                with torch.inference_mode():
                    hidden = model(**inputs).last_hidden_state
                    mask = inputs["attention_mask"].unsqueeze(-1).to(hidden.dtype)
                    mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
                    vectors.append(torch.nn.functional.normalize(mean, dim=1).numpy())
        stacked = np.concatenate(vectors).astype(np.float32)
        restored = np.empty_like(stacked)
        restored[order] = stacked
        return restored
