"""Files of every kind, and a library of documents whose embedding takes no time."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(name):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_load("document_files")
hash_embedder = _load("hash_embedder")


@pytest.fixture
def embedder():
    """The fast embedder, which counts what it embeds."""
    return hash_embedder.HashEmbedder()


@pytest.fixture
def open_library(tmp_path, embedder):
    """The function that opens the library of the test's folder, once more each time as another process would."""
    from assistant.team_documents.library import TeamDocuments

    opened = []

    def open_one():
        opened.append(
            TeamDocuments(f"sqlite:///{tmp_path / 'team.sqlite3'}", lambda: embedder, tmp_path / "index" / "documents")
        )
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def library(open_library):
    """The library of the test's folder."""
    return open_library()
