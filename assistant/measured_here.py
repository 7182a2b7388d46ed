"""What the stored measurements of this machine say of its forecasts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.evidence import Evidence, EvidenceStore, machine_name
from tools.device_limits import DeviceLimits
from tools.installed_packages import installed_version
from tools.memory.measured_here import MeasuredHere, PastForecast

_MOST = 20
_LIBRARIES = ("torch", "transformers")


def measured_here(store: EvidenceStore, user: str) -> MeasuredHere:
    """The newest measurements on this machine's CPU, for a forecast.

    Args:
        store: The evidence.
        user: Whose evidence counts.

    Returns:
        The libraries' own memory, the probe, and the errors of earlier forecasts; empty where nothing was measured.
    """
    profiles = [e for e in store.find(user=user, tool="profile_model", limit=_MOST) if _is_of_this_cpu(e)]
    forecasts = tuple(
        PastForecast(e.commit, float(e.record["forecast_error_percent"]))
        for e in profiles
        if e.commit and isinstance(e.record.get("forecast_error_percent"), int | float)
    )
    return MeasuredHere(
        runtime_mib=_runtime(profiles),
        forecasts=forecasts,
        limits=_limits(profiles),
        speed_errors_percent=tuple(_speed_errors(profiles)),
    )


def _is_of_this_cpu(evidence: Evidence) -> bool:
    record = evidence.record
    local = record.get("executor", "local") == "local" and record.get("ended_early") is None
    return local and record.get("device_kind") == "cpu" and evidence.machine == machine_name()


def _runtime(profiles: Sequence[Evidence]) -> float | None:
    """The libraries' memory in the newest measurement that was made with the versions that are installed now."""
    for evidence in profiles:
        sizes = {each["kind"]: each["mib"] for each in evidence.record.get("memory", ())}
        if sizes.get("runtime") and has_installed_versions(evidence.record):
            return float(sizes["runtime"])
    return None


def _limits(profiles: Sequence[Evidence]) -> DeviceLimits | None:
    """The newest probe, made with the versions that are installed now."""
    found = (e.record["limits"] for e in profiles if e.record.get("limits") and has_installed_versions(e.record))
    return next((DeviceLimits.model_validate(each) for each in found), None)


def _speed_errors(profiles: Sequence[Evidence]) -> Iterator[float]:
    for evidence in profiles:
        for run in evidence.record.get("runs", ()):
            forecast, measured = run.get("forecast_latency_ms"), run.get("latency_p50_ms")
            if forecast and measured:
                yield 100 * (forecast - measured) / measured


def has_installed_versions(record: dict[str, Any]) -> bool:
    """Whether a measurement was made with the libraries that are installed now; its conditions name them.

    A build that the installation itself does not name, such as `+cu130`, may differ.
    """
    conditions = str(record.get("conditions"))
    installed = {library: installed_version(library) for library in _LIBRARIES}
    return all(version is not None and _names(conditions, name, version) for name, version in installed.items())


def _names(conditions: str, library: str, version: str) -> bool:
    build = "" if "+" in version else r"(?:\+\w+)?"
    return re.search(rf"\b{library} {re.escape(version)}{build}[,;]", conditions) is not None
