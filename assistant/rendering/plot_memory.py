"""Memory stacked by what it is held for, against the forecast and the memory that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plot_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    SMALL,
    YELLOW,
    quiet_axes,
    tick_text,
)
from assistant.rendering.style import size

_COLOURS = {
    "runtime": GREY,
    "weights": BLUE,
    "kv_cache": GREEN,
    "activations": YELLOW,
    "load_peak": ORANGE,
    "reserved": SKY,
    "context": PURPLE,
}
_RUNNING = ("runtime", "weights", "kv_cache", "activations", "reserved", "context")
_LOADING = ("runtime", "weights", "load_peak", "context")
_FARTHEST = 3.0
"""Memory that is there is drawn as a line up to this multiple of the peak; farther away it is told in words."""


def has_memory(record: Any) -> bool:
    """Whether a peak was measured."""
    return bool(record.peak_memory_mib)


def draw_memory(area: Any, record: Any, language: Language, device_mib: float | None) -> None:
    """Draw a bar for running and one for loading, with the forecast as a mark on the first."""
    axis = area.subplots()
    quiet_axes(axis)
    axis.grid(visible=True, axis="x", color=PALE, linewidth=0.7)
    axis.grid(visible=False, axis="y")
    bars = _bars(record, language)
    for height, (_, parts) in enumerate(bars):
        _stack(axis, height, parts)
    axis.set_yticks(range(len(bars)), [name for name, _ in bars])
    axis.set_ylim(max(2, len(bars)) - 0.35, -0.8)
    longest = max([record.peak_memory_mib, *(sum(mib for _, mib in parts) for _, parts in bars)])
    forecast = record.forecast_total_mib
    if forecast:
        label = say("plot.forecast", language, size=size(forecast))
        axis.plot([forecast], [-0.36], marker="v", color=INK, markersize=7, linestyle="none", clip_on=False)
        axis.vlines(forecast, -0.3, 0.25, color=INK, linewidth=1)
        near_end = forecast > 0.6 * max(longest, forecast)
        axis.annotate(
            label, (forecast, -0.42), xytext=(0, 4), textcoords="offset points", fontsize=SMALL, va="bottom",
            ha="right" if near_end else "left",
        )  # fmt: skip
    right = max(longest, forecast or 0.0)
    if device_mib:
        right = _limit(axis, record.peak_memory_mib, device_mib, right, language)
    axis.set_xlim(0, right * 1.06)
    axis.xaxis.set_major_formatter(tick_text)
    axis.set_xlabel(say("plot.memory_mib", language), fontsize=SMALL + 0.5)
    _legend(axis, bars, language)


def _bars(record: Any, language: Language) -> list[tuple[str, list[tuple[str, float]]]]:
    """Rows with their parts in MiB; a record without parts has its peak alone."""
    held = {part.kind: part.mib for part in record.memory}
    if record.device_kind == "cuda":
        # The libraries' own memory is in the host there, the bars are the device's.
        held.pop("runtime", None)
        allocated = sum(held.get(kind, 0.0) for kind in ("weights", "kv_cache", "activations"))
        if held.get("reserved", 0.0) >= allocated:
            # What the allocator reserved holds what it gave out; stacked is what it keeps beside that.
            held["reserved"] -= allocated
    running = [(kind, held[kind]) for kind in _RUNNING if held.get(kind)]
    if not running:
        return [(say("plot.running", language), [("peak", record.peak_memory_mib)])]
    bars = [(say("plot.running", language), running)]
    if held.get("load_peak"):
        bars.append((say("plot.loading", language), [(kind, held[kind]) for kind in _LOADING if held.get(kind)]))
    return bars


def _stack(axis: Any, height: int, parts: Sequence[tuple[str, float]]) -> None:
    left = 0.0
    for kind, mib in parts:
        axis.barh(height, mib, left=left, height=0.5, color=_COLOURS.get(kind, BLUE), edgecolor="white")
        left += mib
    axis.annotate(
        size(left), (left, height + 0.25), ha="right", va="top", xytext=(0, -2), textcoords="offset points",
        fontsize=SMALL, color=INK, fontweight="bold",
    )  # fmt: skip


def _limit(axis: Any, peak: float, device_mib: float, right: float, language: Language) -> float:
    """Draw or tell the memory that is there; returns how far the axis must reach."""
    label = say("plot.device", language, size=size(device_mib), percent=f"{100 * peak / device_mib:.0f}")
    if device_mib <= _FARTHEST * right:
        axis.axvline(device_mib, color=ORANGE, linewidth=1.4, linestyle="--")
        right = max(right, device_mib)
    axis.annotate(
        label, (1.0, 0.02), xycoords="axes fraction", ha="right", va="bottom", fontsize=SMALL, color=ORANGE,
        xytext=(-6, 0), textcoords="offset points",
    )  # fmt: skip
    return right


def _legend(axis: Any, bars: list[tuple[str, list[tuple[str, float]]]], language: Language) -> None:
    sizes: dict[str, float] = {}
    for _, parts in bars:
        sizes |= dict(parts)
    sizes.pop("peak", None)
    handles = [
        axis.barh([0], [0], color=_COLOURS[kind], label=f"{say(f'memory_kind.{kind}', language)} {mib:,.0f}")
        for kind, mib in sizes.items()
    ]
    if handles:
        axis.legend(
            handles=handles, fontsize=SMALL - 0.5, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0)
        )
