"""The tool `compare_models`: models side by side from their evidence; what is missing is said, never filled in.

Models are ranked only where the measurements tell them apart: made on one device, in the same runs, on a quiet machine,
and with intervals of the median time that do not overlap. Other pairs are named with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.cost_records import Interval
from assistant.advice.serving import ServedRun, served_runs
from assistant.evidence import Evidence, latest, of_present_commit
from tools.errors import InvalidArgument

_Reason = Literal["other_machine", "other_device", "other_unit", "other_runs", "noisy", "overlap"]
_Figure = Literal["latency", "throughput"]
_Setting = tuple[int, int]
"""Batch size and sequence length."""


class RunSetting(BaseModel):
    """What a run was measured with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int
    """Inputs processed together."""
    sequence_length: int
    """Tokens of each input."""


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
    """Forecast peak memory, of a run that was measured where there is one."""
    peak_memory_mib: float | None
    """Measured peak memory over the runs compared."""
    latency_p50_ms: float | None
    """Measured median latency at the smallest batch compared."""
    throughput_per_s: float | None
    """Best measured throughput of the runs compared."""
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
    latency_p50_range: Interval | None = None
    """The median latency's 95 % bootstrap interval in milliseconds; absent when the profile has none."""
    throughput_range: Interval | None = None
    """The throughput at both ends of its run's interval; absent when the profile has none."""
    device: str | None = None
    """Device that the measurements were made on, with its threads."""
    noise: Literal["quiet", "noisy"] | None = None
    """Whether other work disturbed the measurement."""

    @property
    def is_known(self) -> bool:
        """Whether the row holds any figure or licence; a model that could not be fetched has none."""
        found = (
            self.parameters, self.forecast_mib, self.peak_memory_mib, self.latency_p50_ms, self.throughput_per_s,
            self.licence, self.card_score,
        )  # fmt: skip
        return any(each is not None for each in found)


class UndecidedPair(BaseModel):
    """Two measured models that the measurements do not rank."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    """Canonical reference."""
    second: str
    """Canonical reference."""
    reason: _Reason
    """Why not: measured elsewhere, on another device, in another unit, with other batches or lengths, beside other work,
    or with intervals that overlap."""
    figures: tuple[_Figure, ...] = ()
    """Figures whose intervals overlap."""


class ModelComparison(BaseModel):
    """Models side by side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[ComparedModel, ...]
    """One row a model, in the order asked."""
    not_measured: tuple[str, ...]
    """Models without a profile."""
    dominated: tuple[str, ...]
    """Models than which another one is at least as good in every measured figure, and better in one, beyond the noise."""
    comparable: bool
    """Whether all measurements were made on one machine."""
    compared_at: tuple[RunSetting, ...] = ()
    """Runs that all measured models have, which the figures are of; empty when they share none."""
    undecided: tuple[UndecidedPair, ...] = ()
    """Pairs of measured models that the measurements do not rank."""


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
    present = {model: of_present_commit([e for e in evidence if e.model == model]) for model in dict.fromkeys(models)}
    measured = {model: _runs(found) for model, found in present.items()}
    settings = [{_setting(run) for run in runs} for runs in measured.values() if runs]
    shared = set.intersection(*settings) if settings else set()
    rows = tuple(
        _row(model, found, [run for run in measured[model] if not shared or _setting(run) in shared])
        for model, found in present.items()
    )
    timed = [row for row in rows if row.latency_p50_ms is not None]
    undecided = [_undecided(a, b, bool(shared)) for a, b in combinations(timed, 2)]
    unranked = {(pair.first, pair.second) for pair in undecided if pair}
    return ModelComparison(
        models=rows,
        not_measured=tuple(r.model for r in rows if r.latency_p50_ms is None),
        dominated=tuple(
            row.model
            for row in timed
            if any(
                _dominates(other, row)
                for other in timed
                if other is not row and not {(other.model, row.model), (row.model, other.model)} & unranked
            )
        ),
        comparable=len({r.machine for r in rows if r.machine}) <= 1,
        compared_at=tuple(RunSetting(batch_size=b, sequence_length=n) for b, n in sorted(shared)),
        undecided=tuple(pair for pair in undecided if pair),
    )


def _runs(evidence: Sequence[Evidence]) -> list[ServedRun]:
    profile = latest(evidence, "profile_model")
    return served_runs(profile.record) if profile else []


def _setting(run: ServedRun) -> _Setting:
    return run.batch_size, run.sequence_length


def _row(model: str, evidence: Sequence[Evidence], runs: Sequence[ServedRun]) -> ComparedModel:
    memory, profile = latest(evidence, "estimate_memory"), latest(evidence, "profile_model")
    documentation = latest(evidence, "check_documentation")
    licence = documentation.record["licence"] if documentation else {}
    used = [e for e in (memory, profile, documentation) if e]
    single = min(runs, key=_setting, default=None)
    best = max(runs, key=lambda run: run.throughput_per_s, default=None)
    return ComparedModel(
        model=model,
        commit=used[0].commit if used else "",
        parameters=memory.record.get("parameters") if memory else None,
        forecast_mib=_forecast_mib(evidence, profile, runs),
        peak_memory_mib=max((run.peak_memory_mib for run in runs if run.peak_memory_mib), default=None),
        latency_p50_ms=single.latency_ms if single else None,
        throughput_per_s=best.throughput_per_s if best else None,
        unit=single.unit if single else None,
        licence=licence.get("spdx") or licence.get("tag"),
        card_score=documentation.record["score"] if documentation else None,
        machine=profile.machine if profile else None,
        evidence=tuple(e.id for e in used),
        latency_p50_range=_latency_range(single),
        throughput_range=_throughput_range(best),
        device=_device(profile),
        noise=profile.record.get("noise") if profile else None,
    )


def _forecast_mib(evidence: Sequence[Evidence], profile: Evidence | None, runs: Sequence[ServedRun]) -> float | None:
    """The newest forecast of what was measured, else the one that the measurement made; of what was not, the newest."""
    settings = {_setting(run) for run in runs}
    forecasts = [e.record for e in evidence if e.tool == "estimate_memory"]
    alike = [f for f in forecasts if not runs or (f["batch_size"], f["sequence_length"]) in settings]
    if alike:
        return alike[0]["total_mib"]
    return profile.record.get("forecast_total_mib") if profile else None


def _device(profile: Evidence | None) -> str | None:
    if profile is None:
        return None
    record = profile.record
    name = f"{record.get('device_name', '')} ({record.get('device_kind', '')})"
    return f"{name}, {record.get('threads')} threads" if record.get("device_kind") == "cpu" else name


def _latency_range(run: ServedRun | None) -> Interval | None:
    return Interval(low=run.fast_ms, high=run.slow_ms) if run and run.spread == "interval" else None


def _throughput_range(run: ServedRun | None) -> Interval | None:
    if run is None or run.spread != "interval":
        return None
    done = run.throughput_per_s * run.latency_ms
    return Interval(low=done / run.slow_ms, high=done / run.fast_ms)


def _undecided(a: ComparedModel, b: ComparedModel, share_runs: bool) -> UndecidedPair | None:
    """Why two measured models are not ranked; None when they are."""
    checks: tuple[tuple[_Reason, bool], ...] = (
        ("other_machine", a.machine != b.machine),
        ("other_device", a.device != b.device),
        ("other_unit", a.unit != b.unit),
        ("other_runs", not share_runs),
        ("noisy", "noisy" in (a.noise, b.noise)),
    )
    reason: _Reason | None = next((name for name, holds in checks if holds), None)
    if reason is not None:
        return UndecidedPair(first=a.model, second=b.model, reason=reason)
    pairs: tuple[tuple[_Figure, Interval | None, Interval | None], ...] = (
        ("latency", a.latency_p50_range, b.latency_p50_range),
        ("throughput", a.throughput_range, b.throughput_range),
    )
    figures: tuple[_Figure, ...] = tuple(
        name for name, x, y in pairs if x and y and x.low <= y.high and y.low <= x.high
    )
    return UndecidedPair(first=a.model, second=b.model, reason="overlap", figures=figures) if figures else None


def _dominates(a: ComparedModel, b: ComparedModel) -> bool:
    pairs = [
        (-1, a.peak_memory_mib, b.peak_memory_mib),
        (-1, a.latency_p50_ms, b.latency_p50_ms),
        (1, a.throughput_per_s, b.throughput_per_s),
    ]
    gains = [sign * (x - y) for sign, x, y in pairs if x is not None and y is not None]
    return len(gains) == len(pairs) and min(gains) >= 0 and max(gains) > 0
