"""The tools by name: where each one's function and record stand, found when they are first used.

A command for one tool starts in a fraction of the time that all of them take to import.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel


class CatalogueEntry(NamedTuple):
    """Where one tool is found."""

    module: str
    """Module that has both."""
    record: str
    """Name of the record that it returns."""
    reports: bool = False
    """Whether it can last, and therefore reports progress and can be cancelled."""
    runs_model: bool = False
    """Whether it runs the model in an isolated worker."""
    needs_evidence: bool = False
    """Whether it draws on stored evidence instead of a model's files."""
    reusable: bool = False
    """Whether stored evidence of the same files, machine and settings answers in its place."""


CATALOGUE: dict[str, CatalogueEntry] = {
    "search_guidance": CatalogueEntry("knowledge.policy_search", "GuidanceAnswer"),
    "fetch_model": CatalogueEntry("tools.fetching", "Snapshot", reports=True),
    "inspect_files": CatalogueEntry("tools.file_safety", "FileInspection"),
    "estimate_memory": CatalogueEntry("tools.memory", "MemoryForecast"),
    "profile_model": CatalogueEntry("tools.profiling", "Profile", reports=True, runs_model=True, reusable=True),
    "check_version": CatalogueEntry("tools.version", "VersionCheck", reports=True),
    "check_documentation": CatalogueEntry("tools.documentation", "DocumentationCheck"),
    "observe_behavior": CatalogueEntry("tools.behavior", "BehaviorObservation", reports=True, runs_model=True),
    "estimate_cost": CatalogueEntry("assistant.advice.cost", "CostEstimate", needs_evidence=True),
    "compare_models": CatalogueEntry("assistant.advice.comparison", "ModelComparison", needs_evidence=True),
    "plan_adoption": CatalogueEntry("assistant.advice.plan", "AdoptionPlan", needs_evidence=True),
}
"""Every tool; a tool's function has the tool's name."""


def function_of(name: str) -> Callable[..., BaseModel]:
    """The tool's function."""
    return pkgutil.resolve_name(f"{CATALOGUE[name].module}:{name}")


class _Records(Mapping[str, type[BaseModel]]):
    """Record types by tool, imported one by one."""

    def __getitem__(self, name: str) -> type[BaseModel]:
        return pkgutil.resolve_name(f"{CATALOGUE[name].module}:{CATALOGUE[name].record}")

    def __iter__(self) -> Iterator[str]:
        return iter(CATALOGUE)

    def __len__(self) -> int:
        return len(CATALOGUE)


RECORDS: Mapping[str, type[BaseModel]] = _Records()
"""The record that each tool returns."""
