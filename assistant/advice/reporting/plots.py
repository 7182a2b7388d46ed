"""Plots of a measurement within a report, and what they show in words, for those who do not see them."""

from __future__ import annotations

from assistant.advice.reporting.content import Figure, cite
from assistant.advice.reporting.material import Found, Material
from assistant.phrases import say
from assistant.rendering.plots import device_mib_of, panels_of, profile_svg
from assistant.rendering.profile_tables import figure
from assistant.rendering.style import size

_PANELS_FOR_MANAGER = ("speed", "memory")


def plots_of(material: Material, profile: Found) -> list[Figure]:
    """The plots of a measurement, each with its figures in words.

    Args:
        material: What the report is made from.
        profile: The measurement.
    """
    record = profile.record
    there = device_mib_of(material.of_commit, record.model)
    return [
        Figure(
            name=panel,
            title=say(f"plot.panel.{panel}", material.language),
            description=_description(panel, material, profile),
            svg=profile_svg(record, material.language, panels=[panel], device_mib=there) if material.drawn else "",
        )
        for panel in panels_of(record)
        if material.for_engineer or panel in _PANELS_FOR_MANAGER
    ]


def _description(panel: str, material: Material, profile: Found) -> str:
    """What a plot shows, in figures."""
    record, language = profile.record, material.language
    if panel == "memory":
        parts = [
            f"{say(f'memory_kind.{part.kind}', language)} {size(part.mib)}" for part in record.memory if part.mib >= 0.5
        ]
        text = say(
            "report.plot.memory", language, peak=size(record.peak_memory_mib),
            kinds=say("common.list_joint", language).join(parts),
        )  # fmt: skip
    elif panel == "speed":
        runs = [run for run in record.runs if run.latency_p50_ms is not None and run.throughput_per_s is not None]
        told = [
            say(
                "report.plot.run", language, batch=f"{run.batch_size:,}", tokens=f"{run.sequence_length:,}",
                latency=figure(run.latency_p50_ms), rate=figure(run.throughput_per_s), unit=material.told(run.unit),
            )
            for run in runs
        ]  # fmt: skip
        text = say("report.plot.speed", language, runs=say("common.list_joint", language).join(told))
    elif panel == "roofline":
        share = "–" if record.limit_share_percent is None else f"{record.limit_share_percent:.0f}"
        text = say("report.plot.roofline", language, share=share)
    else:
        text = say("report.plot.variants", language)
    return f"{text} {cite(profile.id)}"
