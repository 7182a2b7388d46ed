"""Where measurements run follows the settings and how long the assistant lives."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assistant.services import Services
from assistant.settings import Settings
from tools.profiling.executors import FRESH_PROCESSES
from tools.profiling.fork_server import ForkServer
from tools.profiling.ray_executor import RayExecutor


@pytest.fixture
def services(data_folder):
    made = []

    def make(lasting=False, **settings):
        made.append(Services(Settings(home=data_folder, **settings), lasting=lasting))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_executor_is_that_of_the_settings(services):
    assert services().executor is FRESH_PROCESSES
    assert isinstance(services(lasting=True).executor, ForkServer)
    assert isinstance(services(lasting=True, executor="ray").executor, RayExecutor)


def test_closing_ends_the_process_that_forks(services):
    lasting = services(lasting=True)
    lasting.executor.warm()
    pid = lasting.executor.pid
    assert pid is not None
    lasting.close()
    assert lasting.executor.pid is None
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
