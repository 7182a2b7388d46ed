"""The worker as a task of a real Ray cluster on this machine: same limits, same typed errors, nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tools.profiling.worker_programs import JOB, START, gone
from tools.errors import Cancelled, DeviceError, OutOfMemory, UnsupportedModel, WorkerFailed
from tools.profiling import profile_model
from tools.profiling.isolation import WorkerLimits
from tools.profiling.ray_executor import RayExecutor, fitted
from tools.profiling.ray_task import packed, unpacked
from tools.progress import CancelToken

SMALL = WorkerLimits(memory_mib=300)
GIB = 2.0**30


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A local cluster, and the file of the worker's program."""
    pytest.importorskip("ray")
    path = tmp_path_factory.mktemp("ray") / "program.py"
    executor = RayExecutor(program=path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(path.parent))  # leases of its own: other measurements of this machine do not matter
        yield executor, path
    executor.close()


@pytest.fixture
def run(cluster):
    """Runs a body as the worker's program."""
    executor, path = cluster

    def start(body, limits=SMALL, job=JOB, **options):
        path.write_text(START + body, encoding="utf-8")
        return executor.run(job, limits, **options)

    return start


def test_record_and_progress_come_back_from_a_worker_that_is_cut_off(run, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canary_0123")
    seen = []
    record = run(
        "send(progress=[0.5, 'Half'])\nsend(record={'lines': lines, 'env': dict(os.environ), 'threads': job['threads']})",
        progress=lambda *step: seen.append(step),
    )
    assert seen == [(0.0, "Waiting for a node of the Ray cluster"), (0.5, "Half")]
    assert record["lines"][0].startswith("own process group")
    assert any("300 MiB of memory" in line for line in record["lines"])
    assert record["threads"] == 1
    assert record["wall_s"] > 0
    assert record["device_name"]
    assert "canary" not in str(record)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("os.kill(os.getpid(), 11)", WorkerFailed, "SIGSEGV"),
        ("os.kill(os.getpid(), 9)", OutOfMemory, "about 77 MiB were forecast, 300 MiB were free"),
        ("send(error={'kind': 'dishonest', 'message': 'half'})", UnsupportedModel, "rule T10"),
        ("time.sleep(60)", WorkerFailed, "stopped after 2 s"),
    ],
)
def test_T24_errors_come_back_typed_with_what_was_measured(run, body, kind, text):
    with pytest.raises(kind, match=text) as caught:
        run("send(part={'runs': [1]})\nsend(part={'runs': [2]})\n" + body, WorkerLimits(memory_mib=300, wall_s=2.0),
            needed_mib=77)  # fmt: skip
    assert caught.value.partial == {"runs": [1, 2]}
    assert caught.value.next_step
    assert caught.value.code == ("T10" if kind is UnsupportedModel else kind.__name__)
    if kind is OutOfMemory:
        assert caught.value.details == {"needed_mib": 77, "available_mib": 300}


def test_T23_cancelling_ends_the_worker_on_its_node(run, tmp_path):
    note, token = tmp_path / "pid", CancelToken()
    with pytest.raises(Cancelled) as caught:
        run(
            f"open({str(note)!r}, 'w').write(str(os.getpid()))\n"
            "send(part={'runs': [1]}); send(progress=[0, 'x']); time.sleep(60)",
            cancel=token,
            progress=lambda _, message: token.cancel() if message == "x" else None,
        )
    assert caught.value.partial == {"runs": [1]}
    assert gone(int(note.read_text(encoding="ascii")))
    assert run("send(record={})")["wall_s"]


@pytest.mark.skipif(sys.platform != "linux", reason="the tie to the parent is Linux's")
def test_T23_a_killed_task_takes_its_worker_along(run, tmp_path):
    note = tmp_path / "pid"

    def kill(_, message):
        if message == "x":
            os.kill(int(note.read_text(encoding="ascii").split()[1]), signal.SIGKILL)

    with pytest.raises(WorkerFailed, match="task of the Ray cluster") as caught:
        run(
            f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')\n"
            "send(part={'runs': [1]}); send(progress=[0, 'x']); time.sleep(60)",
            progress=kill,
        )
    assert caught.value.partial == {"runs": [1]}
    assert gone(int(note.read_text(encoding="ascii").split()[0]))


def test_what_no_node_can_take_is_refused_at_once(run):
    body = "send(record={'device': job['device']})"
    with pytest.raises(DeviceError, match="has no GPU"):
        run(body, job={**JOB, "device": "cuda:0"})
    with pytest.raises(OutOfMemory, match="No node of the Ray cluster has the memory: about 100,000,000 MiB"):
        run(body, needed_mib=1e8)
    assert run(body, job={**JOB, "device": "cuda:0", "fall_back": True})["device"] == "cpu"


def test_files_that_the_node_does_not_see_are_named(run, tmp_path):
    with pytest.raises(DeviceError, match="not readable on the node") as caught:
        run("send(record={})", job={**JOB, "root": str(tmp_path / "elsewhere")})
    assert caught.value.code == "not_on_node"


def test_a_job_is_fitted_to_the_nodes():
    nodes = [{"CPU": 4.0, "memory": 8 * GIB}, {"CPU": 2.0, "memory": 4 * GIB, "GPU": 1.0}]
    job, request = fitted({"device": "cpu", "threads": 16}, 5000.0, nodes)
    assert (job["threads"], job["device"]) == (4, "cpu")
    assert request.options() == {"num_cpus": 4, "num_gpus": 0, "memory": 5000 * 2**20}
    job, request = fitted({"device": "cpu", "threads": 16, "fall_back": True}, 5000.0, nodes)
    assert (job["threads"], job["device"]) == (2, "cuda:0")
    assert request.options() == {"num_cpus": 2, "num_gpus": 1}
    with pytest.raises(DeviceError, match="no node with a processor"):
        fitted({"device": "cpu", "threads": 1}, None, [{"memory": 1.0}])


def test_an_absent_library_and_an_address_of_another_kind_are_told(monkeypatch):
    with pytest.raises(DeviceError, match="address of Ray's client"):
        RayExecutor("ray://127.0.0.1:10001").run(JOB)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceError, match="does not answer"):
            RayExecutor(f"127.0.0.1:{closed.getsockname()[1]}").run(JOB)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DeviceError, match="Ray is not installed here"):
        RayExecutor().run(JOB)


def test_an_error_is_the_same_after_its_way():
    error = OutOfMemory("m `x`", "n", code="c", needed_mib=1.5)
    again = unpacked(packed(error))
    assert type(again) is OutOfMemory
    assert (str(again), again.code, again.details) == (str(error), "c", {"needed_mib": 1.5})


def test_a_real_measurement_says_that_it_ran_as_a_task(cluster, tiny_models):
    profile = profile_model(
        str(tiny_models["bert"]), "cpu", batch_sizes=[1, 2], sequence_lengths=[8], repeats=3, executor=RayExecutor()
    )
    assert profile.executor == "ray"
    assert [run.error for run in profile.runs] == [None, None]
    assert profile.wall_s > profile.load_s
    assert any(line.startswith("own process group") for line in profile.isolation)


def test_T23_a_killed_driver_leaves_no_worker_behind(cluster, tmp_path):
    note, path = tmp_path / "pid", tmp_path / "program.py"
    path.write_text(START + f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)", encoding="utf-8")
    code = (
        "from pathlib import Path; from tools.profiling.ray_executor import RayExecutor; "
        f"RayExecutor('auto', program=Path({str(path)!r})).run({JOB!r})"
    )
    driver = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    end = time.monotonic() + 60
    while not (note.exists() and note.read_text(encoding="ascii")) and time.monotonic() < end:
        time.sleep(0.05)
    worker = int(note.read_text(encoding="ascii"))
    driver.kill()
    driver.wait()
    assert gone(worker, within_s=30)
