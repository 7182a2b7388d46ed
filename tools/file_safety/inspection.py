"""The tool `inspect_files`: locates a model's files and applies every rule to them."""

from __future__ import annotations

from tools.file_safety.findings import FileInspection
from tools.model_sources import ModelSources


def inspect_files(model: str, *, sources: ModelSources = ModelSources()) -> FileInspection:  # noqa: B008 (frozen record)
    """Decide whether a model's files may be loaded, without loading them.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        sources: Where models may come from.

    Returns:
        The verdict with its findings.
    """
    raise NotImplementedError(model, sources)
