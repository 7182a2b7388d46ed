"""Sentence embeddings with MiniLM: mean of the token vectors, normalised."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.file_hash import sha256_of
from knowledge.threads import loading, one_thread

Floats = npt.NDArray[np.float32]
DIMENSIONS = 384
MAX_TOKENS = 256
BATCH = 64
FEW = 2
"""Texts that one thread embeds faster than all of them: a question and its gloss."""


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
        return sha256_of(self.folder / "model.safetensors")

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_minilm(self.folder)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of shape (texts, 384); texts longer than 256 tokens are cut there."""
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        import torch  # noqa: PLC0415 (heavy import, only when needed)
        from torch.nn.utils.rnn import pad_sequence  # noqa: PLC0415 (as above)

        with self._lock:
            tokenizer, model = self._loaded
            # A lone surrogate, which a browser can send, is no text to a tokenizer.
            plain = [text.encode("utf-8", "replace").decode() for text in texts]
            ids = [torch.tensor(each) for each in tokenizer(plain, truncation=True, max_length=MAX_TOKENS)["input_ids"]]
            # Sorted by length, a batch has little padding; the order is restored at the end. Characters would be no
            # measure of length: Japanese has a token for nearly each, English one for four.
            order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
            vectors: list[Floats] = []
            for start in range(0, len(order), BATCH):
                batch = [ids[i] for i in order[start : start + BATCH]]
                padded = pad_sequence(batch, batch_first=True)
                mask = pad_sequence([torch.ones_like(each) for each in batch], batch_first=True)
                with torch.inference_mode(), one_thread() if len(texts) <= FEW else nullcontext():
                    hidden = model(input_ids=padded, attention_mask=mask).last_hidden_state
                    weight = mask.unsqueeze(-1).to(hidden.dtype)
                    mean = (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1e-9)
                    vectors.append(torch.nn.functional.normalize(mean, dim=1).numpy())
        stacked = np.concatenate(vectors).astype(np.float32)
        restored = np.empty_like(stacked)
        restored[order] = stacked
        return restored


def load_minilm(folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the model of a folder, in float32.

    Args:
        folder: Folder of all-MiniLM-L6-v2.
    """
    with loading():
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 (heavy import, only when needed)

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype="float32")
    return tokenizer, model.eval()
