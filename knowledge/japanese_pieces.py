"""Japanese in pieces of its own, for a model that was trained on English: MiniLM's vocabulary lacks two kanji in three.

The pieces are a unigram vocabulary (Kudo 2018, arXiv 1804.10959) of the guidance's Japanese wordings; the training of the
entry reader gives each its input vector. ASCII keeps the model's own word pieces.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_RUN = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")


def runs_of(text: str) -> list[str]:
    """The normalised text, cut into runs that are ASCII and runs that are not."""
    return _RUN.findall(unicodedata.normalize("NFKC", text).lower())


class JapanesePieces:
    """Token ids of Japanese text; those of the pieces come behind the model's own.

    Args:
        vocabulary: The pieces, as `tokenizers` writes them.
        tokenizer: The model's own.
    """

    def __init__(self, vocabulary: str, tokenizer: Any) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415 (only when needed)

        self._pieces: Any = Tokenizer.from_str(vocabulary)
        self._tokenizer = tokenizer

    def ids(self, text: str) -> list[int]:
        """Token ids of a text, without the first and the last."""
        found: list[int] = []
        for run in runs_of(text):
            if run.isascii():
                found += self._tokenizer(run, add_special_tokens=False)["input_ids"]
            else:
                found += [len(self._tokenizer) + piece for piece in self._pieces.encode(run).ids]
        return found
