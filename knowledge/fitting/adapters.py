"""Adapters of MiniLM while they are trained (`knowledge/low_rank.py` adds them when the model is used)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer

from knowledge.low_rank import ADDED_WORDS, SCALE, adaptable, pool

RANK = 16


class Adapter(nn.Module):
    """A linear layer with a low-rank product added."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.a = nn.Parameter(torch.randn(RANK, base.in_features) / math.sqrt(base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output for `x`."""
        return self.base(x) + SCALE * nn.functional.linear(nn.functional.linear(x, self.a), self.b)


class WiderVocabulary(nn.Module):
    """Input vectors of a model's own tokens, frozen, and of more tokens behind them."""

    def __init__(self, own: nn.Embedding, added: torch.Tensor) -> None:
        super().__init__()
        self.own, self.added = own, nn.Parameter(added)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """The vectors of token ids."""
        count = self.own.num_embeddings
        is_added = ids >= count
        added = nn.functional.embedding((ids - count).clamp(min=0), self.added)
        return torch.where(is_added.unsqueeze(-1), added, self.own(ids.masked_fill(is_added, 0)))


class AdaptableMiniLM:
    """MiniLM, frozen, with an adapter on every layer.

    Args:
        folder: Folder of all-MiniLM-L6-v2.
    """

    def __init__(self, folder: Path) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModel.from_pretrained(folder, local_files_only=True, dtype="float32")
        for parameter in self.model.parameters():
            parameter.requires_grad = False
        self.adapters: dict[str, Adapter] = {}
        for name, layer in list(adaptable(self.model)):
            self.adapters[name] = Adapter(layer)
            parent, _, last = name.rpartition(".")
            setattr(self.model.encoder.get_submodule(parent), last, self.adapters[name])
        self.wider: WiderVocabulary | None = None

    def add_words(self, vectors: torch.Tensor) -> nn.Parameter:
        """Let it read more tokens than its own, and train their input vectors.

        Args:
            vectors: Where these begin, shape (tokens, 384).

        Returns:
            What is trained of it.
        """
        self.wider = WiderVocabulary(self.model.get_input_embeddings(), vectors)
        self.model.set_input_embeddings(self.wider)
        return self.wider.added

    def go_on_from(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Begin with the adapters and the added words that were trained before, as `arrays` gave them."""
        with torch.no_grad():
            if self.wider:
                self.wider.added.copy_(torch.from_numpy(arrays[ADDED_WORDS].astype(np.float32)))
            for name, each in self.adapters.items():
                each.a.copy_(torch.from_numpy(arrays[f"{name}.a"].astype(np.float32)))
                each.b.copy_(torch.from_numpy(arrays[f"{name}.b"].astype(np.float32)))

    def trained(self, heads: Sequence[nn.Module]) -> list[nn.Parameter]:
        """What is trained: the adapters and these heads."""
        return [p for each in (*self.adapters.values(), *heads) for p in each.parameters() if p.requires_grad]

    def pooled(self, texts: Sequence[Sequence[int]], *, hidden: float, rng: random.Random) -> torch.Tensor:
        """Pooled vectors of tokenized texts, shape (texts, 384).

        Args:
            texts: Token ids with the first and the last token.
            hidden: Share of the tokens between them that are masked.
            rng: Chooses them.
        """
        longest = max(map(len, texts))
        ids, mask = (torch.zeros((len(texts), longest), dtype=torch.long) for _ in range(2))
        for i, (start, *words, end) in enumerate(texts):
            seen = [start, *(self.tokenizer.mask_token_id if rng.random() < hidden else word for word in words), end]
            ids[i, : len(seen)] = torch.tensor(seen)
            mask[i, : len(seen)] = 1
        return pool(self.model, ids, mask)

    def arrays(self, heads: Mapping[str, nn.Linear]) -> dict[str, np.ndarray]:
        """Adapters and heads by name in float16, as `merged_minilm` reads them."""
        found = {f"{name}.{part}": getattr(each, part) for name, each in self.adapters.items() for part in ("a", "b")}
        found |= {f"{name}.{part}": getattr(head, part) for name, head in heads.items() for part in ("weight", "bias")}
        found |= {ADDED_WORDS: self.wider.added} if self.wider else {}
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in found.items()}
