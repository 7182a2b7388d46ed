"""What the plots share: colours that colour-blind readers tell apart, figures as text, and labels that keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.rendering.style import code

BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY)
INK, GREY, PALE = "#1d2733", "#66727f", "#d5dce3"
SMALL = 8.5
"""Size of labels within a panel, in points."""
_LABEL_DISTANCE = 0.025


def figure_text(value: float) -> str:
    """A figure with about three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def written(text: str, limit: int = 60) -> str:
    """A name or message that others wrote, as one line; to be drawn with `parse_math=False`."""
    return code(text, limit)


BACKED = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
"""Background of a label that lies over lines."""


def quiet_axes(axis: Any) -> None:
    """Light frame and grid, so that the data stands out."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(visible=True, axis="y", color=PALE, linewidth=0.7)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=SMALL)


def tick_text(value: float, _place: int | None = None) -> str:
    """A tick's figure: no digits that say nothing."""
    return f"{value:,.6g}"


def tick_text_between(value: float, _place: int | None = None) -> str:
    """A figure at 2 and 5 of each decade of a logarithmic axis, which has no other one between the powers of ten."""
    return tick_text(value) if f"{value:e}"[0] in "25" else ""


def kept_apart(
    points: Sequence[tuple[float, float]], size: tuple[float, float], highest: float = 1.0
) -> list[tuple[float, float]]:
    """Where labels go that stand right of their points: further down where one would cover a point or another label.

    Args:
        points: Points as shares of the axes.
        size: Width and height of a label as shares of the axes.
        highest: No label is above this height.

    Returns:
        The left middle of each label, in the order of the points.
    """
    width, height = size
    placed: dict[int, tuple[float, float]] = {}
    for i in sorted(range(len(points)), key=lambda i: (-points[i][1], points[i][0])):
        x = min(points[i][0] + _LABEL_DISTANCE, 1 - width)
        y = min(points[i][1], highest)
        while any(x - width < left < x + width and abs(y - middle) < height for left, middle in placed.values()) or any(
            x <= px <= x + width and abs(y - py) < height / 2 for px, py in points
        ):
            y -= height / 4
        placed[i] = (x, y)
    return [placed[i] for i in range(len(points))]
