"""Workers forked from a process that has the libraries: the same figures, limits and ends as of fresh ones."""

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
from tools.profiling.fork_server import LIBRARIES, ForkServer
from tools.profiling.isolation import WORKER, WorkerLimits, run_worker, sweep_leftovers
from tools.progress import CancelToken

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server is Linux's")

ABOUT_ITSELF = """
import socket
send(record={"env": dict(os.environ), "path": sys.path, "files": os.listdir("."), "parent": os.getppid(),
     "group": os.getpgrp() == os.getpid(), "isolated": sys.flags.isolated, "lines": lines,
     "nets": [name for _, name in socket.if_nameindex()], "left": os.path.exists(os.environ["HOME"] + "/note"),
     "handles": sorted(int(each) for each in os.listdir("/proc/self/fd")), "folder": os.getcwd()})
open(os.environ["HOME"] + "/note", "w").write("from one job to the next?")
"""
SIZES = f"""
import {", ".join(LIBRARIES)}
import worker_memory
send(record={{"resident": worker_memory.resident_mib(), "peak": worker_memory.peak_mib(),
     "split": worker_memory.split_mib(), "imported": job.get("imported_s")}})
"""


def written(path, within_s=30.0):
    end = time.monotonic() + within_s
    while not (path.exists() and path.read_text(encoding="ascii")) and time.monotonic() < end:
        time.sleep(0.05)
    return int(path.read_text(encoding="ascii"))


@pytest.fixture
def program(tmp_path):
    """The worker's program, whose body a test writes: with the real limits."""

    def write(body):
        (tmp_path / "program.py").write_text(START + body, encoding="utf-8")
        return tmp_path / "program.py"

    return write


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server without heavy libraries."""
    monkeypatch.setenv("HF_TOKEN", "hf_canary_0123")
    made = ForkServer(threads=1, libraries=("json",), program=tmp_path / "program.py")
    yield made
    made.close()


@pytest.fixture(scope="module")
def heavy(tmp_path_factory):
    """A server with the real libraries, whose program a test may write."""
    path = tmp_path_factory.mktemp("heavy") / "program.py"
    made = ForkServer(threads=1, program=path)
    yield made, path
    made.close()


def test_a_forked_worker_is_cut_off_like_a_fresh_one(program, server):
    limits = WorkerLimits(memory_mib=2000)
    fresh = run_worker(JOB, limits, program=program(ABOUT_ITSELF))
    first, again = server.run(JOB, limits), server.run(JOB, limits)
    for forked in (first, again):
        assert forked["parent"] == server.pid
        assert forked["env"].keys() == fresh["env"].keys()
        assert "canary" not in str(forked)
        for name in ("lines", "nets", "group", "isolated", "files", "handles"):
            assert forked[name] == fresh[name], name
        assert not forked["left"]
        assert Path(forked["folder"]).parent == Path(forked["env"]["HOME"])
    assert first["parent"] == again["parent"]


def test_what_is_not_forked_runs_in_a_fresh_process(program, server):
    program("send(record={'parent': os.getppid()})")
    for job in ({**JOB, "device": "cuda:0"}, {**JOB, "threads": 2}):
        assert server.run(job)["parent"] == os.getpid()
    assert server.pid is None
    broken = ForkServer(threads=1, libraries=("no_such_module",), program=program("send(record={'p': os.getppid()})"))
    assert broken.run(JOB) == {"p": os.getpid()}
    assert broken.run(JOB) == {"p": os.getpid()}


def test_two_at_a_time_do_not_wait_for_each_other(program, server, tmp_path):
    note = tmp_path / "pid"
    token, ended = CancelToken(), []

    def long_job():
        try:
            server.run(JOB, cancel=token)
        except Cancelled as error:
            ended.append(error)

    program(f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    thread = threading.Thread(target=long_job)
    thread.start()
    written(note)
    program("send(record={'parent': os.getppid()})")
    assert server.run(JOB)["parent"] == os.getpid()
    token.cancel()
    thread.join(20)
    assert ended


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("os.kill(os.getpid(), 11)", WorkerFailed, "SIGSEGV"),
        ("os.kill(os.getpid(), 9)", OutOfMemory, "the system ended the process"),
        ("try:\n    bytearray(2**31)\nexcept MemoryError:\n    send(error={'kind': 'memory'})", OutOfMemory, "300 MiB"),
        ("raise ValueError('what')", WorkerFailed, r"exit status 1\). ValueError: what"),
        ("os._exit(7)", WorkerFailed, "exit status 7"),
    ],
)
def test_T24_an_end_is_told_as_of_a_fresh_worker_and_the_server_stays(program, server, body, kind, text):
    program("send(part={'runs': [1]})\n" + body)
    with pytest.raises(kind, match=text) as caught:
        server.run(JOB, WorkerLimits(memory_mib=300))
    assert caught.value.partial == {"runs": [1]}
    before = server.pid
    program("send(record={'parent': os.getppid()})")
    assert server.run(JOB)["parent"] == before


@pytest.mark.parametrize("how", ["time", "cancel"])
def test_T24_a_hanging_worker_ends_with_its_children(program, server, tmp_path, how):
    note = tmp_path / "child"
    program(f"""
child = os.fork()
if child:
    open({str(note)!r}, "w").write(str(child))
    send(progress=[0, "x"])
time.sleep(60)
""")
    token = CancelToken()
    with pytest.raises(WorkerFailed if how == "time" else Cancelled):
        server.run(
            JOB, WorkerLimits(wall_s=3.0 if how == "time" else 60.0), cancel=token,
            progress=lambda _, message: token.cancel() if how == "cancel" and message == "x" else None,
        )  # fmt: skip
    assert gone(int(note.read_text(encoding="ascii")))
    assert server.pid is not None


def test_T23_a_killed_server_takes_its_worker_along_and_the_next_job_starts_another(program, server, tmp_path):
    note = tmp_path / "pid"
    program(f"open({str(note)!r}, 'w').write(str(os.getpid())); send(part={{'runs': [1]}}); time.sleep(60)")
    killed = []

    def kill():
        killed.append(written(note))
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGKILL)

    threading.Thread(target=kill).start()
    with pytest.raises(WorkerFailed, match="process that starts the workers ended") as caught:
        server.run(JOB)
    assert caught.value.partial == {"runs": [1]}
    assert gone(killed[0])
    program("send(record={'parent': os.getppid()})")
    assert server.run(JOB)["parent"] == server.pid
    os.kill(server.pid, signal.SIGKILL)
    assert server.run(JOB)["parent"] == server.pid


def test_T23_server_and_worker_end_with_their_killed_parent(program, tmp_path):
    note = tmp_path / "pid"
    path = program(
        f"open({str(note)!r}, 'w').write(str(os.getppid())); child = os.fork()\n"
        f"open({str(note)!r} + str(bool(child)), 'w').write(str(os.getpid())); time.sleep(60)"
    )
    code = (
        "from pathlib import Path; from tools.profiling.fork_server import ForkServer; "
        f"ForkServer(threads=1, libraries=('json',), program=Path({str(path)!r})).run({JOB!r})"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    pids = [written(Path(f"{note}{suffix}")) for suffix in ("True", "False", "")]
    assert all(alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    assert all(gone(pid) for pid in pids)
    sweep_leftovers()
    assert not list(Path(tempfile.gettempdir()).glob(f"tameshi-worker-{parent.pid}-*"))


def test_an_idle_server_ends_and_comes_back(program):
    server = ForkServer(idle_s=0.2, threads=1, libraries=("json",), program=program("send(record={})"))
    server.run(JOB)
    end = time.monotonic() + 10
    while server.pid is not None and time.monotonic() < end:
        time.sleep(0.05)
    assert server.pid is None
    assert server.run(JOB) == {}
    server.close()
    assert server.pid is None
    assert not list(Path(tempfile.gettempdir()).glob(f"tameshi-worker-{os.getpid()}-*"))


def test_a_forked_worker_is_as_large_as_a_fresh_one(heavy):
    server, path = heavy
    path.write_text(START + SIZES, encoding="utf-8")
    forked, fresh = server.run(JOB), run_worker(JOB, program=path)
    assert forked["imported"] > 0
    assert fresh["imported"] is None
    for name in ("resident", "peak"):
        assert forked[name] == pytest.approx(fresh[name], rel=0.02), name
    for forked_part, fresh_part in zip(forked["split"], fresh["split"], strict=True):
        assert forked_part == pytest.approx(fresh_part, rel=0.03)


def test_T05_a_real_measurement_is_forked_and_runs_no_file_of_the_model(heavy, tiny_models, tmp_path):
    server, path = heavy
    path.write_text(WORKER.read_text(encoding="utf-8").replace("__file__", repr(str(WORKER))), encoding="utf-8")
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_models["bert"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    for name in ("torch.py", "json.py", "sitecustomize.py", "worker_timing.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    job = {
        **JOB, "kind": "profile", "root": str(folder), "dtype": "auto", "new_tokens": 0, "batch_sizes": [1, 2],
        "sequence_lengths": [8],
    }  # fmt: skip
    record = server.run(job)
    assert record["imports"] == "fork_server"
    assert [run["error"] for run in record["runs"] if run.get("error")] == []
    assert "no network" in record["isolation"] or any("network not cut" in line for line in record["isolation"])
    assert not (tmp_path / "ran").exists()
