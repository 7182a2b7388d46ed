"""Train the entry reader (`knowledge/entry_reader.py`): MiniLM's adapters and the head that names the entry."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from knowledge.entry import SECTIONS, Entry
from knowledge.entry_reader import ENTRIES, OUTSIDE, PIECES, QuestionTokens, StoredReader, stored_reader
from knowledge.fitting.adapters import AdaptableMiniLM
from knowledge.fitting.piece_learning import first_vectors, learn_pieces
from knowledge.fitting.schedule import batches, learning_rate
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import ANSWERS, read_graded, read_outside, read_wordings, shares_of

EPOCHS, PEAK_RATE = 6, 1.5e-3
EPOCHS_MORE, PEAK_RATE_MORE = 3, 5e-4
"""The same for a reader that was trained before and goes on with the wordings of today."""
WARM_UP_STEPS = 60
BATCH_TOKENS = 2400
LENGTH_SPREAD = 8
FASTER = 4.0  # the pieces' input vectors begin with less than the rest
UNGLOSSED = 0.25  # share of the Japanese texts that are read without their gloss, so that the pieces are learnt too
HIDDEN_TOKENS = 0.1  # share of tokens that are masked, which helps on unseen wordings
DROPPED = 0.15  # share of the pooled vector that the head does not see
SMOOTHING = 0.05
SENTENCE = 0.5  # weight of a sentence of an entry's own text, beside a wording
SENTENCES_READ = 0.35  # share of those sentences in an epoch
LEAST_SENTENCE, MOST_SENTENCE = 12, 300
TAUGHT = 0.5
"""Share of the target that is what the teachers say, where there are some."""


class Example(NamedTuple):
    """A text and the entry it belongs to; the number behind the last entry is what the guidance is not to answer."""

    text: str
    language: Language
    entry: int
    weight: float


def examples_of(entries: Sequence[Entry]) -> Iterator[Example]:
    """Titles, wordings and sentences of the entries, a question of several entries once, and what is out of scope."""
    wordings, known = read_wordings(), set[str]()
    for i, entry in enumerate(entries):
        for language in LANGUAGES:
            asked = (entry.title_in(language), *entry.asks_in(language), *wordings[entry.id][language])
            yield from (Example(text, language, i, 1.0) for text in asked if text not in known)
            known.update(asked)
            for section in SECTIONS:
                for sentence in re.split(r"(?<=[。.?!？！])\s*|\n", getattr(entry.text(language), section)):
                    if len(sentence.strip()) > LEAST_SENTENCE:
                        yield Example(sentence.strip()[:MOST_SENTENCE], language, i, SENTENCE)
    for language in LANGUAGES:
        yield from (Example(text, language, len(entries), 1.0) for text in read_outside(language))


def train_reader(
    entries: Sequence[Entry],
    held_out: frozenset[str],
    minilm: Path,
    file: Path,
    *,
    before: Path | None = None,
    teachers: Sequence[Path] = (),
    seed: int = 6,
) -> None:
    """Train on everything but the held-out wordings, and write adapters and head.

    Args:
        entries: The guidance.
        held_out: Wordings that are kept for fitting what comes after.
        minilm: Folder of all-MiniLM-L6-v2.
        file: Where to write.
        before: A reader that was trained before, to go on from.
        teachers: Readers that were trained before; what they say together of a text is half its target (Hinton et al.,
            arXiv 1503.02531), so that one reader learns what several are right about together.
        seed: Of the initial weights and the order.
    """
    torch.manual_seed(seed)
    examples = [each for each in examples_of(entries) if each.text not in held_out]
    taught_by = [stored_reader(teacher) for teacher in teachers]
    said = [_said_by(teacher, entries, examples, minilm) for teacher in taught_by]
    stored = stored_reader(before) if before else None
    pieces = stored.pieces if stored else learn_pieces([each.text for each in examples if each.language == "ja"])
    training = _Training(entries, examples, minilm, pieces, seed)
    rows = _rows(entries)
    if said:
        training.learn_from(said, [row for row in rows if all(row in teacher.row for teacher in taught_by)])
    if stored:
        training.go_on_from(stored)
        training.start_at_the_means([i for i, row in enumerate(rows) if row not in stored.row])
        training.run(EPOCHS_MORE, PEAK_RATE_MORE)
    else:
        training.start_at_the_means(range(len(rows)))
        training.run(EPOCHS, PEAK_RATE)
    file.parent.mkdir(exist_ok=True)
    save_file(training.arrays(), file, metadata={ENTRIES: " ".join(rows), PIECES: pieces})


class _Training:
    def __init__(
        self, entries: Sequence[Entry], examples: Sequence[Example], minilm: Path, pieces: str, seed: int
    ) -> None:
        self._rng = random.Random(seed)
        self._minilm = AdaptableMiniLM(minilm)
        self._rows = _rows(entries)
        self._head = nn.Linear(self._minilm.model.config.hidden_size, len(self._rows))
        self._examples = list(examples)
        tokens = QuestionTokens(self._minilm.tokenizer, pieces)
        self._ids = [tokens.ids(each.text, each.language) for each in examples]
        self._unglossed = [tokens.ids(each.text, each.language, gloss=False) for each in examples]
        self._targets = _targets(entries, examples)
        own_words = self._minilm.model.get_input_embeddings().weight
        self._words = self._minilm.add_words(first_vectors(pieces, self._minilm.tokenizer, own_words))
        self._trained = self._minilm.trained([self._head])

    def go_on_from(self, stored: StoredReader) -> None:
        """Take what a reader learnt, for the rows that it knows."""
        self._minilm.go_on_from(stored.arrays)
        known = [(i, stored.row[entry]) for i, entry in enumerate(self._rows) if entry in stored.row]
        own, before = (list(each) for each in zip(*known, strict=True))
        with torch.no_grad():
            for name, parameter in self._head.named_parameters():
                parameter[own] = torch.from_numpy(stored.arrays[f"head.{name}"][before].astype(np.float32))

    def run(self, epochs: int, peak_rate: float) -> None:
        groups = [
            {"params": self._trained, "faster": 1.0, "weight_decay": 0.02},
            {"params": [self._words], "faster": FASTER, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=peak_rate)
        self._minilm.model.train()
        started, step, total = time.monotonic(), 0, len(self._batches()) * epochs
        for epoch in range(epochs):
            losses: list[float] = []
            for batch in self._batches():
                rate = learning_rate(peak_rate, step, WARM_UP_STEPS, min(1.0, step / total))
                for options in optimizer.param_groups:
                    options["lr"] = rate * options["faster"]
                loss = self._loss(batch)
                loss.backward()
                nn.utils.clip_grad_norm_([*self._trained, self._words], 1.0)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                step, losses = step + 1, [*losses, float(loss.detach())]
            minutes = (time.monotonic() - started) / 60
            print(f"  {minutes:5.1f} min  entry reader, epoch {epoch}: loss {np.mean(losses):.3f}", file=sys.stderr)  # noqa: T201 (the training's progress)

    def arrays(self) -> dict[str, np.ndarray]:
        return self._minilm.arrays({"head": self._head})

    def learn_from(self, said: Sequence[torch.Tensor], known: Sequence[str]) -> None:
        """Let half of each target be what the teachers say together; of a row that one does not know, the label alone tells.

        Args:
            said: Log-probabilities of the examples by teacher, each of shape (examples, rows).
            known: The rows that all teachers know.
        """
        rows = [self._rows.index(row) for row in known]
        share = TAUGHT * self._targets[:, rows].sum(-1, keepdim=True)
        together = torch.zeros_like(self._targets)
        together[:, rows] = torch.stack([each[:, rows] for each in said]).mean(0).softmax(-1)
        self._targets = (1 - share) * self._targets + share * together

    def read(self) -> torch.Tensor:
        """Log-probabilities of all examples, shape (examples, rows)."""
        found = torch.zeros_like(self._targets)
        self._minilm.model.eval()
        with torch.no_grad(), _faster_numbers():
            for rows in batches(range(len(self._ids)), self._length, tokens=BATCH_TOKENS, spread=0, rng=self._rng):
                pooled = self._minilm.pooled([self._ids[row] for row in rows], hidden=0.0, rng=self._rng)
                found[rows] = self._head(pooled).float().log_softmax(-1)
        return found

    def start_at_the_means(self, own: Sequence[int]) -> None:
        """Rows of the head begin where the model looks so far: at the mean vector of each entry's English wordings."""
        if not own:
            return
        sums = torch.zeros_like(self._head.weight)
        self._minilm.model.eval()
        wanted = set(own)
        rows = [
            i
            for i, each in enumerate(self._examples)
            if each.language == "en" and each.weight == 1.0 and each.entry in wanted
        ]
        with torch.no_grad(), _faster_numbers():
            for start in range(0, len(rows), 64):
                part = rows[start : start + 64]
                read = self._minilm.pooled([self._ids[row] for row in part], hidden=0.0, rng=self._rng)
                pooled = nn.functional.normalize(read.float(), dim=-1)
                sums.index_add_(0, torch.tensor([self._examples[i].entry for i in part]), pooled)
            self._head.weight[list(own)] = 3.0 * nn.functional.normalize(sums[list(own)], dim=-1)
            self._head.bias[list(own)] = 0.0

    def _batches(self) -> list[list[int]]:
        rows = [i for i, e in enumerate(self._examples) if e.weight == 1.0 or self._rng.random() < SENTENCES_READ]
        return batches(rows, self._length, tokens=BATCH_TOKENS, spread=LENGTH_SPREAD, rng=self._rng)

    def _length(self, row: int) -> int:
        return len(self._ids[row])

    def _seen(self, row: int) -> list[int]:
        return self._unglossed[row] if self._rng.random() < UNGLOSSED else self._ids[row]

    def _loss(self, rows: Sequence[int]) -> torch.Tensor:
        with _faster_numbers():
            read = self._minilm.pooled([self._seen(row) for row in rows], hidden=HIDDEN_TOKENS, rng=self._rng)
        pooled = nn.functional.dropout(read.float(), DROPPED)
        scores = self._head(pooled).log_softmax(-1)
        target = self._targets[rows] * (1 - SMOOTHING) + SMOOTHING / scores.shape[-1]
        weight = torch.tensor([self._examples[row].weight for row in rows])
        return (-(target * scores).sum(-1) * weight).mean()


def _faster_numbers() -> torch.autocast:
    """Matrix products in bfloat16, which takes two thirds of the time where the processor knows it, and changes no loss."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


def _said_by(
    teacher: StoredReader, entries: Sequence[Entry], examples: Sequence[Example], minilm: Path
) -> torch.Tensor:
    """A reader's log-probabilities of all examples, shape (examples, rows)."""
    training = _Training(entries, examples, minilm, teacher.pieces, seed=0)
    training.go_on_from(teacher)
    return training.read()


def _rows(entries: Sequence[Entry]) -> list[str]:
    """Names of the head's rows."""
    return [*(entry.id for entry in entries), OUTSIDE]


def _targets(entries: Sequence[Entry], examples: Sequence[Example]) -> torch.Tensor:
    """Shape (examples, rows): one entry each, or all that help where that was graded."""
    ids = _rows(entries)
    graded = {language: read_graded(language) for language in LANGUAGES}
    rows = [shares_of(graded[each.language].get(each.text) or {ids[each.entry]: ANSWERS}, ids) for each in examples]
    return torch.tensor(np.stack(rows), dtype=torch.float32)
