"""Models and threads: one is loaded at a time, and a short text is read by one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

LOADING = Lock()
"""Held while transformers is imported and loads a model: it cannot do either in two threads at once without losing parts."""


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
