"""A measurement as Markdown: what was measured, what limits it, what else was tried, and what to try next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.profile_tables import figure, memory_tables, runs_table, sentence, variants_table
from assistant.rendering.style import Rendered, age, code, not_checked, size
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

_NOT_ASKED_AGAIN = frozenset({"model", "device", "dtype", "batch_sizes", "sequence_lengths", "force"})
"""Arguments that the command names from the record, or that say nothing about the measurement."""


def render_profile(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `profile_model`."""
    record: Any = result.record
    ended = say("profile.ended_early", language, reason=sentence(record.ended_early, language))
    headline = say("profile.headline", language, id=result.evidence_id)
    reused = "" if result.age_s is None else say("profile.reused", language, age=age(result.age_s, language))
    lines = [*_figures(record, language), *_limits(record, language), *_largest(record, language)]
    parts = [
        runs_table(record, language),
        "\n".join(f"- {line}" for line in lines),
        variants_table(record, language),
        say("common.reproduce", language, text=code(_command(result), 400)),
    ]
    advice = [
        say("profile.try_next", language, text=sentence(record.try_next, language)) if record.try_next else "",
        not_checked(record.not_checked, language),
    ]
    choices = (
        say("reading.estimate_cost", language, model=record.model),
        say("reading.plan_adoption", language, model=record.model),
    )
    return Rendered(
        "\n\n".join(part for part in (ended if record.ended_early else "", headline, reused) if part),
        "\n\n".join(p for p in parts if p),
        "\n\n".join(p for p in advice if p),
        choices=choices,
        points=_points(result, language),
        deeper=memory_tables(record, language),
    )


# --- lines ------------------------------------------------------------------------------------------------------------


def _figures(record: Any, language: Language) -> list[str]:
    lines = [say("profile.conditions", language, conditions=sentence(record.conditions, language))]
    if record.executor == "ray":
        lines.append(say("profile.on_ray", language))
    if record.import_s is not None and record.load_s is not None and record.first_call_ms is not None:
        warm = min((r.latency_p50_ms for r in record.runs if r.latency_p50_ms is not None), default=None)
        start = {"imported": record.import_s, "load": record.load_s, "first": record.first_call_ms}
        lines.append(
            say("profile.start", language, **start)
            if warm is None
            else say("profile.start_warm", language, **start, warm=figure(warm))
        )
    if record.forecast_total_mib and record.peak_memory_mib:
        peak, forecast = record.peak_memory_mib, record.forecast_total_mib
        error = f"{100 * (forecast - peak) / peak:+.1f}"
        lines.append(say("profile.forecast", language, forecast=size(forecast), peak=size(peak), error=error))
    if record.noise == "noisy":
        lines.append(say("profile.noisy", language, reason=sentence(record.noise_reason, language)))
    return lines


def _limits(record: Any, language: Language) -> list[str]:
    """What this device reached in the probe, and what the longest run spends its time on."""
    lines = []
    if record.limits is not None:
        copy = figure(record.limits.copy_gb_per_s)
        matvec = record.limits.matvec_gb_per_s.get(record.dtype)
        product = record.limits.matmul_gflop_per_s.get(record.dtype)
        lines.append(
            say("profile.limits_copy", language, copy=copy)
            if matvec is None or product is None
            else say(
                "profile.limits", language, dtype=record.dtype, copy=copy,
                matvec=figure(matvec), product=figure(product),
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
            limit=sentence(found.limited_by, language),
        )
        for found in record.largest
    ]


# --- for a manager ----------------------------------------------------------------------------------------------------


def _points(result: TurnResult, language: Language) -> str:
    """Three points: how fast, how much memory, how sure."""
    record: Any = result.record
    points = [*_speed_point(record, language)]
    if record.peak_memory_mib:
        points.append(say("profile.point.memory", language, peak=size(record.peak_memory_mib)))
    reason = sentence(record.noise_reason, language)
    points.append(say(f"profile.point.{record.noise}", language, reason=reason))
    gap = "" if language == "ja" else " "
    return "\n".join(f"{i}. {point}{gap}[{result.evidence_id}]" for i, point in enumerate(points, 1))


def _speed_point(record: Any, language: Language) -> list[str]:
    ran = [run for run in record.runs if run.error is None]
    writing = [run for run in ran if run.time_to_first_token_ms is not None and run.tokens_per_s is not None]
    if writing:
        single, best = min(writing, key=_size), max(writing, key=lambda run: run.tokens_per_s)
        return [
            say(
                "profile.point.generation",
                language,
                first=figure(single.time_to_first_token_ms),
                tokens=figure(best.tokens_per_s),
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
            latency=figure(single.latency_p50_ms),
            single=single.batch_size,
            rate=figure(best.throughput_per_s),
            unit=translate(best.unit, language),
            batch=best.batch_size,
        )
    ]


def _size(run: Any) -> int:
    return run.batch_size * run.sequence_length


# --- the command -------------------------------------------------------------------------------------------------------


def _command(result: TurnResult) -> str:
    """The command that measures the same again: what the record says was run, then what else was asked for."""
    record: Any = result.record
    asked = result.arguments.get("device")
    options: dict[str, Any] = {
        "batch_sizes": list(dict.fromkeys(run.batch_size for run in record.runs)),
        "sequence_lengths": list(dict.fromkeys(run.sequence_length for run in record.runs)),
        "device": record.device_kind if asked in {None, "auto"} else asked,
        "dtype": record.dtype,
    } | {name: value for name, value in result.arguments.items() if name not in _NOT_ASKED_AGAIN}
    words = ["tameshi", "profile-model", shlex.quote(record.model)]
    for name, value in options.items():
        words += _option(name, value)
    return " ".join(words)


def _option(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if not value:
        return []
    if value is True:
        return [flag]
    listed = ",".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)
    return [flag, shlex.quote(listed)]
