"""The tool `observe_behavior`: small trials of how steady a model's answers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.behavior.records import BehaviorObservation, Trial
from tools.errors import InvalidArgument
from tools.fetching import fetch_model
from tools.model_sources import ModelSources
from tools.profiling.device import cpu_threads
from tools.profiling.executors import FRESH_PROCESSES, Executor
from tools.profiling.profile import check_unchanged
from tools.profiling.worker_watch import WorkerLimits
from tools.progress import CancelToken, Progress, ignore_progress

EXAMPLES = (
    "The delivery arrived two days late and one box was damaged.",
    "Please send me the invoice for March to my office in Osaka.",
    "How do I reset the password of my account?",
    "The new version works well and is much faster than before.",
)
"""Neutral texts for trials without examples of the reader's own."""
_MAX_EXAMPLES = 32
_MAX_LETTERS = 2000
_WALL_S = 180.0
_NOT_CHECKED = (
    "whether the answers are right: that needs labelled examples of your own",
    "calibration and bias: they need labelled examples",
    "other devices and library versions",
)


def observe_behavior(
    model: str,
    examples: Sequence[str] = (),
    *,
    executor: Executor = FRESH_PROCESSES,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> BehaviorObservation:
    """Try how steady a model's answers are under changes that should not matter; takes seconds, on the CPU.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        examples: Up to 32 texts of up to 2000 letters to try it with; a few neutral English ones when absent.
        executor: Where the worker runs.
        sources: Where models may come from.
        progress: Told about each step.
        cancel: Kills the worker.

    Returns:
        The trials, each with its agreement and its tolerance.

    Raises:
        InvalidArgument: The examples are too many, too long or empty.
        UnsupportedModel: The model answers nothing that can be compared.
        WorkerFailed: The worker crashed or ran out of time.
    """
    texts = _checked(examples)
    snapshot = fetch_model(model, sources=sources, cancel=cancel)
    check_unchanged(snapshot)
    job: dict[str, Any] = {
        "kind": "trials",
        "root": snapshot.root,
        "device": "cpu",
        "dtype": "auto",
        "examples": list(texts),
        "threads": cpu_threads(),
    }
    with executor.lease("cpu", progress=progress, cancel=cancel):
        record = executor.run(job, WorkerLimits(wall_s=_WALL_S), needed_mib=None, progress=progress, cancel=cancel)
    return BehaviorObservation(
        model=snapshot.model,
        commit=snapshot.commit,
        trials=tuple(Trial(**trial) for trial in record["trials"]),
        examples_used=texts if record["texts_used"] else (),
        not_checked=(*record["not_made"], *_NOT_CHECKED),
    )


def _checked(examples: Sequence[str]) -> tuple[str, ...]:
    texts = tuple(examples) or EXAMPLES
    if len(texts) > _MAX_EXAMPLES:
        raise InvalidArgument(f"{len(texts)} examples are more than {_MAX_EXAMPLES}.", "Give fewer.")
    for text in texts:
        if not isinstance(text, str) or not text.strip() or len(text) > _MAX_LETTERS:
            raise InvalidArgument("An example is empty or too long.", f"Give texts of 1 to {_MAX_LETTERS} letters.")
    return texts
