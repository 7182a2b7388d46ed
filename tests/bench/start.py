"""How long until the page is served, against the least Gradio chat started the same way."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.home import BenchHome
from tests.bench.machine import ROOT, environment_of_user
from tests.bench.results import Result, quantile, quantiles, rounded

RATIO = 1.3
PAIRS = 7
LONGEST_S = 120.0
BARE = Path(__file__).parent / "bare_chat.py"
_POLL_S = 0.005


def measure(home: BenchHome) -> list[Result]:
    """Start both in turn, the first of a pair changing, after one start of each that does not count."""
    folder = home.copy("start")

    def application() -> float:
        port = _free_port()
        own = {"TAMESHI_HOME": str(folder), "TAMESHI_PORT": str(port), "TAMESHI_OFFLINE": "1"}
        return time_start(["app.py"], port, own)

    def bare() -> float:
        port = _free_port()
        return time_start([str(BARE), str(port)], port, {})

    application(), bare()
    pairs = [_pair(application, bare, bare_first=i % 2 == 1) for i in range(1 if home.quick else PAIRS)]
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    conditions = (
        f"process start to first HTTP 200, {len(pairs)} pairs in turn, the order within a pair changing, after one start "
        "of each; index there already"
    )
    return [
        Result(
            name="start.ratio", title="First HTTP 200 against a bare Gradio chat",
            value=rounded(quantile(ours, 0.5) / quantile(theirs, 0.5)), unit="ratio", goal=RATIO, n=len(pairs),
            spread=quantiles([a / b for a, b in pairs]), conditions=f"ratio of the medians; {conditions}",
        ),
        *(
            Result(
                name=f"start.{name}", title=title, value=rounded(quantile(seconds, 0.5)), unit="s", n=len(pairs),
                spread=quantiles(seconds), conditions=f"median; {conditions}",
            )
            for name, title, seconds in (
                ("application", "First HTTP 200 of the application", ours),
                ("bare", "First HTTP 200 of a bare Gradio chat", theirs),
            )
        ),
    ]  # fmt: skip


def time_start(program: list[str], port: int, own: dict[str, str]) -> float:
    """Seconds from the start of a Python program to its first page; the program is ended then.

    Args:
        program: The program and its arguments.
        port: Where it will serve.
        own: What its environment has beside the present one, freed of our settings.
    """
    environment = environment_of_user(GRADIO_ANALYTICS_ENABLED="False", **own)
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *program], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _served(port):
            if process.poll() is not None or time.perf_counter() - start > LONGEST_S:
                raise RuntimeError(f"`{Path(program[0]).name}` did not serve its page")
            time.sleep(_POLL_S)
        return time.perf_counter() - start
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pair(ours: Callable[[], float], bare: Callable[[], float], *, bare_first: bool) -> tuple[float, float]:
    if bare_first:
        theirs = bare()
        return ours(), theirs
    return ours(), bare()


def _served(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
