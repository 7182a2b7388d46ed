"""The isolated process, with real processes that crash, hang, flood and are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.tools.profiling.worker_programs import JOB, START, alive, gone
from tools.errors import Cancelled, OutOfMemory, WorkerFailed
from tools.profiling.isolation import WorkerLimits, run_worker, sweep_leftovers
from tools.progress import CancelToken


@pytest.fixture
def program(tmp_path):
    """Writes a worker's program with the real limits and the given body."""

    def write(body: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(START + body, encoding="utf-8")
        return path

    return write


def test_record_comes_back_with_progress(program):
    seen = []
    path = program("send(progress=[0.5, 'Half']); send(record={'lines': lines})")
    record = run_worker(JOB, progress=lambda fraction, message: seen.append((fraction, message)), program=path)
    assert seen == [(0.5, "Half")]
    assert record["lines"][0].startswith("own process group")


def test_T20_environment_holds_no_token_of_ours(program, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canary_0123")
    monkeypatch.setenv("PYTHONPATH", "/canary")
    path = program(
        "send(record={'env': dict(os.environ), 'path': sys.path, 'files': os.listdir('.'), "
        "'group': os.getpgrp() == os.getpid(), 'isolated': sys.flags.isolated})"
    )
    record = run_worker(JOB, program=path)
    assert "canary" not in str(record)
    assert record["env"]["HF_HUB_OFFLINE"] == "1"
    assert record["files"] == []
    assert record["group"]
    assert record["isolated"] == 1


def test_network_is_cut_or_the_record_says_that_it_is_not(program):
    path = program("import socket\nsend(record={'names': [n for _, n in socket.if_nameindex()], 'lines': lines})")
    record = run_worker(JOB, program=path)
    if "no network" in record["lines"]:
        assert record["names"] == ["lo"]
    else:
        assert any(line.startswith("network not cut") for line in record["lines"])


def test_T24_crash_is_named_and_the_parent_lives(program):
    with pytest.raises(WorkerFailed, match="SIGSEGV"):
        run_worker(JOB, program=program("os.kill(os.getpid(), 11)"))


def test_T24_memory_limit_says_what_was_needed_and_what_there_was(program):
    body = "\ntry:\n    bytearray(2 * 2**30)\nexcept MemoryError:\n    send(error={'kind': 'memory', 'message': 'no'})"
    with pytest.raises(OutOfMemory, match=r"about 2,100 MiB were forecast, 300 MiB were free"):
        run_worker(JOB, WorkerLimits(memory_mib=300), needed_mib=2100, program=program(body))


def test_T24_kill_by_the_system_is_out_of_memory(program):
    with pytest.raises(OutOfMemory, match="the system ended the process"):
        run_worker(JOB, program=program("os.kill(os.getpid(), 9)"))


def test_T24_hang_ends_at_the_limit_with_all_children(program, tmp_path):
    note = tmp_path / "child"
    body = f"""
child = os.fork()
if child == 0:
    time.sleep(60)
open({str(note)!r}, "w").write(str(child))
time.sleep(60)
"""
    start = time.monotonic()
    with pytest.raises(WorkerFailed, match="stopped after 1 s"):
        run_worker(JOB, WorkerLimits(wall_s=1.0), program=program(body))
    assert time.monotonic() - start < 10
    assert gone(int(note.read_text(encoding="ascii")))


def test_flood_and_garbage_are_refused(program):
    with pytest.raises(WorkerFailed, match="more than a record"):
        run_worker(JOB, WorkerLimits(reply_bytes=10_000), program=program("print('x' * 100_000, flush=True)"))
    with pytest.raises(WorkerFailed, match="something else"):
        run_worker(JOB, program=program("print('hello', flush=True)"))


def test_large_files_cannot_be_written(program):
    body = "\ntry:\n    open('big', 'wb').write(bytes(100 * 2**20))\nexcept OSError as error:\n    send(record={'e': error.errno})"
    try:
        record = run_worker(JOB, program=program("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)" + body))
    except WorkerFailed:
        return
    assert record["e"] == 27


def test_cancel_kills_the_group(program, tmp_path):
    note = tmp_path / "pid"
    token = CancelToken()
    path = program(f"open({str(note)!r}, 'w').write(str(os.getpid())); send(progress=[0, 'x']); time.sleep(60)")
    threading.Timer(1.0, token.cancel).start()
    with pytest.raises(Cancelled):
        run_worker(JOB, cancel=token, program=path)
    assert gone(int(note.read_text(encoding="ascii")))


@pytest.mark.skipif(sys.platform != "linux", reason="the tie to the parent is Linux's")
def test_T23_worker_dies_with_its_killed_parent(program, tmp_path):
    note = tmp_path / "pid"
    path = program(f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    code = (
        "from pathlib import Path; from tools.profiling.isolation import run_worker; "
        f"run_worker({JOB!r}, program=Path({str(path)!r}))"
    )
    root = Path(__file__).parents[3]
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    end = time.monotonic() + 20
    while not (note.exists() and note.read_text(encoding="ascii")) and time.monotonic() < end:
        time.sleep(0.05)
    worker = int(note.read_text(encoding="ascii"))
    assert alive(worker)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert gone(worker, within_s=5.0)
    sweep_leftovers()
    assert not list(Path(tempfile.gettempdir()).glob(f"tameshi-worker-{parent.pid}-*"))
