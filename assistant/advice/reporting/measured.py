"""Measured figures in a report: runs, memory, forecast beside measurement, trials, cost, with conditions and spread."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.advice.reporting.content import (
    Block,
    Column,
    Fact,
    Facts,
    Paragraph,
    Row,
    Section,
    Table,
    cite,
    name,
)
from assistant.advice.reporting.material import Found, Material
from assistant.advice.reporting.plots import plots_of
from assistant.advice.reporting.running_cost import cost_sections
from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.profile_tables import agreement, figure, run_columns
from tools.profiling.records import Profile, ProfileRun

_FOR_MANAGER = frozenset({
    "latency_p50_ms", "latency_p95_ms", "throughput_per_s", "peak_memory_mib", "time_to_first_token_ms",
    "inter_token_latency_ms", "tokens_per_s",
})  # fmt: skip
"""Columns of the runs that a manager gets."""


def measured_section(material: Material) -> Section:
    """What was measured, beside what was forecast; what was not measured says so."""
    profile = material.newest("profile_model")
    parts = [
        *([_speed(material, profile), _memory(material, profile)] if profile else []),
        *_forecasts(material, profile),
        *_settings(material, profile),
        *_trials(material),
        *cost_sections(material),
    ]
    language = material.language
    blocks: list[Block] = (
        [Paragraph(text=say("report.measured.lead", language, id=cite(profile.id)))]
        if profile
        else [Paragraph(text=say("report.measured.nothing", language))]
    )
    return Section(
        id="measured",
        title=say("report.section.measured", language),
        blocks=(*blocks, *_conditions(material, profile), *(plots_of(material, profile) if profile else ())),
        parts=tuple(parts),
    )


def _conditions(material: Material, profile: Found | None) -> Iterator[Block]:
    if profile is None:
        return
    record, language = profile.record, material.language
    rows = [
        (say("report.measured.device", language), _device(record, language)),
        (say("report.measured.conditions", language), material.told(record.conditions)),
        (say("report.measured.reliable", language), _reliable(material, record)),
        (
            say("report.measured.start", language),
            say(
                "report.measured.start_figures", language, imported=f"{record.import_s:.2g}",
                load=f"{record.load_s:.2g}", first=f"{record.first_call_ms:,.0f}",
            ),
        ),
    ]  # fmt: skip
    if record.ended_early:
        rows.append((say("report.measured.ended_early", language), material.told(record.ended_early)))
    yield Facts(rows=tuple(Fact(label=label, text=text) for label, text in rows))


def _device(record: Profile, language: Language) -> str:
    return say(
        "report.measured.device_line",
        language,
        device=name(record.device_name),
        threads=record.threads,
        dtype=record.dtype,
    )


def _reliable(material: Material, record: Profile) -> str:
    reason = material.told(record.noise_reason).rstrip(".。")
    return say(f"report.measured.noise.{record.noise}", material.language, reason=reason)


def _speed(material: Material, profile: Found) -> Section:
    record, language = profile.record, material.language
    columns = run_columns(record, language, None if material.for_engineer else _FOR_MANAGER)
    titles = [say("profile.column.batch", language), say("profile.column.length", language), *columns]
    titles.append(say("report.measured.repeats", language))
    rows = []
    for run in record.runs:
        sizes = [f"{run.batch_size:,}", f"{run.sequence_length:,}"]
        if run.error is not None:
            cells = [*sizes, *[""] * len(columns), material.told(run.error)]
        else:
            cells = [*sizes, *(cell(run) for cell in columns.values()), f"{run.repeats:,}"]
        rows.append(Row(cells=tuple(cells), tone="warn" if run.error else ""))
    table = Table(
        caption=say("report.measured.runs", language, id=cite(profile.id)),
        columns=tuple(Column(title=title, numeric=True) for title in titles),
        rows=tuple(rows),
    )
    blocks: list[Block] = [table]
    if any(run.latency_p50_low_ms is not None for run in record.runs):
        blocks.append(Paragraph(text=say("report.measured.spread", language), role="note"))
    if material.for_engineer:
        blocks += _limits(material, record)
    return Section(id="speed", title=say("report.measured.speed", language), blocks=tuple(blocks))


def _limits(material: Material, record: Profile) -> Iterator[Block]:
    language = material.language
    if record.limits is not None:
        product = record.limits.matmul_gflop_per_s.get(record.dtype)
        matvec = record.limits.matvec_gb_per_s.get(record.dtype)
        text = say(
            "report.measured.limits", language, copy=figure(record.limits.copy_gb_per_s), matvec=figure(matvec),
            product=figure(product), dtype=record.dtype,
        )  # fmt: skip
        yield Paragraph(text=text)
    if record.bound is not None:
        bound = say(f"profile.bound.{record.bound}", language)
        yield Paragraph(text=say("report.measured.bound", language, bound=bound))
    if record.try_next:
        yield Paragraph(
            text=say("report.measured.try_next", language, text=material.told(record.try_next).rstrip(".。"))
        )


def _memory(material: Material, profile: Found) -> Section:
    record, language = profile.record, material.language
    rows = [
        Row(cells=(say(f"memory_kind.{part.kind}", language), f"{part.mib:,.0f}"))
        for part in record.memory
        if part.mib >= 0.5
    ]
    rows.append(Row(cells=(say("report.measured.peak", language), f"{record.peak_memory_mib:,.0f}")))
    blocks: list[Block] = [
        Table(
            caption=say("report.measured.by_kind", language, id=cite(profile.id)),
            columns=(
                Column(title=say("report.measured.what", language)),
                Column(title=say("plot.memory_mib", language), numeric=True),
            ),
            rows=tuple(rows),
        ),
        Paragraph(text=say("report.measured.kinds_note", language), role="note"),
    ]
    if material.for_engineer and record.memory_stages:
        header = [cell.strip() for cell in say("profile.stage_columns", language).strip("| ").split("|")]
        stages = tuple(
            Row(
                cells=(
                    say(f"profile.stage.{stage.stage}", language),
                    *(f"{value:,.0f}" for value in (stage.anonymous_mib, stage.file_mib, stage.peak_mib)),
                )
            )
            for stage in record.memory_stages
        )
        columns = tuple(Column(title=title, numeric=i > 0) for i, title in enumerate(header))
        blocks.append(Table(caption=say("report.measured.by_stage", language), columns=columns, rows=stages))
    return Section(id="memory", title=say("report.measured.memory", language), blocks=tuple(blocks))


def _forecasts(material: Material, profile: Found | None) -> Iterator[Section]:
    """Forecast beside measurement; alone where nothing was measured."""
    language = material.language
    forecast = material.newest("estimate_memory")
    rows: list[Row] = []
    if profile is not None and profile.record.forecast_total_mib:
        rows.append(_beside(say("report.measured.peak", language) + " MiB", profile.record.forecast_total_mib,
                            profile.record.peak_memory_mib, profile.id))  # fmt: skip
        rows += [
            _beside(_call(run, language), run.forecast_latency_ms, run.latency_p50_ms, profile.id)
            for run in profile.record.runs
            if run.forecast_latency_ms is not None and run.latency_p50_ms is not None
        ]
    elif forecast is not None:
        rows.append(
            Row(
                cells=(
                    f"{say('report.measured.peak', language)} MiB",
                    figure(forecast.record.total_mib),
                    "",
                    "",
                    cite(forecast.id),
                )
            )
        )
    if not rows:
        return
    titles = ("what", "forecast", "measurement", "error", "evidence")
    table = Table(
        caption=say("report.measured.forecast_caption", language),
        columns=tuple(
            Column(title=say(f"report.column.{title}", language), numeric=title not in {"what", "evidence"})
            for title in titles
        ),
        rows=tuple(rows),
    )
    yield Section(id="forecasts", title=say("report.measured.forecasts", language), blocks=(table,))


def _call(run: ProfileRun, language: Language) -> str:
    return say("report.measured.call", language, batch=f"{run.batch_size:,}", tokens=f"{run.sequence_length:,}")


def _beside(what: str, forecast: float, measured: float, evidence: str) -> Row:
    error = f"{100 * (forecast - measured) / measured:+.0f} %" if measured else ""
    return Row(cells=(what, figure(forecast), figure(measured), error, cite(evidence)))


def _settings(material: Material, profile: Found | None) -> Iterator[Section]:
    """Other settings that were tried, each beside its agreement with the model as it is."""
    if profile is None or not profile.record.variants:
        return
    language = material.language
    rows = []
    for variant in profile.record.variants:
        agreed = agreement(variant, language) if variant.error is None else material.told(variant.error)
        speedup = "" if variant.speedup is None else f"×{variant.speedup:.2f}"
        if variant.speedup_low is not None and variant.speedup_high is not None:
            speedup += f" ({variant.speedup_low:.2f}–{variant.speedup_high:.2f})"
        rows.append(Row(cells=(name(variant.setting, 60), speedup, figure(variant.latency_p50_ms), agreed)))
    table = Table(
        caption=say("report.measured.settings_caption", language, id=cite(profile.id)),
        columns=(
            Column(title=say("report.column.setting", language)),
            Column(title=say("report.column.speedup", language), numeric=True),
            Column(title=say("profile.column.p50_alone", language), numeric=True),
            Column(title=say("report.column.agreement", language)),
        ),
        rows=tuple(rows),
    )
    yield Section(id="settings", title=say("report.measured.settings", language), blocks=(table,))


def _trials(material: Material) -> Iterator[Section]:
    found, language = material.newest("observe_behavior"), material.language
    if found is None or not getattr(found.record, "trials", ()):
        return
    rows = tuple(
        Row(
            cells=(
                say(f"behavior.trial.{trial.name}", language),
                say(f"draft.trial_state.{'stable' if trial.stable else 'unstable'}", language),
                material.told(trial.detail),
            ),
            tone="good" if trial.stable else "warn",
        )
        for trial in found.record.trials
    )
    table = Table(
        caption=say("report.measured.trials_caption", language, id=cite(found.id)),
        columns=tuple(Column(title=say(f"report.column.{key}", language)) for key in ("what", "state", "detail")),
        rows=rows,
    )
    note = Paragraph(text=say("report.measured.trials_note", language), role="note")
    yield Section(id="trials", title=say("report.measured.trials", language), blocks=(table, note))
