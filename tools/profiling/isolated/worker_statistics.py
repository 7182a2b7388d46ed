"""Quantiles and bootstrap intervals of repeated timings."""

from __future__ import annotations

import math
import statistics

import torch

_RESAMPLES = 1000
_SEED = 20_250_101


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie, between two of them in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def median_interval(values: list[float]) -> tuple[float, float]:
    """The 95 % percentile-bootstrap interval of the median (Efron and Tibshirani 1993, chapter 13), 1000 resamples.

    Args:
        values: Independent values, at least one.

    Returns:
        Its lower and its upper end.
    """
    generator = torch.Generator().manual_seed(_SEED)
    sample = torch.tensor(values, dtype=torch.float64)
    places = torch.randint(len(values), (_RESAMPLES, len(values)), generator=generator)
    medians = sample[places].quantile(0.5, dim=1)
    low, high = medians.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def is_tight(values: list[float], half_width: float) -> bool:
    """Whether the median's interval is at most `half_width` of the median to either side."""
    low, high = median_interval(values)
    middle = statistics.median(values)
    return max(high - middle, middle - low) <= half_width * middle
