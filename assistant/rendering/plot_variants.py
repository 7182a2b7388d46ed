"""Variants: how much faster each setting is, beside how far its answers agree with float32."""

from __future__ import annotations

from typing import Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plot_style import BACKED, GREEN, GREY, INK, ORANGE, PALE, SMALL, quiet_axes, written
from assistant.rendering.profile_tables import agreement
from assistant.translation import translate


def has_variants(record: Any) -> bool:
    """Whether any setting was tried."""
    return bool(record.variants)


def draw_variants(area: Any, record: Any, language: Language) -> None:
    """Draw a bar a setting with its interval; the text beside it says how far the answers agree, or why it failed."""
    axis = area.subplots()
    quiet_axes(axis)
    axis.grid(visible=True, axis="x", color=PALE, linewidth=0.7)
    axis.grid(visible=False, axis="y")
    reach = max([1.0, *(v.speedup_high or v.speedup or 0.0 for v in record.variants)])
    for height, variant in enumerate(record.variants):
        _bar(axis, height, variant)
        words = agreement(variant, language)
        if variant.error is not None:
            words = written(translate(variant.error, language), 64)
        axis.annotate(
            words, (0, height + 0.27), ha="left", va="top", xytext=(3, 0), textcoords="offset points",
            fontsize=SMALL - 0.5, color=GREY, bbox=BACKED, parse_math=False,
        )  # fmt: skip
    axis.axvline(1.0, color=INK, linewidth=1.2, zorder=1.5)
    names = [f"{written(v.setting, 28)}\n{v.batch_size:,} × {v.sequence_length:,}" for v in record.variants]
    axis.set_yticks(range(len(names)), names, parse_math=False)
    axis.set_ylim(len(names) - 0.35, -0.6)
    axis.set_xlim(0, reach * 1.25)
    axis.set_xlabel(say("plot.speedup", language), fontsize=SMALL + 0.5)


def _bar(axis: Any, height: int, variant: Any) -> None:
    if variant.speedup is None:
        return
    low, high = variant.speedup_low, variant.speedup_high
    # Green only where the whole interval is on the faster side: an interval across 1 shows no difference.
    colour = GREEN if (low or variant.speedup) > 1 else ORANGE if (high or variant.speedup) < 1 else GREY
    axis.barh(height, variant.speedup, height=0.42, color=colour, alpha=0.85)
    end = variant.speedup
    if low is not None and high is not None:
        axis.hlines(height, low, high, color=INK, linewidth=1.6)
        axis.plot([low, high], [height, height], marker="|", markersize=7, color=INK, linestyle="none")
        end = high
    axis.annotate(
        f"×{variant.speedup:.2f}", (end, height), ha="left", va="center", xytext=(6, 0), textcoords="offset points",
        fontsize=SMALL, color=INK,
    )  # fmt: skip
