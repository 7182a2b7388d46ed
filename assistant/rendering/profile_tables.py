"""The tables of a measurement: its runs, its memory by kind and stage, and the settings that were tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from typing import Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import plain, size, table
from assistant.translation import translate

Cell = Callable[[Any], str]
_OPTIONAL = frozenset(
    {"latency_p99_ms", "mbu_percent", "bound", "forecast_latency_ms", "energy_j", "inter_token_latency_p95_ms"}
)
"""Fields whose column is left out when no run has them."""


def runs_table(record: Any, language: Language) -> str:
    """One row a run, with the columns that the record has figures for."""
    if not record.runs:
        return ""
    columns = run_columns(record, language)
    names = [say("profile.column.batch", language), say("profile.column.length", language), *columns]
    rows = []
    for run in record.runs:
        sizes = [f"{run.batch_size:,}", f"{run.sequence_length:,}"]
        if run.error is None:
            rows.append([*sizes, *(cell(run) for cell in columns.values())])
        else:
            rows.append([*sizes, sentence(run.error, language), *[""] * (len(columns) - 1)])
    return table(f"| {' | '.join(names)} |", rows)


def run_columns(record: Any, language: Language, fields: Container[str] | None = None) -> dict[str, Cell]:
    """Name and content of the columns that the record has figures for, beside batch and length.

    Args:
        record: A `Profile`.
        language: Language of the names.
        fields: Fields of a run that are wanted; absent takes all.
    """
    generation = any(run.time_to_first_token_ms is not None for run in record.runs)
    unit = translate(record.runs[0].unit, language)
    if generation:
        wanted: list[tuple[str, str, Cell]] = [
            ("first_token", "time_to_first_token_ms", _plain_figure("time_to_first_token_ms")),
            ("between_tokens", "inter_token_latency_ms", _plain_figure("inter_token_latency_ms")),
            ("between_tokens_p95", "inter_token_latency_p95_ms", _plain_figure("inter_token_latency_p95_ms")),
            ("tokens_per_s", "tokens_per_s", _plain_figure("tokens_per_s")),
            ("call", "latency_p50_ms", _median),
        ]
    else:
        measured = any(run.latency_p50_low_ms is not None for run in record.runs)
        wanted = [
            ("p50" if measured else "p50_alone", "latency_p50_ms", _median),
            ("p95", "latency_p95_ms", _plain_figure("latency_p95_ms")),
            ("p99", "latency_p99_ms", _plain_figure("latency_p99_ms")),
            ("throughput", "throughput_per_s", _plain_figure("throughput_per_s")),
        ]
    wanted += [
        ("peak", "peak_memory_mib", _plain_figure("peak_memory_mib")),
        ("shares", "mbu_percent", _shares),
        ("bound", "bound", lambda run: "–" if run.bound is None else say(f"profile.bound.{run.bound}", language)),
        ("speed_forecast", "forecast_latency_ms", _plain_figure("forecast_latency_ms")),
        ("energy", "energy_j", _plain_figure("energy_j")),
    ]
    optional = _OPTIONAL | {"latency_p50_ms"} if generation else _OPTIONAL
    return {
        say(f"profile.column.{name}", language, unit=unit): cell
        for name, field, cell in wanted
        if (fields is None or field in fields)
        and (field not in optional or any(getattr(run, field) is not None for run in record.runs))
    }


def _plain_figure(field: str) -> Cell:
    return lambda run: figure(getattr(run, field))


def _median(run: Any) -> str:
    """The median, with its 95 % interval where there is one."""
    if run.latency_p50_low_ms is None or run.latency_p50_high_ms is None:
        return figure(run.latency_p50_ms)
    return f"{figure(run.latency_p50_ms)} ({figure(run.latency_p50_low_ms)}–{figure(run.latency_p50_high_ms)})"


def _shares(run: Any) -> str:
    return " / ".join("–" if share is None else f"{share:.0f}" for share in (run.mbu_percent, run.mfu_percent))


def memory_tables(record: Any, language: Language) -> str:
    """Memory by kind in a line, and stage by stage as a table."""
    parts = []
    if record.memory:
        kinds = say("common.list_joint", language).join(
            f"{say(f'memory_kind.{part.kind}', language)} {size(part.mib)}" for part in record.memory if part.mib >= 0.5
        )
        parts.append(say("profile.by_kind", language, kinds=kinds))
    if record.memory_stages:
        rows = [
            [
                say(f"profile.stage.{s.stage}", language),
                *(f"{v:,.0f}" for v in (s.anonymous_mib, s.file_mib, s.peak_mib)),
            ]
            for s in record.memory_stages
        ]
        parts.append(table(say("profile.stage_columns", language), rows))
    return "\n\n".join(parts)


def variants_table(record: Any, language: Language) -> str:
    """Every speed-up beside its agreement; what failed says why."""
    if not record.variants:
        return ""
    rows = []
    for v in record.variants:
        start = [plain(v.setting, 60), f"{v.batch_size:,} × {v.sequence_length:,}"]
        if v.error is not None:
            rows.append([*start, sentence(v.error, language), "", "", "", ""])
            continue
        cosine = "–" if v.lowest_cosine is None else _cosine(v.lowest_cosine)
        flips = "–" if v.flips_percent is None else f"{v.flips_percent:.3g} %"
        rows.append([*start, figure(v.latency_p50_ms), _speedup(v, language), figure(v.weights_mib), cosine, flips])
    return f"{say('profile.variants', language)}\n\n{table(say('profile.variant_columns', language), rows)}"


def _cosine(value: float) -> str:
    """Rounded down: what is nearly the same is not shown as the same."""
    return f"{math.floor(value * 10_000) / 10_000:.6g}"


def _speedup(variant: Any, language: Language) -> str:
    if variant.speedup is None:
        return "–"
    if variant.speedup_low is None or variant.speedup_high is None:
        return f"×{variant.speedup:.2f}"
    text = f"×{variant.speedup:.2f} ({variant.speedup_low:.2f}–{variant.speedup_high:.2f})"
    same = variant.speedup_low <= 1 <= variant.speedup_high
    return f"{text} {say('profile.no_difference', language)}" if same else text


def agreement(variant: Any, language: Language) -> str:
    """How far a variant's answers are those in float32; empty when it is not known."""
    parts = []
    if variant.lowest_cosine is not None:
        parts.append(say("profile.cosine", language, value=_cosine(variant.lowest_cosine)))
    if variant.flips_percent is not None:
        parts.append(say("profile.flips", language, value=f"{variant.flips_percent:.3g}"))
    return say("common.list_joint", language).join(parts)


def figure(value: float | None) -> str:
    """A figure in a table; a dash where there is none."""
    return (
        "–"
        if value is None
        else f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:,.1f}"
        if value >= 1
        else f"{value:.3g}"
    )


def sentence(text: str | None, language: Language) -> str:
    """A tool's text in the reader's language; names in it are harmless, and one full stop is enough."""
    return plain(translate(text or "", language), 600).rstrip(".。")
