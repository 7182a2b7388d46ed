"""What all tests share: a temporary data folder, and no hub. Sockets off loopback are refused by pytest's options."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest


def pytest_configure(config):
    """Beside other workers a worker has its own temporary folder, where the leases of devices lie, and one thread."""
    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker:
        own = Path(tempfile.gettempdir()) / f"tameshi-{worker}"
        own.mkdir(exist_ok=True)
        patch = pytest.MonkeyPatch()
        patch.setenv("TMPDIR", str(own))
        patch.setenv("OMP_NUM_THREADS", "1")
        tempfile.tempdir = None


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch):
    """No library looks for a hub by itself; a test that runs its own hub names it in its sources."""
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A fresh data folder, also set as TAMESHI_HOME."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("TAMESHI_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def guidance_index(request):
    """Folder of the real guidance index.

    Embedding all texts takes half a minute on two cores, so the index stays in pytest's cache; it rebuilds itself when
    guidance or model differ, as the application's does.
    """
    return Path(request.config.cache.mkdir("guidance-index"))


@pytest.fixture(scope="module")
def browser():
    """The real Chromium; tests that use it are marked `browser` and skipped where there is none."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()
