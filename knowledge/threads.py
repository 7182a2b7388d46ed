"""Models and threads: one is loaded at a time, and a short text is read by one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_LOADING = Lock()


@contextmanager
def loading() -> Iterator[None]:
    """Import transformers and load a model in here: it cannot do either in two threads at once without losing parts.

    Its own bars are off, which would stand between the lines of ours.
    """
    with _LOADING:
        from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415 (heavy import, only when needed)

        disable_progress_bar()
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch in the calling thread alone, for a short text: its threads would wait for each other longer than they work.

    On two cores a question of twenty words takes half the time, and a tenth where something else runs too. Other threads of
    the process keep their number.
    """
    import torch  # noqa: PLC0415 (heavy import, only when needed)

    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)
