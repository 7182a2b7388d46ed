"""Latency and throughput over the batch size, or over the input length where that is what varies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plot_style import (
    BACKED,
    GREY,
    INK,
    SERIES,
    SMALL,
    figure_text,
    quiet_axes,
    tick_text,
    tick_text_between,
)
from assistant.translation import translate

_MOST_FIGURES = 10
_WIDE = 8


@dataclass(frozen=True)
class _Curve:
    """One quantity of a run: its median, and what is drawn around it."""

    label: str
    median: str
    """Field of the run."""
    interval: tuple[str, str] | None = None
    """Fields of the median's interval."""
    slow: str | None = None
    """Field of the 95th percentile."""


def has_speed(record: Any) -> bool:
    """Whether any run has a time."""
    return any(_timed(run) for run in record.runs)


def draw_speed(area: Any, record: Any, language: Language) -> None:
    """Draw one axis a quantity, one line a series."""
    runs = [run for run in record.runs if run.error is not None or _timed(run)]
    over, within = _over(runs)
    places = sorted({over(run) for run in runs})
    groups = sorted({within(run) for run in runs})
    curves = _curves(record, language)
    axes = area.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axis, curve in zip(axes, curves, strict=True):
        quiet_axes(axis)
        few = len(groups) == 1 and len(runs) <= _MOST_FIGURES
        for group, colour in zip(groups, _colours(len(groups)), strict=True):
            series = [run for run in runs if within(run) == group]
            _draw_curve(axis, curve, [(places.index(over(run)), run) for run in series], colour, few=few)
        axis.set_ylabel(curve.label, fontsize=SMALL + 0.5)
        _scale(axis, [value for run in runs if (value := getattr(run, curve.median)) is not None])
    _mark_failures(axes[0], {places.index(over(run)) for run in runs if run.error is not None})
    by_batch = over is _batch
    axes[-1].set_xticks(range(len(places)), [f"{place:,}" for place in places])
    axes[-1].set_xlim(-0.5, len(places) - 0.5)
    axes[-1].set_xlabel(say("plot.batch" if by_batch else "plot.length", language), fontsize=SMALL + 0.5)
    _legend(axes[0], curves, runs, groups, language, by_batch=by_batch)


def _batch(run: Any) -> int:
    return run.batch_size


def _length(run: Any) -> int:
    return run.sequence_length


def _over(runs: list[Any]) -> tuple[Callable[[Any], int], Callable[[Any], int]]:
    """What goes along the axis and what makes the series: batches, unless there is one only and several lengths."""
    by_length = len({_batch(run) for run in runs}) == 1 < len({_length(run) for run in runs})
    return (_length, _batch) if by_length else (_batch, _length)


def _timed(run: Any) -> bool:
    return run.error is None and (run.latency_p50_ms is not None or run.throughput_per_s is not None)


def _curves(record: Any, language: Language) -> list[_Curve]:
    if any(run.time_to_first_token_ms is not None for run in record.runs):
        return [
            _Curve(say("plot.first_token_ms", language), "time_to_first_token_ms"),
            _Curve(
                say("plot.between_tokens_ms", language), "inter_token_latency_ms", slow="inter_token_latency_p95_ms"
            ),
            _Curve(say("plot.tokens_per_s", language), "tokens_per_s"),
        ]
    unit = translate(record.runs[0].unit, language)
    interval = ("latency_p50_low_ms", "latency_p50_high_ms")
    return [
        _Curve(say("plot.latency_ms", language), "latency_p50_ms", interval, "latency_p95_ms"),
        _Curve(say("plot.throughput", language, unit=unit), "throughput_per_s"),
    ]


def _colours(count: int) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(count)]


def _draw_curve(axis: Any, curve: _Curve, placed: list[tuple[int, Any]], colour: str, *, few: bool) -> None:
    points = sorted((x, run) for x, run in placed if getattr(run, curve.median) is not None) if placed else []
    xs, medians = [x for x, _ in points], [getattr(run, curve.median) for _, run in points]
    axis.plot(xs, medians, color=colour, marker="o", markersize=4, linewidth=1.4)
    for x, run in points:
        low, high = (getattr(run, name) for name in curve.interval) if curve.interval else (None, None)
        if low is not None and high is not None:
            axis.vlines(x, low, high, color=colour, linewidth=5, alpha=0.35)
    slow = [(x, value) for x, run in points if curve.slow and (value := getattr(run, curve.slow)) is not None]
    axis.plot([x for x, _ in slow], [y for _, y in slow], color=colour, marker="_", markersize=10, linestyle="none")
    top = dict(slow)
    for x, value in zip(xs, medians, strict=True) if few else ():
        axis.annotate(
            figure_text(value), (x, max(value, top.get(x, value))), ha="center", va="bottom", xytext=(0, 6), textcoords="offset points",
            fontsize=SMALL, color=INK, bbox=BACKED,
        )  # fmt: skip


def _scale(axis: Any, values: list[float]) -> None:
    """Logarithmic where the values differ so much that the small ones would lie on the axis."""
    if values and min(values) > 0 and max(values) / min(values) > _WIDE:
        axis.set_yscale("log")
        axis.yaxis.set_minor_formatter(tick_text_between)
        axis.tick_params(which="minor", labelsize=SMALL - 1)
        low, high = axis.get_ylim()
        axis.set_ylim(low / 1.2, high * 1.8)
    elif values:
        axis.set_ylim(0, max(axis.get_ylim()[1], max(values) * 1.25))
    axis.yaxis.set_major_formatter(tick_text)


def _mark_failures(axis: Any, places: set[int]) -> None:
    axis.plot(
        sorted(places), [0.07] * len(places), transform=axis.get_xaxis_transform(), color=GREY, marker="x",
        markersize=6, linestyle="none",
    )  # fmt: skip


def _legend(
    axis: Any, curves: list[_Curve], runs: list[Any], groups: list[int], language: Language, *, by_batch: bool
) -> None:
    """Above the panel: what the marks are, and which colour is which series where there are several."""
    entries = [(say("plot.median", language), {"marker": "o", "markersize": 4, "color": GREY})]
    if _any(runs, *(curve.interval[0] for curve in curves if curve.interval)):
        entries.append((say("plot.interval", language), {"linewidth": 5, "alpha": 0.35, "color": GREY}))
    if _any(runs, *(curve.slow for curve in curves if curve.slow)):
        entries.append(("p95", {"marker": "_", "markersize": 10, "linestyle": "none", "color": GREY}))
    if any(run.error is not None for run in runs):
        entries.append((say("plot.did_not_run", language), {"marker": "x", "linestyle": "none", "color": GREY}))
    if len(groups) > 1:
        key = "plot.of_length" if by_batch else "plot.of_batch"
        entries += [
            (say(key, language, value=group), {"color": colour})
            for group, colour in zip(groups, _colours(len(groups)), strict=True)
        ]
    handles = [axis.plot([], [], label=label, **style)[0] for label, style in entries]
    axis.legend(
        handles=handles, fontsize=SMALL - 0.5, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0)
    )


def _any(runs: list[Any], *fields: str) -> bool:
    return any(getattr(run, field) is not None for run in runs for field in fields)
