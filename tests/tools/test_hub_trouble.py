"""What goes wrong between the hub and us: rows T19, T20 and T21 against a hub that misbehaves."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.errors import AccessDenied, Cancelled, ModelNotFound, SourceUnavailable
from tools.fetching import fetch_model
from tools.hub_access import transfer
from tools.hub_access.cache import UNFINISHED
from tools.progress import CancelToken

WEIGHTS = "model.safetensors"
CANARY = "hf_canaryCANARYcanary"
LOOK = 1
"""Requests for a file that the look before the download makes."""


@pytest.fixture
def model(hub, make_larger_files):
    """Files of a model on the hub."""
    files = make_larger_files()
    hub.commit("org/larger", files)
    return files


def ranges_of(hub, name):
    """What was asked of a file, in order: `bytes=…`, or None for all of it."""
    return [headers.get("range") for method, path, headers in hub.requests if method == "GET" and path.endswith(name)]


def is_whole(snapshot, files):
    return all(Path(snapshot.root, name).read_bytes() == content for name, content in files.items())


def unfinished(sources):
    return [path for path in sources.cache_dir.rglob(f"*{UNFINISHED}*") if path.is_file()]


def test_T21_a_line_cut_at_half_is_gone_on_with(hub, hub_sources, model):
    hub.fail(WEIGHTS, "cut", times=3, skip=LOOK)
    snapshot = fetch_model("org/larger", sources=hub_sources)
    assert is_whole(snapshot, model)
    begins = [int(each.removeprefix("bytes=").partition("-")[0]) for each in ranges_of(hub, WEIGHTS)[1:] if each]
    size = len(model[WEIGHTS])
    assert begins == [size - -(-size // 2), size - -(-size // 4), size - -(-size // 8)]
    assert unfinished(hub_sources) == []


@pytest.fixture
def part(hub, hub_sources, model):
    """What is left of a download that was stopped half way."""
    hub.fail(WEIGHTS, "slow", times=1, skip=LOOK, piece_bytes=100_000, pause_s=0.05)
    cancel = CancelToken()

    def stop_half_way(fraction, _message):
        if fraction > 0.4:
            cancel.cancel()

    with pytest.raises(Cancelled):
        fetch_model("org/larger", sources=hub_sources, progress=stop_half_way, cancel=cancel)
    (left,) = unfinished(hub_sources)
    return left


def test_T21_a_stopped_download_is_gone_on_with_by_the_next_one(hub, hub_sources, model, part):
    there = part.stat().st_size
    snapshot = fetch_model("org/larger", sources=hub_sources)
    assert is_whole(snapshot, model)
    assert ranges_of(hub, WEIGHTS)[-1] == f"bytes={there}-"
    assert unfinished(hub_sources) == []


def test_T21_a_hub_that_knows_no_ranges_sends_it_all_again(hub, hub_sources, model, part):
    hub.fail(WEIGHTS, "no_range")
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)


def test_T21_a_part_that_was_damaged_is_fetched_anew(hub, hub_sources, model, part):
    part.write_bytes(bytes(part.stat().st_size))
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)
    assert ranges_of(hub, WEIGHTS)[-1] is None


def test_T21_a_line_of_a_byte_at_a_time_is_given_up(hub, hub_sources, model, monkeypatch):
    monkeypatch.setattr(transfer, "STALL_SECONDS", 0.5)
    hub.fail(WEIGHTS, "slow", skip=LOOK, pause_s=0.1)
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match="kB a second"):
        fetch_model("org/larger", sources=hub_sources)
    assert time.monotonic() - started < 5
    hub.faults.clear()
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)


@pytest.mark.parametrize("kind", ["wrong_length", "other_bytes"])
def test_T21_a_wrong_file_is_deleted_and_never_taken(hub, hub_sources, model, kind):
    hub.fail(WEIGHTS, kind, skip=LOOK)
    with pytest.raises(SourceUnavailable, match="did not arrive as the hub lists it"):
        fetch_model("org/larger", sources=hub_sources)
    with pytest.raises(ModelNotFound):
        fetch_model("org/larger", sources=hub_sources.model_copy(update={"offline": True}))
    hub.faults.clear()
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)


def test_T21_a_login_page_in_place_of_a_file_is_called_so(hub, hub_sources, model):
    hub.fail(WEIGHTS, "html", skip=LOOK)
    with pytest.raises(SourceUnavailable, match="not a hub") as caught:
        fetch_model("org/larger", sources=hub_sources)
    assert "proxy" in caught.value.next_step


def test_T21_the_hub_is_waited_for_as_long_as_it_asks(hub, hub_sources, model):
    hub.fail(WEIGHTS, 429, times=1, skip=LOOK, retry_after="1")
    told = []
    started = time.monotonic()
    snapshot = fetch_model("org/larger", sources=hub_sources, progress=lambda _f, message: told.append(message))
    assert time.monotonic() - started >= 1
    assert "The hub asks us to wait 1 s" in told
    assert is_whole(snapshot, model)


@pytest.mark.parametrize("place", ["/api/models/org/larger", WEIGHTS])
def test_T21_a_hub_that_asks_for_an_hour_is_not_waited_for(hub, hub_sources, model, place):
    hub.fail(place, 429, retry_after="3600")
    started = time.monotonic()
    with pytest.raises(SourceUnavailable) as caught:
        fetch_model("org/larger", sources=hub_sources)
    assert time.monotonic() - started < 2
    assert "3600 s" in caught.value.next_step


def test_what_the_look_has_read_is_not_fetched_twice(hub, hub_sources, model):
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)
    asked = [path for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path]
    assert len(asked) == len(model) + 1, "the head of the weights, then the weights"


@pytest.mark.parametrize("status", [500, 503])
def test_T21_a_passing_trouble_passes(hub, hub_sources, model, status):
    hub.fail(WEIGHTS, status, times=1, skip=LOOK)
    hub.fail("/api/models/org/larger", status, times=1)
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)


def test_T21_a_disk_that_takes_no_more_on_the_way_is_said_so(hub, hub_sources, model):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(SourceUnavailable, match="could not be written") as caught:
            fetch_model("org/larger", sources=hub_sources)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "space" in caught.value.next_step
    assert is_whole(fetch_model("org/larger", sources=hub_sources), model)


def test_T21_two_fetches_at_once_bring_each_file_once(hub, hub_sources, model):
    hub.fail(WEIGHTS, "slow", skip=0, piece_bytes=200_000, pause_s=0.02)
    code = (
        "import sys; from pathlib import Path; from tools.fetching import fetch_model; "
        "from tools.model_sources import ModelSources; "
        "print(fetch_model('org/larger', sources=ModelSources(endpoint=sys.argv[1], cache_dir=Path(sys.argv[2]))).commit)"
    )
    command = [sys.executable, "-c", code, hub.endpoint, str(hub_sources.cache_dir)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    commits = {each.communicate(timeout=60)[0] for each in both}
    assert len(commits) == 1
    assert [each.returncode for each in both] == [0, 0]
    assert sum(each in {None, "bytes=0-"} for each in ranges_of(hub, WEIGHTS)) == 1


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "https://localhost/x", "https://10.0.0.1/x",
     "http://cdn.example.com/x", "https://[::1]/x", "https://2130706433/x", "https://metadata.google.internal/x"],
)  # fmt: skip
def test_T19_a_redirect_is_checked_before_it_is_followed(hub, hub_sources, model, target):
    hub.fail(WEIGHTS, "redirect", skip=LOOK, target=target)
    with pytest.raises(SourceUnavailable, match="which is not asked") as caught:
        fetch_model("org/larger", sources=hub_sources)
    assert caught.value.code == "redirect_refused"


def test_T19_the_listing_is_not_redirected_either(hub, hub_sources, model):
    hub.fail("/api/models/org/larger", "redirect", target="http://169.254.169.254/latest")
    with pytest.raises(SourceUnavailable, match="which is not asked"):
        fetch_model("org/larger", sources=hub_sources)


@pytest.mark.parametrize("field", ["blobId", "sha256"])
@pytest.mark.parametrize("value", ["../../../../escaped", "/tmp/escaped", "", "z" * 40, 7])
def test_T19_what_a_hub_calls_a_hash_becomes_no_path(hub, hub_sources, model, monkeypatch, field, value):
    module = sys.modules["hub_server"]
    described = module.described

    def lying(name, content):
        entry = described(name, content)
        if field == "blobId":
            return entry | {"blobId": value}
        return entry | {"lfs": {"sha256": value, "size": len(content), "pointerSize": 130}}

    monkeypatch.setattr(module, "described", lying)
    with pytest.raises(SourceUnavailable, match="not a hub"):
        fetch_model("org/larger", sources=hub_sources)
    assert not hub_sources.cache_dir.exists()


def test_T19_the_token_does_not_follow_a_redirect_to_another_host(hub, hub_sources, model):
    hub_module = sys.modules["hub_server"]
    with hub_module.HubServer() as other:
        other.commit("org/larger", model)
        fetch_model("org/larger", sources=hub_sources.model_copy(update={"endpoint": other.endpoint}))
        other.requests.clear()
        commit = hub.repositories["org/larger"].commits[-1].sha
        target = f"{other.endpoint}/org/larger/resolve/{commit}/{WEIGHTS}"
        hub.fail(WEIGHTS, "redirect", target=target)
        sources = hub_sources.model_copy(update={"token": CANARY, "cache_dir": hub_sources.cache_dir / "second"})
        assert is_whole(fetch_model("org/larger", sources=sources), model)
        assert ranges_of(other, WEIGHTS)
        assert not any("authorization" in headers for _, _, headers in other.requests)
    assert any(CANARY in headers.get("authorization", "") for _, _, headers in hub.requests)


def test_T20_gated_and_private_models_come_with_the_users_own_login(hub, hub_sources, model):
    with_token = hub_sources.model_copy(update={"token": CANARY})
    hub.restrict("org/larger", CANARY, gated="manual")
    with pytest.raises(AccessDenied) as caught:
        fetch_model("org/larger", sources=hub_sources)
    assert "hf auth login" in caught.value.next_step
    assert is_whole(fetch_model("org/larger", sources=with_token), model)
    hub.restrict("org/larger", CANARY, private=True)
    with pytest.raises(ModelNotFound) as absent:
        fetch_model("org/larger", sources=hub_sources)
    assert "private" in absent.value.next_step
    assert is_whole(fetch_model("org/larger", sources=with_token), model)


def test_T20_a_canary_token_is_found_nowhere(hub, make_larger_files, tmp_path):
    """The whole program, with a login of the user's own, through success and failures of several kinds."""
    hub.commit("org/larger", make_larger_files())
    hub.restrict("org/larger", CANARY, gated="auto")
    hub.commit("org/broken", make_larger_files("other"))
    hub.fail("org/broken/resolve", 500)
    hub.commit("org/moved", make_larger_files("moved"))
    hub.fail("org/moved/resolve", "redirect", target="http://10.1.2.3/x")
    home, cache = tmp_path / "home", tmp_path / "hub-cache"
    environment = {
        "PATH": os.defpath, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), "HF_TOKEN": CANARY,
        "HF_ENDPOINT": hub.endpoint, "HF_HUB_CACHE": str(cache), "HF_HUB_VERBOSITY": "debug", "TAMESHI_HOME": str(home),
    }  # fmt: skip
    said, statuses = "", []
    for words in (["org/larger", "--json"], ["org/larger", "--preview"], ["org/broken"], ["org/moved"], ["org/absent"]):
        command = [sys.executable, "-c", "from assistant.cli import main; main()", "fetch-model", *words]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        said += ended.stdout + ended.stderr
        statuses.append(ended.returncode)
    assert statuses == [0, 0, 3, 3, 3]
    assert any(CANARY in headers.get("authorization", "") for _, _, headers in hub.requests), "it was used"
    assert CANARY not in said
    kept = [path for folder in (home, cache) for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite3" for path in kept)
    assert [path for path in kept if CANARY.encode() in path.read_bytes()] == []
