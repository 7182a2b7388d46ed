"""A temporary data folder with the real guidance index, built once for the whole bench."""

from __future__ import annotations

import shutil
import tempfile
from functools import cached_property
from pathlib import Path

from assistant.settings import Settings


class BenchHome:
    """The data folder.

    Args:
        quick: Whether the parts are to take few samples, to see that they work.
    """

    def __init__(self, *, quick: bool = False) -> None:
        self.quick = quick
        self.folder = Path(tempfile.mkdtemp(prefix="tameshi-bench-"))
        """The temporary folder, for whatever a part writes."""

    @cached_property
    def settings(self) -> Settings:
        """Settings of an assistant that has been started before: the index is there and the database too."""
        from assistant.services import Services

        settings = Settings(home=self.folder / "home", llm="pilot", offline=True, database_url="", language="auto")
        settings.home.mkdir()
        services = Services(settings)
        problem = services.search.index_problem
        services.close()
        if problem:
            raise RuntimeError(f"the index could not be kept: {problem}")
        return settings

    def copy(self, name: str) -> Path:
        """A copy of the data folder, for a process of its own: an index has one writer."""
        return Path(shutil.copytree(self.settings.home, self.folder / name))

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
