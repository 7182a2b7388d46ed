"""Learn the pieces that Japanese is read in (`knowledge/japanese_pieces.py`), and where their input vectors begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from knowledge.gloss import gloss_question
from knowledge.japanese_pieces import runs_of

PIECES = 4000
LONGEST = 6  # characters
_UNKNOWN = "<unk>"
_NOISE = 0.02  # standard deviation of the vector of a piece that the gloss does not know, around the mean of all


def learn_pieces(texts: Sequence[str]) -> str:
    """A vocabulary of what the texts have in Japanese, as `tokenizers` writes it.

    Args:
        texts: What is to be read.
    """
    tokenizer: Any = Tokenizer(models.Unigram())
    # A word in katakana is cut from its neighbours; kanji stay with the hiragana that belong to them.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\x{30a1}-\x{30ff}]+|[^\x{30a1}-\x{30ff}]+"), "isolated")
    trainer: Any = trainers.UnigramTrainer(
        vocab_size=PIECES,
        special_tokens=[_UNKNOWN],
        unk_token=_UNKNOWN,
        max_piece_length=LONGEST,
        show_progress=False,
    )
    tokenizer.train_from_iterator((run for text in texts for run in runs_of(text) if not run.isascii()), trainer)
    return tokenizer.to_str()


def first_vectors(vocabulary: str, tokenizer: Any, vectors: torch.Tensor) -> torch.Tensor:
    """Input vectors for the pieces to be trained from, shape (pieces, dimensions): the mean of those of its gloss.

    Args:
        vocabulary: What `learn_pieces` wrote.
        tokenizer: The model's own.
        vectors: Its input vectors, shape (tokens, dimensions).
    """
    pieces: dict[str, int] = Tokenizer.from_str(vocabulary).get_vocab()
    found = vectors.mean(0) + _NOISE * torch.randn(len(pieces), vectors.shape[1])
    for piece, row in pieces.items():
        if glossed := gloss_question(piece):
            found[row] = vectors[tokenizer(glossed, add_special_tokens=False)["input_ids"]].mean(0)
    return found
