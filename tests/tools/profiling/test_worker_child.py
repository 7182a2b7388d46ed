"""What runs apart from the measured process: its answer comes back, and its end is never ours."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
import torch


def test_tensors_texts_and_numbers_come_back(worker):
    large = torch.arange(1_000_000)
    found = worker.in_child(lambda: {"ids": large, "note": "words", "parts": [[1, 2], []], "pid": os.getpid()}, 30)
    assert torch.equal(found["ids"], large)
    assert (found["note"], found["parts"]) == ("words", [[1, 2], []])
    assert found["pid"] != os.getpid()


@pytest.mark.parametrize("ending", [lambda: 1 // 0, lambda: sys.exit(0), lambda: os.kill(os.getpid(), signal.SIGKILL)])
def test_a_child_that_crashes_gives_nothing(worker, ending):
    assert worker.in_child(ending, 30) is None


def test_a_child_that_hangs_is_killed(worker):
    start = time.monotonic()
    assert worker.in_child(lambda: time.sleep(60), 0.3) is None
    assert time.monotonic() - start < 30
