"""Forecasts and behaviour as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, next_step, not_checked, plain, size, table
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

_UNDER, _OVER = 0.05, 0.10
"""By how much of it a forecast may be too low and too high at worst, as `python -m tests.bench --only memory` holds."""
_ROOMY = 0.9
"""Share of a memory up to which a measured peak leaves room for what a run did not meet."""


def render_memory(result: TurnResult, language: Language, turn: Sequence[TurnResult]) -> Rendered:
    """The record of `estimate_memory`; beside a measurement of the same turn, the measurement answers."""
    record: Any = result.record
    profile = next((r for r in turn if r.tool == "profile_model"), None)
    if profile is not None and record.device_memory_gib:
        return Rendered(_measured_answer(result, profile, language), _terms(record, language))
    if record.fits is None:
        headline = say(
            "memory.headline",
            language,
            total=size(record.total_mib),
            batch=record.batch_size,
            dtype=record.dtype,
            id=result.evidence_id,
        )
    else:
        headline = say(
            "memory.fits" if record.fits else "memory.too_small",
            language,
            total=size(record.total_mib),
            device=size(record.device_memory_gib * 1024),
            margin=size(abs(record.margin_mib or 0)),
            id=result.evidence_id,
        ) + (say("memory.too_close", language) if _too_close(record) else "")
    answers = (
        _terms(record, language),
        _when_the_peak_falls(record, language),
        _reverse(record, language),
        _speed(record, language),
        _by_dtype(record, language),
    )
    notes = (_own_error(record, language), _assumed(record, language))
    advice = next_step(say("memory.next_step", language, model=record.model), language)
    choices = (say("reading.profile_model", language, model=record.model),)
    return Rendered(headline, "\n\n".join(p for p in (*answers, *notes) if p), advice, choices=choices)


def _too_close(record: Any) -> bool:
    """Whether the error of a forecast can turn the answer over."""
    return abs(record.margin_mib) <= record.total_mib * (_UNDER if record.fits else _OVER)


def _measured_answer(result: TurnResult, profile: TurnResult, language: Language) -> str:
    forecast: Any = result.record
    measured: Any = profile.record
    device_mib = forecast.device_memory_gib * 1024
    peak = measured.peak_memory_mib
    total = measured.forecast_total_mib or forecast.total_mib
    largest = max((r.batch_size for r in measured.runs if r.error is None), default=1)
    fits = "memory.measured_fits" if peak <= _ROOMY * device_mib else "memory.measured_just_fits"
    return say(
        fits if peak <= device_mib else "memory.measured_short",
        language,
        peak=size(peak),
        batch=largest,
        profile=profile.evidence_id,
        percent=f"{100 * peak / device_mib:.0f}",
        device=size(device_mib),
        total=size(total),
        error=f"{100 * (total - peak) / peak:+.1f}",
        id=result.evidence_id,
    )


def _terms(record: Any, language: Language) -> str:
    header = f"| {say('memory.term', language)} | MiB | {say('memory.how', language)} |"
    rows = [
        [translate(t.name.replace("_", " "), language), f"{t.mib:,.0f}", plain(translate(t.formula, language))]
        for t in record.terms
    ]
    return table(header, rows)


def _when_the_peak_falls(record: Any, language: Language) -> str:
    """Why the parts add up to more than the peak: what loading takes is given back before the model runs."""
    parts = {term.name: term.mib for term in record.terms}
    if "load_peak" not in parts:
        return ""
    passing = parts.get("activations", 0.0) + parts.get("kv_cache", 0.0)
    running = sum(parts.values()) - parts["load_peak"]
    loading = sum(parts.values()) - passing
    key = "memory.peak_in_loading" if loading > running else "memory.peak_in_running"
    return say(key, language, loading=size(loading), running=size(running))


def _reverse(record: Any, language: Language) -> str:
    """How large, how long and on what: the questions the other way round."""
    lines: list[str] = []
    batch, length = record.largest_batch_that_fits, record.longest_sequence_that_fits
    if batch is not None:
        key = "memory.largest_batch" if batch else "memory.no_batch"
        lines.append(say(key, language, batch=batch, length=record.sequence_length))
    if length is not None:
        limit = say(f"memory.limit.{record.longest_sequence_limit}", language)
        key = "memory.longest" if length else "memory.no_length"
        lines.append(say(key, language, length=length, batch=record.batch_size, limit=limit))
    if record.device_total_mib is not None:
        most = max((each.memory_gib for each in record.devices), default=0)
        for key, total, smallest in (
            ("memory.on_gpu", record.device_total_mib, record.smallest_device_gib),
            ("memory.on_cpu", record.total_mib, record.smallest_host_gib),
        ):
            fitting = (
                say("memory.smallest_none", language, gib=most)
                if smallest is None
                else say("memory.smallest", language, gib=smallest)
            )
            lines.append(say(key, language, size=size(total), smallest=fitting))
    return "\n".join(f"- {line}" for line in lines)


def _speed(record: Any, language: Language) -> str:
    speed = record.speed
    if speed is None:
        return ""
    error = record.speed_error_percent
    known = "" if error is None else say("memory.speed_error", language, error=error)
    times = {"latency": speed.latency_ms, "batch": record.batch_size, "length": record.sequence_length, "known": known}
    if speed.inter_token_latency_ms is None:
        return say("memory.speed", language, **times)
    return say(
        "memory.speed_of_tokens",
        language,
        **times,
        first=speed.time_to_first_token_ms,
        step=speed.inter_token_latency_ms,
        tokens=record.new_tokens,
    )


def _by_dtype(record: Any, language: Language) -> str:
    rows = [
        [each.dtype, f"{each.weights_mib:,.0f}", f"{each.total_mib:,.0f}", f"{each.device_total_mib:,.0f}"]
        for each in record.by_dtype
    ]
    return table(say("memory.dtypes", language), rows) if rows else ""


def _own_error(record: Any, language: Language) -> str:
    if record.own_error_percent is None:
        return ""
    if record.own_error_basis == "same_model":
        return say("memory.error_same", language, error=record.own_error_percent)
    return say("memory.error_others", language, error=record.own_error_percent, count=record.own_error_count or 1)


def _assumed(record: Any, language: Language) -> str:
    lines = ("、" if language == "ja" else "; ").join(plain(translate(line, language)) for line in record.assumptions)
    return say("memory.assumed", language, lines=lines) if lines else ""


def render_behavior(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `observe_behavior`."""
    record: Any = result.record
    stable = sum(t.stable for t in record.trials)
    headline = say("behavior.headline", language, stable=stable, count=len(record.trials), id=result.evidence_id)
    lines = "\n".join(
        say(
            "behavior.line",
            language,
            mark="✓" if t.stable else "✗",
            name=say(f"behavior.trial.{t.name}", language),
            detail=plain(translate(t.detail, language)),
        )
        for t in record.trials
    )
    return Rendered(headline, lines, not_checked(record.not_checked, language))
