"""One lease per device, held by real processes and ended by their death."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tools.errors import Cancelled, DeviceError, InvalidArgument
from tools.free_memory import available_memory_mib
from tools.profiling.device import cpu_name, cpu_threads, device_lease, resolve_device
from tools.progress import CancelToken


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_facts_of_this_machine():
    assert cpu_name()
    assert cpu_threads() >= 1
    memory = available_memory_mib()
    assert memory is None or memory > 0


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu; rm", ""])
def test_unknown_devices_are_refused(device):
    with pytest.raises(InvalidArgument):
        resolve_device(device)


def test_T25_a_second_measurement_waits_and_sees_its_place():
    seen: list[str] = []
    held: list[float] = []

    def second():
        with device_lease("cpu", progress=lambda _, message: seen.append(message)) as waited:
            held.append(waited)

    with device_lease("cpu"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.6)
        assert held == []
    thread.join(5)
    assert held[0] > 0.4
    assert seen[0] == "Waiting for cpu: 1 before this one"


def test_T25_places_move_up_when_a_waiter_gives_up_or_has_its_turn():
    seen: dict[str, list[str]] = {"second": [], "third": []}
    tokens = {name: CancelToken() for name in seen}
    turn: dict[str, threading.Event] = {name: threading.Event() for name in seen}
    given_up: list[str] = []

    def wait(name):
        try:
            with device_lease("cpu", progress=lambda _, message: seen[name].append(message), cancel=tokens[name]):
                turn[name].set()
        except Cancelled:
            given_up.append(name)

    def start(name):
        thread = threading.Thread(target=wait, args=(name,))
        thread.start()
        while not seen[name]:
            time.sleep(0.02)
        return thread

    with device_lease("cpu"):
        threads = [start("second"), start("third")]
        assert seen["second"][-1] == "Waiting for cpu: 1 before this one"
        assert seen["third"][-1] == "Waiting for cpu: 2 before this one"
        tokens["second"].cancel()
        threads[0].join(5)
        assert given_up == ["second"]
        place = len(seen["third"])
        while len(seen["third"]) < place + 2:
            time.sleep(0.02)
        assert seen["third"][-1] == "Waiting for cpu: 1 before this one"
        assert not turn["third"].is_set()
    assert turn["third"].wait(5)
    threads[1].join(5)


def test_T25_many_at_once_have_it_one_after_another():
    inside, most = [], []

    def measure():
        with device_lease("cpu"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=measure) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1] * 8


def test_T25_waiting_can_be_cancelled_and_ends():
    token = CancelToken()
    token.cancel()
    with device_lease("cpu"):
        with pytest.raises(Cancelled), device_lease("cpu", cancel=token):
            pass
        with pytest.raises(DeviceError, match="stayed busy"), device_lease("cpu", wait_s=0.3):
            pass
    with device_lease("cpu") as waited:
        assert waited < 1


def test_T23_a_killed_holder_gives_its_lease_back(tmp_path):
    code = (
        "import tempfile, time; "
        f"tempfile.tempdir = {str(tmp_path)!r}; "
        "from tools.profiling.device import device_lease\n"
        "with device_lease('cpu'): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE)
    assert holder.stdout.readline().strip() == b"held"
    with pytest.raises(DeviceError), device_lease("cpu", wait_s=0.3):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with device_lease("cpu", wait_s=2) as waited:
        assert waited < 2
