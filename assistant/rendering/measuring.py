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
        )
    error = "" if record.own_error_percent is None else say("memory.error", language, error=record.own_error_percent)
    advice = next_step(say("memory.next_step", language, model=record.model), language)
    choices = (say("reading.profile_model", language, model=record.model),)
    return Rendered(headline, "\n\n".join(p for p in (_terms(record, language), error) if p), advice, choices=choices)


def _measured_answer(result: TurnResult, profile: TurnResult, language: Language) -> str:
    forecast: Any = result.record
    measured: Any = profile.record
    device_mib = forecast.device_memory_gib * 1024
    peak = measured.peak_memory_mib
    total = measured.forecast_total_mib or forecast.total_mib
    largest = max((r.batch_size for r in measured.runs if r.error is None), default=1)
    return say(
        "memory.measured_fits" if peak <= device_mib else "memory.measured_short",
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
