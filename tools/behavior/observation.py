"""The tool `observe_behavior`: small trials of how steady a model's answers are."""

from __future__ import annotations

from tools.behavior.records import BehaviorObservation
from tools.model_sources import ModelSources
from tools.progress import CancelToken, Progress, ignore_progress


def observe_behavior(
    model: str,
    examples: tuple[str, ...] = (),
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> BehaviorObservation:
    """Try how steady a model's answers are.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        examples: Texts to try it with; a few neutral ones when absent.
        sources: Where models may come from.
        progress: Told about each step.
        cancel: Kills the worker.

    Returns:
        The trials.
    """
    raise NotImplementedError(model, examples, sources, progress, cancel)
