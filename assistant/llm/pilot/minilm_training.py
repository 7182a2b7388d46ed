"""Train MiniLM's adapters and heads (`assistant/llm/adapted_minilm.py`) on masked utterances."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from assistant.llm.adapted_minilm import FILE, SECOND, token_ids
from assistant.llm.example_utterances import ROUTES
from assistant.llm.pilot.corpus import MaskedUtterance, joined_utterances
from assistant.llm.route_views import minilm_folder
from knowledge.fitting.adapters import AdaptableMiniLM
from knowledge.fitting.schedule import batches, learning_rate

PEAK_RATE = 2e-3
WARM_UP_STEPS = 50
BATCH_TOKENS = 2048
LENGTH_SPREAD = 6
HIDDEN_TOKENS = 0.1  # share of tokens that are masked, which helps on unseen wordings
SECOND_WEIGHT = 0.3  # of the second head's loss


class Row(NamedTuple):
    """An utterance as numbers."""

    ids: list[int]
    first: int
    second: int


def train_adapters(utterances: Sequence[MaskedUtterance], folder: Path, *, epochs: int, rng: random.Random) -> float:
    """Train on these utterances and write the adapters to `folder`; returns the last epoch's mean loss."""
    minilm = AdaptableMiniLM(minilm_folder())
    heads = {"first": nn.Linear(minilm.model.config.hidden_size, len(ROUTES)), "second": nn.Linear(384, len(SECOND))}
    trained = minilm.trained(list(heads.values()))
    optimizer = torch.optim.AdamW(trained, lr=PEAK_RATE, weight_decay=0.01)
    minilm.model.train()

    own = [_row(minilm.tokenizer, each) for each in utterances]
    mean, step, started, total = math.nan, 0, time.monotonic(), 0
    for epoch in range(epochs):
        joined = joined_utterances(utterances, len(utterances) // 6, rng)
        rows = [*own, *(_row(minilm.tokenizer, each) for each in joined)]
        groups = batches(rows, lambda row: len(row.ids), tokens=BATCH_TOKENS, spread=LENGTH_SPREAD, rng=rng)
        total, losses = total or len(groups) * epochs, []
        for group in groups:
            share = min(1.0, step / total)
            for options in optimizer.param_groups:
                options["lr"] = learning_rate(PEAK_RATE, step, WARM_UP_STEPS, share)
            loss = _loss(minilm, heads, group, rng)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, losses = step + 1, [*losses, float(loss.detach())]
        mean = float(np.mean(losses))
        print(f"  {(time.monotonic() - started) / 60:5.1f} min  MiniLM epoch {epoch}  loss {mean:.3f}", file=sys.stderr)  # noqa: T201 (the training's progress)

    save_file(minilm.arrays(heads), folder / FILE)
    return round(mean, 4)


def _row(tokenizer: object, utterance: MaskedUtterance) -> Row:
    first, second = (*utterance.routes, "none")[:2]
    return Row(token_ids(tokenizer, utterance.text, utterance.after), ROUTES.index(first), SECOND.index(second))


def _loss(minilm: AdaptableMiniLM, heads: dict[str, nn.Linear], group: list[Row], rng: random.Random) -> torch.Tensor:
    pooled = minilm.pooled([row.ids for row in group], hidden=HIDDEN_TOKENS, rng=rng)
    first, second = torch.tensor([row.first for row in group]), torch.tensor([row.second for row in group])
    loss = nn.functional.cross_entropy(heads["first"](pooled), first, label_smoothing=0.05)
    return loss + SECOND_WEIGHT * nn.functional.cross_entropy(heads["second"](pooled), second, label_smoothing=0.05)
