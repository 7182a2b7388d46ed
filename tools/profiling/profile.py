"""The tool `profile_model`: runs a model in the isolated worker and measures what it takes."""

from __future__ import annotations

from tools.model_sources import ModelSources
from tools.profiling.records import Profile
from tools.progress import CancelToken, Progress, ignore_progress


def profile_model(
    model: str,
    device: str = "auto",
    dtype: str = "auto",
    batch_sizes: tuple[int, ...] = (1, 8, 32),
    sequence_lengths: tuple[int, ...] = (128,),
    new_tokens: int = 0,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Profile:
    """Measure a model on this machine.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        device: `auto`, `cpu` or `cuda`.
        dtype: `auto` (that of the files), `float32`, `bfloat16` or `float16`.
        batch_sizes: Inputs processed together, 1 to 4096 each.
        sequence_lengths: Tokens of each input.
        new_tokens: Tokens to generate; 0 leaves generation out unless the model generates text.
        sources: Where models may come from.
        progress: Told about each step.
        cancel: Kills the worker.

    Returns:
        The measurement.
    """
    raise NotImplementedError(
        model, device, dtype, batch_sizes, sequence_lengths, new_tokens, sources, progress, cancel
    )
