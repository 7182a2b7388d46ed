"""Plots of a profile: latency and throughput over the batch size, and memory against the forecast."""

from __future__ import annotations

import io
from typing import Any

from assistant.languages import Language
from assistant.rendering.style import code

_BLUE, _ORANGE, _GREY = "#1f5f99", "#d1741f", "#9aa5b1"
_WORDS = {
    "en": (
        "batch size",
        "latency, ms (p50, bar to p95)",
        "throughput, {unit}/s",
        "memory, MiB",
        "measured peak",
        "forecast",
    ),
    "ja": (
        "バッチサイズ",
        "応答時間 ms(p50、線は p95 まで)",
        "スループット {unit}/秒",
        "メモリ MiB",
        "実測ピーク",
        "予測",
    ),
}
_JAPANESE_FONTS = ("Noto Sans CJK JP", "IPAexGothic", "IPAGothic", "Hiragino Sans", "Yu Gothic", "TakaoGothic")


def profile_figure(record: Any, language: Language) -> Any:
    """A matplotlib figure of a `Profile`: two panels, batch sizes on the x axis."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (heavy import, only when needed)

    # Without a Japanese font the labels would be boxes; English is read more easily than boxes.
    words = _WORDS["ja" if language == "ja" and _use_japanese_font() else "en"]
    runs = [r for r in record.runs if r.error is None and r.latency_p50_ms is not None]
    figure = Figure(figsize=(5.2, 6.2), layout="constrained")
    speed, memory = figure.subplots(2, 1, height_ratios=[3, 2])
    batches = [str(r.batch_size) for r in runs]
    medians = [r.latency_p50_ms for r in runs]
    above = [max(0.0, (r.latency_p95_ms or r.latency_p50_ms) - r.latency_p50_ms) for r in runs]
    speed.bar(batches, medians, width=0.5, color=_BLUE, yerr=[[0] * len(runs), above], capsize=4)
    for batch, median in zip(batches, medians, strict=True):
        speed.annotate(
            f"{median:.1f}", (batch, median), ha="center", va="bottom", xytext=(-14, 2), textcoords="offset points"
        )
    speed.set_xlabel(words[0])
    speed.set_ylabel(words[1], color=_BLUE)
    speed.set_ylim(0, max(m + a for m, a in zip(medians, above, strict=True)) * 1.18 if runs else 1)
    rate = speed.twinx()
    rate.plot(batches, [r.throughput_per_s for r in runs], color=_ORANGE, marker="o")
    rate.set_ylabel(words[2].format(unit=runs[0].unit if runs else ""), color=_ORANGE)
    rate.set_ylim(bottom=0)
    _memory_panel(memory, record, words)
    # A name is no formula: a `$` in it would be read as mathematics, and a lone brace then ends the plot.
    figure.suptitle(code(record.model, 60), fontsize=10, parse_math=False)
    return figure


def profile_png(record: Any, language: Language) -> bytes:
    """The figure as a PNG image."""
    buffer = io.BytesIO()
    profile_figure(record, language).savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _memory_panel(axis: Any, record: Any, words: tuple[str, ...]) -> None:
    bars = [(words[4], record.peak_memory_mib, _BLUE), (words[5], record.forecast_total_mib, _GREY)]
    shown = [(name, mib, colour) for name, mib, colour in bars if mib]
    axis.barh([n for n, *_ in shown], [m for _, m, _ in shown], color=[c for *_, c in shown], height=0.5)
    for i, (_, mib, _) in enumerate(shown):
        axis.annotate(
            f"{mib:,.0f}", (mib, i), ha="right", va="center", xytext=(-6, 0), textcoords="offset points", color="white"
        )
    axis.set_xlabel(words[3])


def _use_japanese_font() -> bool:
    import matplotlib  # noqa: PLC0415 (heavy import, only when needed)
    from matplotlib import font_manager  # noqa: PLC0415 (as above)

    installed = {f.name for f in font_manager.fontManager.ttflist}
    found = next((name for name in _JAPANESE_FONTS if name in installed), None)
    if found:
        matplotlib.rcParams["font.family"] = [found, "DejaVu Sans"]
    return found is not None
