"""MiniLM as a reader of questions to the guidance: adapters and a head that names the entry, trained on the wordings.

MiniLM's own vectors find wordings alike; a manager's worry and an engineer's error message are about the same entry
without being alike, and that is learnt from examples (`knowledge/wordings/`). Japanese is read by its English gloss and,
behind it, in pieces of its own (`knowledge/japanese_pieces.py`).
An entry that was written after the training is unknown to the head and has the lowest score of all; the other rankings
find it. `python -m knowledge.fitting FOLDER_OF_MINILM` trains anew.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.gloss import gloss_question
from knowledge.japanese_pieces import JapanesePieces
from knowledge.low_rank import merged_minilm, read_text
from knowledge.topics import Language

if TYPE_CHECKING:
    import torch

WEIGHTS = Path(__file__).parent / "weights" / "entry_reader.safetensors"
MAX_TOKENS = 96
MAX_GLOSS_TOKENS = 46
ENTRIES = "entries"
"""Key of the file's metadata: ids of the head's rows, separated by spaces."""
PIECES = "japanese_pieces"
"""Key of the same: the vocabulary of the Japanese pieces."""
OUTSIDE = "outside"
"""The row of questions that the guidance is not to answer."""
Floats = npt.NDArray[np.float32]


class Reading(NamedTuple):
    """What the reader makes of a question."""

    entries: Floats
    """Log-probability by entry, shape (entries,)."""
    outside: float
    """Log-probability that the guidance is not to answer it."""
    pooled: Floats
    """The vector behind both, shape (384,)."""


class EntryReader:
    """Scores entries for a question; loaded at the first use, safe to use from several threads.

    Args:
        minilm: Folder of all-MiniLM-L6-v2.
        entries: Ids of the entries, in the order of the scores.
        weights: The file of adapters and head.
    """

    def __init__(self, minilm: Path, entries: Sequence[str], weights: Path = WEIGHTS) -> None:
        self._minilm, self._entries, self._weights = minilm, list(entries), weights
        self._lock = threading.Lock()

    @cached_property
    def _loaded(self) -> tuple[QuestionTokens, Any, dict[str, torch.Tensor], list[int], int]:
        stored = stored_reader(self._weights)
        tokenizer, model, added = merged_minilm(self._minilm, stored.arrays)
        model = model.to(_number_type())
        rows = [stored.row.get(entry, -1) for entry in self._entries]
        return QuestionTokens(tokenizer, stored.pieces), model, added, rows, stored.row[OUTSIDE]

    def read(self, question: str, language: Language) -> Reading:
        """Which entry a question is about, or none.

        Args:
            question: The question.
            language: Its language.
        """
        import torch  # noqa: PLC0415 (heavy import, only when needed)

        with self._lock:
            tokens, model, added, rows, outside = self._loaded
            pooled = read_text(model, tokens.ids(question, language))
            with torch.inference_mode():
                scores = (added["head.weight"] @ pooled + added["head.bias"]).log_softmax(-1).numpy()
        known = np.array([scores[row] if row >= 0 else scores.min() for row in rows], dtype=np.float32)
        return Reading(known, float(scores[outside]), pooled.numpy())


def _number_type() -> torch.dtype:
    """Bfloat16 where the processor multiplies it: a question is so short that fetching the weights takes most of the time."""
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else torch.float32


class StoredReader(NamedTuple):
    """What the file holds."""

    arrays: dict[str, npt.NDArray[Any]]
    """Adapters, head and the pieces' input vectors by name."""
    row: dict[str, int]
    """The head's row by entry."""
    pieces: str
    """The vocabulary of the Japanese pieces."""


def stored_reader(weights: Path) -> StoredReader:
    """A reader as it was written.

    Args:
        weights: The file of adapters and head.
    """
    from safetensors import safe_open  # noqa: PLC0415 (only when needed)

    with safe_open(weights, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        metadata = file.metadata()
    return StoredReader(arrays, {entry: i for i, entry in enumerate(metadata[ENTRIES].split())}, metadata[PIECES])


class QuestionTokens:
    """Token ids of a question as the reader gets it; for Japanese the gloss comes first, and the pieces are a second segment.

    Args:
        tokenizer: MiniLM's.
        pieces: The vocabulary of the Japanese pieces.
    """

    def __init__(self, tokenizer: Any, pieces: str) -> None:
        self._tokenizer, self._pieces = tokenizer, JapanesePieces(pieces, tokenizer)

    def ids(self, text: str, language: Language, *, gloss: bool = True) -> list[int]:
        """Token ids of a text, at most 96.

        Args:
            text: The text.
            language: Its language.
            gloss: Whether Japanese is read with its gloss.
        """
        plain = text.encode("utf-8", "replace").decode()
        if language == "en":
            return self._tokenizer(plain, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        glossed = gloss_question(plain) if gloss else ""
        first, end = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        words = self._tokenizer(glossed, add_special_tokens=False)["input_ids"][:MAX_GLOSS_TOKENS]
        return [*[first, *words, end, *self._pieces.ids(plain)][: MAX_TOKENS - 1], end]
