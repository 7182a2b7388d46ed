"""MiniLM as a reader of questions: low-rank adapters on every layer and two heads, trained on the example utterances.

What is added to the bundled weights (`knowledge/low_rank.py`) is about two megabytes beside the pilot. Japanese, of which MiniLM's vocabulary has little, is read together with a word-for-word English gloss.
"""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.numpy import load_file

from assistant.languages import language_of
from assistant.llm.example_utterances import ROUTES
from assistant.llm.route_views import Floats, log_softmax
from knowledge.gloss import gloss
from knowledge.low_rank import merged_minilm, read_text

if TYPE_CHECKING:
    import torch

FILE = "minilm_adapters.safetensors"
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
        return merged_minilm(self._minilm, load_file(self._weights / FILE))

    def read(self, masked: str, last_tool: str) -> tuple[Floats, Floats]:
        """Log-probabilities of the first route, shape (routes,), and of the second (or none), shape (1 + routes,)."""
        import torch  # noqa: PLC0415 (heavy import, only when needed)

        with self._lock:
            tokenizer, model, added = self._loaded
            pooled = read_text(model, token_ids(tokenizer, masked, last_tool))
            with torch.inference_mode():
                first, second = (
                    added[f"{head}.weight"] @ pooled + added[f"{head}.bias"] for head in ("first", "second")
                )
        return log_softmax(first.numpy()), log_softmax(second.numpy())


def token_ids(tokenizer: Any, masked: str, last_tool: str) -> list[int]:
    """Token ids of a masked question: the tool before, the words, and for Japanese the gloss as a second segment."""
    text = f"after {last_tool.replace('_', ' ')}: {masked}" if last_tool else masked
    plain = text.encode("utf-8", "replace").decode()
    second = gloss(masked) if language_of(masked) == "ja" else ""
    pair = (plain, second) if second else (plain,)
    return tokenizer(*pair, truncation=True, max_length=MAX_TOKENS)["input_ids"]
