"""The real guidance index, kept between test runs, small sound indexes, and a fast stand-in for the embedding model."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from tools.mirrors import bundled_folder

pytest.register_assert_rewrite("tests.knowledge.index_folders")


def _hash_embedder():
    path = Path(__file__).parent.parent / "hash_embedder.py"
    spec = importlib.util.spec_from_file_location("hash_embedder", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.HashEmbedder


@pytest.fixture(scope="session")
def make_embedder():
    """The class of the fast embedder."""
    return _hash_embedder()


@pytest.fixture(scope="session")
def search(guidance_index):
    """The real search: bundled MiniLM over the real guidance; `warm(questions)` embeds many together."""
    from knowledge.embedding import Embedder
    from knowledge.glossary import translate
    from knowledge.search import GuidanceSearch

    class RememberingEmbedder(Embedder):
        """Embeds no text twice: questions together cost a tenth of what they cost one by one."""

        def __init__(self, folder):
            super().__init__(folder)
            self._known = {}

        def embed(self, texts):
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            self._known.update(zip(new, super().embed(new), strict=True))
            return np.stack([self._known[text] for text in texts])

    class WarmedSearch(GuidanceSearch):
        def warm(self, questions):
            """Embed what searching for these questions will ask for."""
            self._embedder.embed([*questions, *(translate(question, "en") for question in questions)])

    found = WarmedSearch(guidance_index, RememberingEmbedder(bundled_folder()))
    assert found.index_problem == ""
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory, make_embedder):
    """Folders with a sound index of TEXTS and of LARGE_TEXTS, built with the model `first`."""
    from knowledge.index import open_index
    from tests.knowledge.index_folders import COUNT, LARGE, make_texts

    folders = {count: tmp_path_factory.mktemp("built") / "index" for count in (COUNT, LARGE)}
    for count, folder in folders.items():
        assert open_index(folder, make_texts(count, "old"), make_embedder("first")).built
    return folders


@pytest.fixture
def folder(built, tmp_path):
    """A copy of the sound index of TEXTS."""
    from tests.knowledge.index_folders import COUNT

    return Path(shutil.copytree(built[COUNT], tmp_path / "index"))


@pytest.fixture
def large_folder(built, tmp_path):
    """A copy of the sound index of LARGE_TEXTS."""
    from tests.knowledge.index_folders import LARGE

    return Path(shutil.copytree(built[LARGE], tmp_path / "large"))
