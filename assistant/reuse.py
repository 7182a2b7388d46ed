"""Stored measurements that answer again: of the same files, on the same machine, with the same versions and settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from assistant.evidence import Evidence, machine_name
from assistant.measured_here import has_installed_versions
from tools.located_files import local_commit
from tools.locating import locate_model
from tools.model_sources import ModelSources

_NO_SETTINGS = frozenset({"model", "sources", "progress", "cancel", "executor"})


def find_reusable(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    evidence: Sequence[Evidence],
    sources: ModelSources,
    executor: str = "local",
) -> Evidence | None:
    """The newest stored measurement that would come out of this call again.

    Args:
        function: The tool, whose defaults count as settings.
        arguments: Its arguments, the model among them.
        evidence: The user's evidence of that tool, newest first.
        sources: Where models may come from.
        executor: Where the worker would run.

    Returns:
        None when there is none, or when the stored one ended early.

    Raises:
        ToolError: The model cannot be found.
    """
    settings = _settings(function, arguments)
    same = [
        each
        for each in evidence
        if _settings(function, each.arguments) == settings
        and each.machine == machine_name()
        and each.record.get("executor", "local") == executor
        and not each.record.get("ended_early")
        and has_installed_versions(each.record)
    ]
    if not same:
        return None
    location = locate_model(arguments["model"], sources=sources)
    commit = location.commit or local_commit(location)
    canonical = location.reference.canonical
    return next((each for each in same if each.model == canonical and each.commit == commit), None)


def _settings(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Every setting of a call, defaults included; a list reads the same from JSON as from a caller."""
    parameters = inspect.signature(function).parameters.values()
    values = {each.name: each.default for each in parameters if each.name not in _NO_SETTINGS}
    values |= {name: value for name, value in arguments.items() if name in values}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
