"""Train the entry reader (`knowledge/entry_reader.py`): MiniLM's adapters and the head that names the entry."""

from __future__ import annotations

import math
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from transformers import AutoModel, AutoTokenizer

from knowledge.entry import SECTIONS, Entry
from knowledge.entry_reader import ENTRIES, token_ids
from knowledge.low_rank import SCALE, adaptable, pool
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import ANSWERS, read_graded, read_wordings

RANK = 16
EPOCHS = 6
PEAK_RATE = 1.5e-3
WARM_UP_STEPS = 60
BATCH_TOKENS = 2400
LENGTH_SPREAD = 8
HIDDEN_TOKENS = 0.1  # share of tokens that are masked, which helps on unseen wordings
DROPPED = 0.15  # share of the pooled vector that the head does not see
SMOOTHING = 0.05
SIDE = 0.25  # weight of an entry that helps with a side of a question, beside one that answers it
SENTENCE = 0.5  # weight of a sentence of an entry's own text, beside a wording
SENTENCES_READ = 0.35  # share of those sentences in an epoch
LEAST_SENTENCE, MOST_SENTENCE = 12, 300


class Example(NamedTuple):
    """A text and the entry it belongs to."""

    text: str
    language: Language
    entry: int
    weight: float


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


def examples_of(entries: Sequence[Entry]) -> Iterator[Example]:
    """Titles, wordings and sentences of the entries."""
    wordings = read_wordings()
    for i, entry in enumerate(entries):
        for language in LANGUAGES:
            asked = (entry.title_in(language), *entry.asks_in(language), *wordings[entry.id][language])
            yield from (Example(text, language, i, 1.0) for text in asked)
            for section in SECTIONS:
                for sentence in re.split(r"(?<=[。.?!？！])\s*|\n", getattr(entry.text(language), section)):
                    if len(sentence.strip()) > LEAST_SENTENCE:
                        yield Example(sentence.strip()[:MOST_SENTENCE], language, i, SENTENCE)


def train_reader(
    entries: Sequence[Entry], held_out: frozenset[str], minilm: Path, file: Path, *, seed: int = 3, epochs: int = EPOCHS
) -> None:
    """Train on everything but the held-out wordings, and write adapters and head.

    Args:
        entries: The guidance.
        held_out: Wordings that are kept for fitting what comes after.
        minilm: Folder of all-MiniLM-L6-v2.
        file: Where to write.
        seed: Of the initial weights and the order.
        epochs: Passes over the wordings.
    """
    torch.manual_seed(seed)
    training = _Training(entries, [e for e in examples_of(entries) if e.text not in held_out], minilm, seed)
    training.run(epochs)
    file.parent.mkdir(exist_ok=True)
    save_file(training.arrays(), file, metadata={ENTRIES: " ".join(entry.id for entry in entries)})


class _Training:
    def __init__(self, entries: Sequence[Entry], examples: Sequence[Example], minilm: Path, seed: int) -> None:
        self._rng = random.Random(seed)
        self._tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(minilm, local_files_only=True, dtype="float32")
        for parameter in self._model.parameters():
            parameter.requires_grad = False
        self._adapters = {name: Adapter(layer) for name, layer in list(adaptable(self._model))}
        for name, adapter in self._adapters.items():
            parent, _, last = name.rpartition(".")
            setattr(self._model.encoder.get_submodule(parent), last, adapter)
        self._head = nn.Linear(self._model.config.hidden_size, len(entries))
        self._examples = list(examples)
        self._ids = [token_ids(self._tokenizer, each.text, each.language) for each in examples]
        self._targets = _targets(entries, examples)
        self._start_at_the_means()
        self._trained = [p for m in (*self._adapters.values(), self._head) for p in m.parameters() if p.requires_grad]

    def run(self, epochs: int) -> None:
        optimizer = torch.optim.AdamW(self._trained, lr=PEAK_RATE, weight_decay=0.02)
        self._model.train()
        started, step, total = time.monotonic(), 0, len(self._batches()) * epochs
        for epoch in range(epochs):
            losses: list[float] = []
            for batch in self._batches():
                rate = PEAK_RATE * min(1.0, step / WARM_UP_STEPS)
                rate *= max(0.02, 0.5 * (1 + math.cos(math.pi * step / total)))
                for options in optimizer.param_groups:
                    options["lr"] = rate
                loss = self._loss(batch)
                loss.backward()
                nn.utils.clip_grad_norm_(self._trained, 1.0)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                step, losses = step + 1, [*losses, float(loss.detach())]
            minutes = (time.monotonic() - started) / 60
            print(f"  {minutes:5.1f} min  entry reader, epoch {epoch}: loss {np.mean(losses):.3f}", file=sys.stderr)  # noqa: T201 (the training's progress)

    def arrays(self) -> dict[str, np.ndarray]:
        found = {f"{name}.{part}": getattr(each, part) for name, each in self._adapters.items() for part in ("a", "b")}
        found |= {"head.weight": self._head.weight, "head.bias": self._head.bias}
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in found.items()}

    def _start_at_the_means(self) -> None:
        """The head begins where the untrained model would look: at the mean vector of each entry's English wordings."""
        sums = torch.zeros_like(self._head.weight)
        self._model.eval()
        rows = [i for i, each in enumerate(self._examples) if each.language == "en" and each.weight == 1.0]
        with torch.no_grad():
            for start in range(0, len(rows), 64):
                part = rows[start : start + 64]
                pooled = nn.functional.normalize(self._pooled(part, hidden=0.0), dim=-1)
                sums.index_add_(0, torch.tensor([self._examples[i].entry for i in part]), pooled)
            self._head.weight.copy_(3.0 * nn.functional.normalize(sums, dim=-1))
            self._head.bias.zero_()

    def _batches(self) -> list[list[int]]:
        rows = [i for i, e in enumerate(self._examples) if e.weight == 1.0 or self._rng.random() < SENTENCES_READ]
        rows.sort(key=lambda i: len(self._ids[i]) + self._rng.random() * LENGTH_SPREAD)
        found: list[list[int]] = [[]]
        for row in rows:
            if len(found[-1]) * len(self._ids[row]) >= BATCH_TOKENS:
                found.append([])
            found[-1].append(row)
        self._rng.shuffle(found)
        return found

    def _pooled(self, rows: Sequence[int], hidden: float) -> torch.Tensor:
        longest = max(len(self._ids[row]) for row in rows)
        ids, mask = (torch.zeros((len(rows), longest), dtype=torch.long) for _ in range(2))
        for i, row in enumerate(rows):
            start, *words, end = self._ids[row]
            seen = [start, *(self._tokenizer.mask_token_id if self._rng.random() < hidden else w for w in words), end]
            ids[i, : len(seen)] = torch.tensor(seen)
            mask[i, : len(seen)] = 1
        return pool(self._model, ids, mask)

    def _loss(self, rows: Sequence[int]) -> torch.Tensor:
        pooled = nn.functional.dropout(self._pooled(rows, HIDDEN_TOKENS), DROPPED)
        scores = self._head(pooled).log_softmax(-1)
        target = self._targets[rows] * (1 - SMOOTHING) + SMOOTHING / scores.shape[-1]
        weight = torch.tensor([self._examples[row].weight for row in rows])
        return (-(target * scores).sum(-1) * weight).mean()


def _targets(entries: Sequence[Entry], examples: Sequence[Example]) -> torch.Tensor:
    """Shape (examples, entries): one entry each, or all that help where that was graded."""
    position = {entry.id: i for i, entry in enumerate(entries)}
    graded = {language: read_graded(language) for language in LANGUAGES}
    targets = torch.zeros((len(examples), len(entries)))
    for row, example in enumerate(examples):
        helping = graded[example.language].get(example.text) or {entries[example.entry].id: ANSWERS}
        for entry, grade in helping.items():
            targets[row, position[entry]] = 1.0 if grade == ANSWERS else SIDE
    return targets / targets.sum(-1, keepdim=True)
