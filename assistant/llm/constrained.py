"""Decoding constrained by a grammar, with llguidance: the next token is one that the grammar allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import LogitsProcessor

if TYPE_CHECKING:
    import torch


class GrammarError(ValueError):
    """The grammar is not valid, or the text left it: a bug of ours, not of the user."""


class GrammarConstraint(LogitsProcessor):
    """Sets the logits of tokens that the grammar forbids to minus infinity.

    Args:
        tokenizer: What `ll_tokenizer` returned for the model's tokenizer.
        lark: Grammar in llguidance's Lark dialect.
    """

    def __init__(self, tokenizer: Any, lark: str) -> None:
        import llguidance  # noqa: PLC0415 (heavy import, only when needed)

        self._matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(lark))
        if self._matcher.is_error():
            raise GrammarError(self._matcher.get_error())
        self._vocabulary = tokenizer.vocab_size
        self._seen = -1

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of shape (1, vocabulary) with the forbidden ones at minus infinity."""
        import torch  # noqa: PLC0415 (heavy import, only when needed)

        if self._seen >= 0:
            for token in input_ids[0, self._seen :].tolist():
                self._matcher.consume_token(token)
        self._seen = input_ids.shape[1]
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(packed, bitorder="little")[: scores.shape[-1]].astype(bool)
        if allowed.size < scores.shape[-1]:
            allowed = np.pad(allowed, (0, scores.shape[-1] - allowed.size))
        return scores.masked_fill(~torch.from_numpy(allowed).to(scores.device), float("-inf"))


def ll_tokenizer(tokenizer: Any) -> Any:
    """The tokenizer as llguidance needs it; takes about a second for a large vocabulary, so keep it."""
    import llguidance.hf  # noqa: PLC0415 (heavy import, only when needed)

    return llguidance.hf.from_tokenizer(tokenizer, n_vocab=len(tokenizer))
