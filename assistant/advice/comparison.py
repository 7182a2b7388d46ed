"""The tool `compare_models`: models side by side from their evidence; what is missing is said, never filled in."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from assistant.evidence import Evidence, latest, of_present_commit
from tools.errors import InvalidArgument


class ComparedModel(BaseModel):
    """What is known of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference."""
    commit: str
    """Commit or content hash that the row is about, or empty."""
    parameters: int | None
    """Number of parameters."""
    forecast_mib: float | None
    """Forecast peak memory."""
    peak_memory_mib: float | None
    """Measured peak memory over the runs."""
    latency_p50_ms: float | None
    """Measured median latency at the smallest batch."""
    throughput_per_s: float | None
    """Best measured throughput."""
    unit: str | None
    """What the throughput counts."""
    licence: str | None
    """SPDX id or tag."""
    card_score: float | None
    """Share of the card that is filled, in [0, 1]."""
    machine: str | None
    """Where the measurements were made."""
    evidence: tuple[str, ...]
    """Evidence ids that the row rests on."""


class ModelComparison(BaseModel):
    """Models side by side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[ComparedModel, ...]
    """One row a model, in the order asked."""
    not_measured: tuple[str, ...]
    """Models without a profile."""
    dominated: tuple[str, ...]
    """Models than which another one is at least as good in every figure measured on the same machine, and better in one."""
    comparable: bool
    """Whether all measurements were made on one machine."""


def compare_models(models: Sequence[str], *, evidence: Sequence[Evidence]) -> ModelComparison:
    """Compare models by their evidence.

    Args:
        models: Two or more canonical references.
        evidence: The user's evidence, newest first for each model.

    Raises:
        InvalidArgument: Fewer than two models.
    """
    if len(set(models)) < 2:
        raise InvalidArgument("A comparison needs two models.", "Name a second one.")
    rows = tuple(
        _row(model, of_present_commit([e for e in evidence if e.model == model])) for model in dict.fromkeys(models)
    )
    return ModelComparison(
        models=rows,
        not_measured=tuple(r.model for r in rows if r.latency_p50_ms is None),
        dominated=tuple(r.model for r in rows if any(_dominates(other, r) for other in rows if other is not r)),
        comparable=len({r.machine for r in rows if r.machine}) <= 1,
    )


def _row(model: str, evidence: Sequence[Evidence]) -> ComparedModel:
    memory, profile = latest(evidence, "estimate_memory"), latest(evidence, "profile_model")
    documentation = latest(evidence, "check_documentation")
    runs = [r for r in (profile.record["runs"] if profile else ()) if r.get("latency_p50_ms") is not None]
    licence = documentation.record["licence"] if documentation else {}
    used = [e for e in (memory, profile, documentation) if e]
    return ComparedModel(
        model=model,
        commit=used[0].commit if used else "",
        parameters=memory.record.get("parameters") if memory else None,
        forecast_mib=memory.record["total_mib"] if memory else None,
        peak_memory_mib=max((r["peak_memory_mib"] for r in runs if r.get("peak_memory_mib")), default=None),
        latency_p50_ms=min(runs, key=lambda r: r["batch_size"])["latency_p50_ms"] if runs else None,
        throughput_per_s=max((r["throughput_per_s"] for r in runs), default=None),
        unit=runs[0]["unit"] if runs else None,
        licence=licence.get("spdx") or licence.get("tag"),
        card_score=documentation.record["score"] if documentation else None,
        machine=profile.machine if profile else None,
        evidence=tuple(e.id for e in used),
    )


def _dominates(a: ComparedModel, b: ComparedModel) -> bool:
    if (a.machine, a.unit) != (b.machine, b.unit):
        return False
    pairs = [
        (-1, a.peak_memory_mib, b.peak_memory_mib),
        (-1, a.latency_p50_ms, b.latency_p50_ms),
        (1, a.throughput_per_s, b.throughput_per_s),
    ]
    gains = [sign * (x - y) for sign, x, y in pairs if x is not None and y is not None]
    return len(gains) == len(pairs) and min(gains) >= 0 and max(gains) > 0
