"""A measurement as Markdown: what was measured, what limits it, what else was tried, and what to try next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, code, not_checked, plain, size, table
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

_NOT_ASKED_AGAIN = frozenset({"model", "device", "dtype", "batch_sizes", "sequence_lengths", "force"})
"""Arguments that the command names from the record, or that say nothing about the measurement."""


def render_profile(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `profile_model`."""
    record: Any = result.record
    ended = say("profile.ended_early", language, reason=_sentence(record.ended_early, language))
    headline = say("profile.headline", language, id=result.evidence_id)
    lines = [*_figures(record, language), *_limits(record, language), *_largest(record, language)]
    parts = [
        _runs(record, language),
        "\n".join(f"- {line}" for line in lines),
        _variants(record, language),
        say("common.reproduce", language, text=code(_command(result), 400)),
    ]
    advice = [
        say("profile.try_next", language, text=_sentence(record.try_next, language)) if record.try_next else "",
        not_checked(record.not_checked, language),
    ]
    choices = (
        say("reading.estimate_cost", language, model=record.model),
        say("reading.plan_adoption", language, model=record.model),
    )
    return Rendered(
        f"{ended}\n\n{headline}" if record.ended_early else headline,
        "\n\n".join(p for p in parts if p),
        "\n\n".join(p for p in advice if p),
        choices=choices,
        points=_points(result, language),
        deeper=_memory(record, language),
    )


def agreement(variant: Any, language: Language) -> str:
    """How far a variant's answers are those in float32; empty when it is not known."""
    parts = []
    if variant.lowest_cosine is not None:
        parts.append(say("profile.cosine", language, value=f"{variant.lowest_cosine:.4f}"))
    if variant.flips_percent is not None:
        parts.append(say("profile.flips", language, value=f"{variant.flips_percent:.3g}"))
    return say("common.list_joint", language).join(parts)


# --- runs -------------------------------------------------------------------------------------------------------------

Cell = Callable[[Any], str]


def _runs(record: Any, language: Language) -> str:
    if not record.runs:
        return ""
    columns = _columns(record, language)
    names = [say("profile.column.batch", language), say("profile.column.length", language), *columns]
    rows = []
    for run in record.runs:
        sizes = [f"{run.batch_size:,}", f"{run.sequence_length:,}"]
        if run.error is None:
            rows.append([*sizes, *(cell(run) for cell in columns.values())])
        else:
            rows.append([*sizes, _sentence(run.error, language), *[""] * (len(columns) - 1)])
    return table(f"| {' | '.join(names)} |", rows)


def _columns(record: Any, language: Language) -> dict[str, Cell]:
    """Name and content of the columns that the record has figures for."""
    generation = any(run.time_to_first_token_ms is not None for run in record.runs)
    unit = translate(record.runs[0].unit, language)
    if generation:
        wanted: list[tuple[str, str, Cell]] = [
            ("first_token", "time_to_first_token_ms", _plain_figure("time_to_first_token_ms")),
            ("between_tokens", "inter_token_latency_ms", _plain_figure("inter_token_latency_ms")),
            ("between_tokens_p95", "inter_token_latency_p95_ms", _plain_figure("inter_token_latency_p95_ms")),
            ("tokens_per_s", "tokens_per_s", _plain_figure("tokens_per_s")),
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
    optional = {
        "latency_p99_ms",
        "mbu_percent",
        "bound",
        "forecast_latency_ms",
        "energy_j",
        "inter_token_latency_p95_ms",
    }
    return {
        say(f"profile.column.{name}", language, unit=unit): cell
        for name, field, cell in wanted
        if field not in optional or any(getattr(run, field) is not None for run in record.runs)
    }


def _plain_figure(field: str) -> Cell:
    return lambda run: _figure(getattr(run, field))


def _median(run: Any) -> str:
    """The median, with its 95 % interval where there is one."""
    if run.latency_p50_low_ms is None or run.latency_p50_high_ms is None:
        return _figure(run.latency_p50_ms)
    return f"{_figure(run.latency_p50_ms)} ({_figure(run.latency_p50_low_ms)}–{_figure(run.latency_p50_high_ms)})"


def _shares(run: Any) -> str:
    return " / ".join("–" if share is None else f"{share:.0f}" for share in (run.mbu_percent, run.mfu_percent))


def _figure(value: float | None) -> str:
    return (
        "–"
        if value is None
        else f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:,.1f}"
        if value >= 1
        else f"{value:.3g}"
    )


# --- lines ------------------------------------------------------------------------------------------------------------


def _figures(record: Any, language: Language) -> list[str]:
    lines = [say("profile.conditions", language, conditions=_sentence(record.conditions, language))]
    if record.executor == "ray":
        lines.append(say("profile.on_ray", language))
    if record.import_s is not None and record.load_s is not None and record.first_call_ms is not None:
        warm = min((r.latency_p50_ms for r in record.runs if r.latency_p50_ms is not None), default=None)
        start = {"imported": record.import_s, "load": record.load_s, "first": record.first_call_ms}
        lines.append(
            say("profile.start", language, **start)
            if warm is None
            else say("profile.start_warm", language, **start, warm=_figure(warm))
        )
    if record.forecast_total_mib and record.peak_memory_mib:
        peak, forecast = record.peak_memory_mib, record.forecast_total_mib
        error = f"{100 * (forecast - peak) / peak:+.1f}"
        lines.append(say("profile.forecast", language, forecast=size(forecast), peak=size(peak), error=error))
    if record.noise == "noisy":
        lines.append(say("profile.noisy", language, reason=_sentence(record.noise_reason, language)))
    return lines


def _limits(record: Any, language: Language) -> list[str]:
    """What this device reached in the probe, and what the longest run spends its time on."""
    lines = []
    if record.limits is not None:
        copy = _figure(record.limits.copy_gb_per_s)
        matvec = record.limits.matvec_gb_per_s.get(record.dtype)
        product = record.limits.matmul_gflop_per_s.get(record.dtype)
        lines.append(
            say("profile.limits_copy", language, copy=copy)
            if matvec is None or product is None
            else say(
                "profile.limits", language, dtype=record.dtype, copy=copy,
                matvec=_figure(matvec), product=_figure(product),
            )
        )  # fmt: skip
    if record.limit_share_percent is not None:
        lines.append(say("profile.limit", language, share=record.limit_share_percent))
    if record.bound is not None:
        lines.append(say(f"profile.bound_means.{record.bound}", language))
    return lines


def _largest(record: Any, language: Language) -> list[str]:
    return [
        say(
            f"profile.largest.{found.what}",
            language,
            value=found.value,
            peak=size(found.peak_memory_mib),
            limit=_sentence(found.limited_by, language),
        )
        for found in record.largest
    ]


# --- memory and variants ----------------------------------------------------------------------------------------------


def _memory(record: Any, language: Language) -> str:
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


def _variants(record: Any, language: Language) -> str:
    """Every speed-up beside its agreement; what failed says why."""
    if not record.variants:
        return ""
    rows = []
    for v in record.variants:
        start = [f"`{code(v.setting, 60)}`", f"{v.batch_size:,} × {v.sequence_length:,}"]
        if v.error is not None:
            rows.append([*start, _sentence(v.error, language), "", "", "", ""])
            continue
        cosine = "–" if v.lowest_cosine is None else f"{v.lowest_cosine:.4f}"
        flips = "–" if v.flips_percent is None else f"{v.flips_percent:.3g} %"
        rows.append([*start, _figure(v.latency_p50_ms), _speedup(v), _figure(v.weights_mib), cosine, flips])
    return f"{say('profile.variants', language)}\n\n{table(say('profile.variant_columns', language), rows)}"


def _speedup(variant: Any) -> str:
    if variant.speedup is None:
        return "–"
    if variant.speedup_low is None or variant.speedup_high is None:
        return f"×{variant.speedup:.2f}"
    return f"×{variant.speedup:.2f} ({variant.speedup_low:.2f}–{variant.speedup_high:.2f})"


# --- for a manager ----------------------------------------------------------------------------------------------------


def _points(result: TurnResult, language: Language) -> str:
    """Three points: how fast, how much memory, how sure."""
    record: Any = result.record
    points = [*_speed_point(record, language)]
    if record.peak_memory_mib:
        points.append(say("profile.point.memory", language, peak=size(record.peak_memory_mib)))
    reason = _sentence(record.noise_reason, language)
    points.append(say(f"profile.point.{record.noise}", language, reason=reason))
    return "\n".join(f"{i}. {point} [{result.evidence_id}]" for i, point in enumerate(points, 1))


def _speed_point(record: Any, language: Language) -> list[str]:
    ran = [run for run in record.runs if run.error is None]
    writing = [run for run in ran if run.time_to_first_token_ms is not None and run.tokens_per_s is not None]
    if writing:
        single, best = min(writing, key=_size), max(writing, key=lambda run: run.tokens_per_s)
        return [
            say(
                "profile.point.generation",
                language,
                first=_figure(single.time_to_first_token_ms),
                tokens=_figure(best.tokens_per_s),
                batch=best.batch_size,
            )
        ]
    timed = [run for run in ran if run.latency_p50_ms is not None and run.throughput_per_s is not None]
    if not timed:
        return []
    single, best = min(timed, key=_size), max(timed, key=lambda run: run.throughput_per_s)
    return [
        say(
            "profile.point.speed",
            language,
            latency=_figure(single.latency_p50_ms),
            single=single.batch_size,
            rate=_figure(best.throughput_per_s),
            unit=translate(best.unit, language),
            batch=best.batch_size,
        )
    ]


def _size(run: Any) -> int:
    return run.batch_size * run.sequence_length


# --- words ------------------------------------------------------------------------------------------------------------


def _sentence(text: str | None, language: Language) -> str:
    """A tool's text in the reader's language; names in it are harmless, and one full stop is enough."""
    return plain(translate(text or "", language), 600).rstrip(".。")


def _command(result: TurnResult) -> str:
    """The command that measures the same again: what the record says was run, then what else was asked for."""
    record: Any = result.record
    options: dict[str, Any] = {
        "batch_sizes": list(dict.fromkeys(run.batch_size for run in record.runs)),
        "sequence_lengths": list(dict.fromkeys(run.sequence_length for run in record.runs)),
        "device": record.device_kind,
        "dtype": record.dtype,
    } | {name: value for name, value in result.arguments.items() if name not in _NOT_ASKED_AGAIN}
    words = ["tameshi", "profile-model", shlex.quote(record.model)]
    for name, value in options.items():
        words += _option(name, value)
    return " ".join(words)


def _option(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if value is None or value is False or value in ("", (), []):
        return []
    if value is True:
        return [flag]
    listed = ",".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)
    return [flag, shlex.quote(listed)]
