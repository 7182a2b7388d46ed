"""What a worker had measured outlives it, however it ends; with real processes."""

from __future__ import annotations

import pytest

from tests.tools.profiling.worker_programs import JOB, START
from tools.errors import Cancelled, OutOfMemory, ToolError, WorkerFailed
from tools.profiling.isolation import WorkerLimits, run_worker
from tools.progress import CancelToken

SENT = """
send(part={"dtype": "float32", "runs": [], "left": [1]})
send(part={"runs": [{"batch_size": 1}], "left": None})
send(part={"runs": [{"batch_size": 8}], "load_s": 0.5})
"""
COLLECTED = {"dtype": "float32", "runs": [{"batch_size": 1}, {"batch_size": 8}], "left": None, "load_s": 0.5}
ENDS = {
    "killed for memory": ("os.kill(os.getpid(), 9)", OutOfMemory, "the system ended the process"),
    "eats memory": (
        "try:\n    eaten = [bytearray(64 * 2**20) for _ in range(64)]\n"
        "except MemoryError:\n    send(error={'kind': 'memory', 'message': 'no more'})",
        OutOfMemory,
        "300 MiB were free",
    ),
    "crashes": ("os.kill(os.getpid(), 11)", WorkerFailed, "SIGSEGV"),
    "hangs": ("time.sleep(60)", WorkerFailed, "stopped after 3 s"),
    "says why": ("send(error={'kind': 'crash', 'message': 'x', 'type': 'E'})", WorkerFailed, "E: x"),
    "talks nonsense": ("print('hello', flush=True)", WorkerFailed, "something else"),
}


@pytest.fixture
def program(tmp_path):
    def write(body):
        path = tmp_path / "program.py"
        path.write_text(START + SENT + body, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("end", ENDS)
def test_T24_the_error_carries_what_was_measured(program, end):
    body, kind, text = ENDS[end]
    with pytest.raises(kind, match=text) as caught:
        run_worker(JOB, WorkerLimits(wall_s=3.0 if end == "hangs" else 60.0, memory_mib=300), program=program(body))
    assert caught.value.partial == COLLECTED


def test_T24_a_cancelled_measurement_keeps_what_was_measured(program):
    token = CancelToken()
    path = program("send(progress=[0.5, 'Half']); time.sleep(60)")
    with pytest.raises(Cancelled) as caught:
        run_worker(JOB, cancel=token, progress=lambda *_: token.cancel(), program=path)
    assert caught.value.partial == COLLECTED


def test_parts_are_no_record_and_an_error_without_parts_is_empty(program):
    assert run_worker(JOB, program=program("send(record={'x': 1})")) == {"x": 1}
    assert ToolError("m", "n").partial == {}
