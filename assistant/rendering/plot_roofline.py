"""The roofline: operations a second over operations per byte, below what this device reached in the probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plot_style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SMALL,
    figure_text,
    kept_apart,
    quiet_axes,
    tick_text,
    tick_text_between,
)

_MIB = 2**20
_LABEL = (0.17, 0.05)
"""Width and height of a label as shares of the axes."""


@dataclass(frozen=True)
class RooflinePoint:
    """One run, or one phase of a generating run, on the roofline."""

    batch_size: int
    sequence_length: int
    phase: Literal["whole", "prefill", "decode"]
    intensity: float
    """Operations per byte that must be read."""
    gflop_per_s: float
    """Achieved rate in 10^9 operations a second."""


def roofline_points(record: Any) -> list[RooflinePoint]:
    """Points of a `Profile`; empty where the limits or the shares of them are not known."""
    rates = _rates(record)
    if rates is None:
        return []
    return [point for run in record.runs if run.error is None for point in _points(run, record, *rates)]


def has_roofline(record: Any) -> bool:
    """Whether there is a roof and a point below it."""
    return bool(roofline_points(record))


def draw_roofline(area: Any, record: Any, language: Language) -> None:
    """Draw the roof and the points, each with its batch size and length."""
    rates = _rates(record)
    if rates is None:
        return
    bandwidth, product = rates
    points = roofline_points(record)
    axis = area.subplots()
    quiet_axes(axis)
    axis.grid(visible=True, axis="x", color=PALE, linewidth=0.7)
    axis.set_xscale("log")
    axis.set_yscale("log")
    ridge = product / bandwidth
    left = min([ridge / 40, *(p.intensity / 2 for p in points)])
    right = max([ridge * 20, *(p.intensity * 8 for p in points)])
    low = min([bandwidth * left, *(p.gflop_per_s / 2 for p in points)])
    high = max([product, *(p.gflop_per_s for p in points)]) * 3
    axis.set_xlim(left, right)
    axis.set_ylim(low, high)
    axis.plot([left, ridge, right], [bandwidth * left, product, product], color=INK, linewidth=1.8)
    axis.annotate(
        say("plot.roof_product", language, rate=figure_text(product)), (right, product), ha="right", va="bottom",
        xytext=(-2, 3), textcoords="offset points", fontsize=SMALL,
    )  # fmt: skip
    axis.annotate(
        say("plot.roof_bandwidth", language, rate=figure_text(bandwidth)), (ridge, product), ha="right", va="bottom",
        xytext=(-4, 3), textcoords="offset points", fontsize=SMALL,
    )  # fmt: skip
    axis.vlines(ridge, low, product, color=GREY, linewidth=0.8, linestyle=":")
    _draw_points(axis, points, product, language)
    for scale in (axis.xaxis, axis.yaxis):
        scale.set_major_formatter(tick_text)
        scale.set_minor_formatter("")
    axis.yaxis.set_minor_formatter(tick_text_between)
    axis.tick_params(which="minor", labelsize=SMALL - 1)
    axis.set_xlabel(say("plot.intensity", language), fontsize=SMALL + 0.5)
    axis.set_ylabel(say("plot.gflop_per_s", language), fontsize=SMALL + 0.5)


def _rates(record: Any) -> tuple[float, float] | None:
    """Bandwidth in GB/s and matrix product in GFLOP/s, in the record's number format."""
    if record.limits is None:
        return None
    bandwidth = record.limits.matvec_gb_per_s.get(record.dtype)
    product = record.limits.matmul_gflop_per_s.get(record.dtype)
    return (bandwidth, product) if bandwidth and product else None


def _points(run: Any, record: Any, bandwidth: float, product: float) -> list[RooflinePoint]:
    if not run.mfu_percent or not run.mbu_percent:
        return []
    rate, read = product * run.mfu_percent / 100, bandwidth * run.mbu_percent / 100
    if run.time_to_first_token_ms is None:
        return [RooflinePoint(run.batch_size, run.sequence_length, "whole", rate / read, rate)]
    found = []
    weights_gb = next((part.mib for part in record.memory if part.kind == "weights"), 0.0) * _MIB / 1e9
    if run.gflop and weights_gb:
        # The prefill reads the weights once.
        found.append(RooflinePoint(run.batch_size, run.sequence_length, "prefill", run.gflop / weights_gb, rate))
    if run.gflop and run.inter_token_latency_ms:
        # A decode step does for one position what the prefill does for each of the prompt's.
        step = run.gflop / run.sequence_length / (run.inter_token_latency_ms / 1000)
        found.append(RooflinePoint(run.batch_size, run.sequence_length, "decode", step / read, step))
    return found


def _draw_points(axis: Any, points: list[RooflinePoint], product: float, language: Language) -> None:
    styles = {"whole": ("o", BLUE), "prefill": ("o", BLUE), "decode": ("s", ORANGE)}
    in_axes = axis.transData + axis.transAxes.inverted()
    places = [in_axes.transform((p.intensity, p.gflop_per_s)) for p in points]
    # A label on the roof would hide it.
    highest = float(in_axes.transform((1.0, product))[1]) - _LABEL[1]
    labels = kept_apart([(float(x), float(y)) for x, y in places], _LABEL, highest)
    for point, place, label in zip(points, places, labels, strict=True):
        marker, colour = styles[point.phase]
        axis.plot([point.intensity], [point.gflop_per_s], marker=marker, color=colour, linestyle="none", markersize=5)
        axis.annotate(
            f"{point.batch_size:,} × {point.sequence_length:,}", place, xycoords="axes fraction",
            xytext=label, textcoords="axes fraction", fontsize=SMALL - 0.5, va="center",
            color=colour, arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
        )  # fmt: skip
    phases = list(dict.fromkeys(point.phase for point in points))
    handles = [
        axis.plot([], [], marker=styles[phase][0], color=styles[phase][1], linestyle="none", markersize=5,
                  label=say(f"plot.phase_{phase}", language))[0]
        for phase in phases
    ]  # fmt: skip
    axis.legend(handles=handles, fontsize=SMALL - 0.5, frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
