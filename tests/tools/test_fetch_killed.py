"""Row T21 and T23: a fetch that is killed at any moment leaves nothing that could be taken for a whole model."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import time
from pathlib import Path

import pytest

from tools.errors import ModelNotFound
from tools.fetching import fetch_model
from tools.hub_access.cache import UNFINISHED

MOMENTS = 20
LONGEST_S = 0.5
"""A little longer than a fetch takes from the slowed hub, so that any moment of it can be met."""


@pytest.fixture(scope="module")
def processes():
    """Starts children that have imported everything, in milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.fetching", "huggingface_hub", "huggingface_hub.hf_api", "httpx2"])
    return context


def sound_or_absent(sources, commit, files):
    """What an offline fetch finds: the whole model, or none."""
    offline = sources.model_copy(update={"offline": True})
    try:
        snapshot = fetch_model(f"org/larger@{commit}", sources=offline)
    except ModelNotFound:
        return "absent"
    assert {file.name for file in snapshot.files} == set(files)
    assert all(Path(snapshot.root, name).read_bytes() == content for name, content in files.items())
    return "whole"


def blobs_are_what_their_names_say(sources):
    for blob in sources.cache_dir.glob("models--*/blobs/*"):
        content = blob.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        assert UNFINISHED in blob.name or blob.name in {git, hashlib.sha256(content).hexdigest()}


def test_T21_T23_nothing_half_written_is_taken_after_a_kill_at_any_moment(
    hub, hub_sources, make_larger_files, processes
):
    hub.fail("model.safetensors", "slow", skip=0, piece_bytes=100_000, pause_s=0.01)
    moments = random.Random(4)
    found, left_unfinished = [], 0
    for round_number in range(MOMENTS):
        files = make_larger_files(f"round {round_number}")
        commit = hub.commit("org/larger", files)
        child = processes.Process(target=fetch_model, args=("org/larger",), kwargs={"sources": hub_sources})
        child.start()
        time.sleep(moments.uniform(0, LONGEST_S))
        child.kill()
        child.join()
        left_unfinished += any(hub_sources.cache_dir.rglob(f"*{UNFINISHED}"))
        found.append(sound_or_absent(hub_sources, commit, files))
        blobs_are_what_their_names_say(hub_sources)
        fetch_model("org/larger", sources=hub_sources)
        assert sound_or_absent(hub_sources, commit, files) == "whole"
        assert not any(hub_sources.cache_dir.rglob(f"*{UNFINISHED}")), "what was left is swept"
    assert "absent" in found
    assert left_unfinished > 0, "no kill came in the middle"


def test_T23_a_part_of_an_older_commit_is_swept(hub, hub_sources, make_larger_files):
    old = make_larger_files("old")
    hub.commit("org/larger", old)
    blobs = hub_sources.cache_dir / "models--org--larger" / "blobs"
    blobs.mkdir(parents=True)
    abandoned = blobs / (hashlib.sha256(old["model.safetensors"]).hexdigest() + UNFINISHED)
    abandoned.write_bytes(old["model.safetensors"][:1000])
    hub.commit("org/larger", make_larger_files("new"))
    fetch_model("org/larger", sources=hub_sources)
    assert not abandoned.exists()
