"""The tool `fetch_model`: brings a model's files here, pinned, inspected and hashed."""

from __future__ import annotations

from tools.model_sources import ModelSources
from tools.progress import CancelToken, Progress, ignore_progress
from tools.snapshot import Snapshot

__all__ = ["ModelSources", "fetch_model"]


def fetch_model(
    model: str,
    revision: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Snapshot:
    """Fetch a model's files.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        revision: Branch, tag or commit.
        sources: Where models may come from.
        progress: Told about each step.
        cancel: Stops between steps.

    Returns:
        The snapshot.
    """
    raise NotImplementedError(model, revision, sources, progress, cancel)
