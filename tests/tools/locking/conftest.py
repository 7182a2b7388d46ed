"""Entries of a lock, made from real small models by the tools themselves."""

from __future__ import annotations

import pytest

from tools.documentation import check_documentation
from tools.fetching import fetch_model
from tools.file_safety import inspect_files
from tools.lock import write_lock
from tools.locking.entry import lock_entry
from tools.locking.records import Lock
from tools.memory import estimate_memory


@pytest.fixture
def lock_path(tmp_path):
    """Where the lock of a test lies."""
    return tmp_path / "models.lock"


@pytest.fixture
def locked(lock_path):
    """The function that locks a model: runs the tools, writes the lock, and returns the entry."""

    def lock(model, sources, **more):
        records = [
            tool(model, sources=sources) for tool in (fetch_model, inspect_files, check_documentation, estimate_memory)
        ]
        entry = lock_entry(*records, lock_path=lock_path, by="somebody", **more)
        write_lock(Lock(models=(entry,)), lock_path)
        return entry

    return lock
