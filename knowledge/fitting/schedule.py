"""What the trainings share: batches of similar length, and the learning rate of a step."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Row = TypeVar("Row")


def batches(
    rows: Sequence[Row], length: Callable[[Row], int], *, tokens: int, spread: int, rng: random.Random
) -> list[list[Row]]:
    """Rows grouped by similar length, in random order.

    Args:
        rows: What is grouped.
        length: A row's length in tokens.
        tokens: About how many tokens a batch has, padding included.
        spread: Rows whose lengths differ by less than this may change places, in tokens.
        rng: Source of randomness.
    """
    groups: list[list[Row]] = [[]]
    for row in sorted(rows, key=lambda r: length(r) + rng.random() * spread):
        if groups[-1] and (len(groups[-1]) + 1) * length(row) > tokens:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    return groups


def learning_rate(peak: float, step: int, warm_up_steps: int, done: float) -> float:
    """Linear warm-up, then a cosine from `peak` down to a fiftieth of it.

    Args:
        peak: The highest rate.
        step: Steps taken so far.
        warm_up_steps: Steps until the peak.
        done: Share of the training that is done, 0 to 1.
    """
    return peak * min(1.0, (step + 1) / warm_up_steps) * (0.5 * (1 + math.cos(math.pi * done)) * 0.98 + 0.02)
