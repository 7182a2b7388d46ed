"""Bundles: what comes out is what went in, or nothing."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import multiprocessing
import random
import shutil
import subprocess
import tarfile
import time
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest

from tools.bundles.archive import BundleDamaged, BundledFile, Manifest, is_safe_name, write_archive
from tools.bundles.bundle import create_bundle, verify_bundle
from tools.bundles.unpacking import unpack_bundle
from tools.errors import Cancelled, InvalidArgument, ModelNotFound, SourceUnavailable, UnsafeModel
from tools.fetching import fetch_model
from tools.file_safety import inspect_files
from tools.hub_access.cache import UNFINISHED
from tools.memory import estimate_memory
from tools.model_sources import ModelSources
from tools.progress import CancelToken
from tools.snapshot import SnapshotFile, content_commit

EVIDENCE = json.dumps([{"id": "E1", "tool": "fetch_model"}])
LOCK = 'schema = 1\n[[model]]\nid = "org/tiny"\n'


@pytest.fixture
def snapshot(hub, hub_sources, make_files):
    """A model that was fetched from the hub."""
    files = make_files()
    files["1_Pooling/config.json"] = b'{"pooling_mode_mean_tokens": true}'
    hub.commit("org/tiny", files)
    return fetch_model("org/tiny", sources=hub_sources)


@pytest.fixture
def bundle(snapshot, tmp_path):
    """Its bundle, with evidence and a lock."""
    lock = tmp_path / "models.lock"
    lock.write_text(LOCK)
    create_bundle(snapshot, tmp_path / "tiny.tameshi", evidence=EVIDENCE, lock=lock)
    return tmp_path / "tiny.tameshi"


def files_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_tells_what_it_holds(bundle, snapshot):
    found = verify_bundle(bundle)
    assert (found.model, found.commit, found.safety) == ("org/tiny", snapshot.commit, "accept")
    assert (found.files, found.total_bytes) == (len(snapshot.files), snapshot.total_bytes)
    assert (found.has_evidence, found.has_lock, found.unpacked_into) == (True, True, None)
    assert len(found.id) == 64


def test_what_is_unpacked_is_what_was_fetched(bundle, snapshot, tmp_path):
    found = unpack_bundle(bundle, tmp_path / "mirror")
    model = tmp_path / "mirror" / "org" / "tiny"
    assert found.unpacked_into == str(model)
    assert files_below(model) == {file.name: (Path(snapshot.root) / file.name).read_bytes() for file in snapshot.files}
    record = files_below(tmp_path / "mirror" / "org" / "tiny.bundle")
    assert record["evidence.json"].decode() == EVIDENCE
    assert record["models.lock"].decode() == LOCK
    assert set(record) == {"evidence.json", "models.lock", "manifest.json"}


def test_an_unpacked_model_is_used_without_a_network(bundle, snapshot, tmp_path):
    unpack_bundle(bundle, tmp_path / "mirror")
    sources = ModelSources(offline=True, mirrors=(tmp_path / "mirror",), cache_dir=tmp_path / "empty")
    again = fetch_model("org/tiny", sources=sources)
    assert (again.source, again.files) == ("mirror", snapshot.files)
    assert inspect_files("org/tiny", sources=sources).verdict == "accept"
    assert estimate_memory("org/tiny", sources=sources).total_mib > 0


def test_other_programs_can_read_and_verify_it(bundle, tmp_path):
    folder = tmp_path / "by-hand"
    folder.mkdir()
    subprocess.run(["tar", "-xf", str(bundle), "-C", str(folder)], check=True)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "VERIFY.txt"], cwd=folder, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    with tarfile.open(bundle) as archive:
        assert archive.getnames()[0] == "manifest.json"
        assert len(archive.getnames()) == len(checked.stdout.splitlines()) + 1


def test_a_folder_becomes_a_model_of_this_place(tiny_folder, offline, tmp_path):
    create_bundle(fetch_model(str(tiny_folder), sources=offline), tmp_path / "x.tameshi")
    assert unpack_bundle(tmp_path / "x.tameshi", tmp_path / "mirror").model == "local/tiny"


def damaged(content, rng):
    """A bundle with one fault: a bit flipped, cut short, something added, or blocks exchanged."""
    kind = rng.choice(["flip", "cut", "add", "insert", "swap", "repeat"])
    changed = bytearray(content)
    place, other = rng.randrange(len(content)), rng.randrange(len(content))
    first, second = place // 512 * 512, other // 512 * 512
    if kind == "flip":
        changed[place] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del changed[place:]
    elif kind == "add":
        changed += rng.randbytes(rng.choice([1, 511, 512, 1024]))
    elif kind == "insert":
        changed[first:first] = rng.randbytes(512)
    elif kind == "swap":
        changed[first : first + 512], changed[second : second + 512] = (
            content[second : second + 512],
            content[first : first + 512],
        )
    else:
        changed[first:first] = content[first : first + 512]
    return bytes(changed)


def test_no_damaged_bundle_passes_and_nothing_of_it_is_left(bundle, tmp_path):
    content, rng, mirror = bundle.read_bytes(), random.Random(7), tmp_path / "mirror"
    broken = tmp_path / "broken.tameshi"
    tried = 0
    while tried < 300:
        changed = damaged(content, rng)
        if changed == content:
            continue
        tried += 1
        broken.write_bytes(changed)
        for read in (verify_bundle, lambda file: unpack_bundle(file, mirror)):
            with pytest.raises(BundleDamaged) as caught:
                read(broken)
            assert caught.value.message.isprintable()
            assert caught.value.next_step
        assert list(mirror.iterdir()) == []


def forged(tmp_path, names, model="org/tiny", content=b"x"):
    """A bundle whose checksums are right and whose names are not."""
    file = BundledFile(name="", size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    files = tuple(file.model_copy(update={"name": name}) for name in names)
    inside = [each for each in files if each.name.startswith("model/")]
    parts = [
        SnapshotFile(name=each.name.removeprefix("model/"), size_bytes=each.size_bytes, sha256=each.sha256)
        for each in inside
    ]
    manifest = Manifest(
        model=model, commit="0" * 40, content=content_commit(parts), safety="accept", made_at="2026-01-01", files=files
    )
    stream = io.BytesIO()
    write_archive(stream, manifest, [(each, [content]) for each in files])
    path = tmp_path / "forged.tameshi"
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize(
    "names",
    [["model/../../x"], ["/etc/x"], ["model//x"], ["model/."], ["model/.."], ["../x"], ["model/a\\b"], ["model/C:x"], ["other/x"],
     ["model/x", "model/x"], ["model/x", "model/X"], ["model/x", "model/x/y"], ["model/a\nb"], ["model/" + "x" * 101], ["model/x "],
     ["evidence.json/x"], ["VERIFY.txt"], ["manifest.json"], ["model/" + "a/" * 90 + "x"]],
)  # fmt: skip
def test_T16_a_bundle_writes_nowhere_but_into_its_model(tmp_path, names):
    mirror = tmp_path / "mirror"
    with pytest.raises(BundleDamaged):
        unpack_bundle(forged(tmp_path, names), mirror)
    assert list(mirror.iterdir()) == []


@pytest.mark.parametrize("model", ["../x", "x", "a/b/c", "/x/y", "org/..", "org/.x", "", "o\nrg/x", "./x"])
def test_T16_the_models_name_leads_nowhere_else(tmp_path, model):
    with pytest.raises(BundleDamaged):
        unpack_bundle(forged(tmp_path, ["model/config.json"], model), tmp_path / "mirror")


def test_T01_an_unsafe_model_is_not_unpacked(tmp_path):
    payload = b"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00lsq\x01\x85q\x02Rq\x03."
    with pytest.raises(UnsafeModel):
        unpack_bundle(forged(tmp_path, ["model/pytorch_model.bin"], content=payload), tmp_path / "mirror")
    assert list((tmp_path / "mirror").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"x", bytes(512), bytes(4096), b"PK\x03\x04" + bytes(600)])
def test_what_is_no_bundle_is_said_so(tmp_path, content):
    (tmp_path / "x.tameshi").write_bytes(content)
    with pytest.raises(BundleDamaged):
        verify_bundle(tmp_path / "x.tameshi")
    with pytest.raises(BundleDamaged):
        verify_bundle(tmp_path)


def test_T22_a_file_that_was_swapped_is_not_packed(tiny_folder, offline, tmp_path):
    snapshot = fetch_model(str(tiny_folder), sources=offline)
    (tiny_folder / "README.md").write_text("swapped")
    with pytest.raises(SourceUnavailable, match="T22"):
        create_bundle(snapshot, tmp_path / "x.tameshi")
    assert not list(tmp_path.glob("x.tameshi*"))


def test_what_is_there_is_not_overwritten(bundle, tmp_path):
    unpack_bundle(bundle, tmp_path / "mirror")
    before = files_below(tmp_path / "mirror")
    with pytest.raises(InvalidArgument, match="already"):
        unpack_bundle(bundle, tmp_path / "mirror")
    assert files_below(tmp_path / "mirror") == before


def test_a_lock_that_cannot_be_read_is_said_so(snapshot, tmp_path):
    with pytest.raises(InvalidArgument):
        create_bundle(snapshot, tmp_path / "x.tameshi", lock=tmp_path / "absent.lock")


def test_stopping_leaves_nothing(bundle, snapshot, tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        create_bundle(snapshot, tmp_path / "x.tameshi", cancel=cancel)
    with pytest.raises(Cancelled):
        unpack_bundle(bundle, tmp_path / "mirror", cancel=cancel)
    assert list((tmp_path / "mirror").iterdir()) == []
    assert not list(tmp_path.glob("x.tameshi*"))


def test_T23_an_unpacking_that_was_killed_is_swept_by_the_next(bundle, tmp_path):
    mirror = tmp_path / "mirror"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.bundles.unpacking"])
    rng = random.Random(5)
    for _ in range(8):
        child = context.Process(target=unpack_bundle, args=(bundle, mirror))
        child.start()
        time.sleep(rng.uniform(0.0, 0.12))
        child.kill()
        child.join()
        model = mirror / "org" / "tiny"
        # A kill in the last moment leaves the model whole and an empty folder, which the next one sweeps as well.
        with pytest.raises(InvalidArgument) if model.exists() else nullcontext():
            unpack_bundle(bundle, mirror)
        assert (model / "config.json").is_file()
        assert (model / "model.safetensors").is_file()
        assert not list(mirror.glob(f"*{UNFINISHED}"))
        shutil.rmtree(mirror)


def test_a_large_bundle_takes_no_more_memory(tmp_path, write, make_larger_files, offline):
    folder = write(tmp_path / "large", make_larger_files(vocabulary=200_000))
    snapshot = fetch_model(str(folder), sources=offline)
    assert snapshot.total_bytes > 50_000_000
    tracemalloc.start()
    create_bundle(snapshot, tmp_path / "x.tameshi")
    verify_bundle(tmp_path / "x.tameshi")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_names_that_mean_the_same_everywhere():
    good = ["model/config.json", "model/1_Pooling/config.json", "model/.hidden", "model/日本語.txt"]
    assert [name for name in good if not is_safe_name(name)] == []


def test_sizes_past_the_octal_field_are_read_by_tar():
    """Shards of more than 8 GiB are common; the header then has the size in another form."""
    from tools.bundles.archive import _header

    entry = tarfile.TarInfo.frombuf(_header("model/model.safetensors", 50 * 1024**3), "utf-8", "strict")
    assert (entry.name, entry.size) == ("model/model.safetensors", 50 * 1024**3)


def test_an_unpacked_model_is_its_commit_for_as_long_as_nothing_changes(bundle, snapshot, tmp_path):
    unpack_bundle(bundle, tmp_path / "mirror")
    sources = ModelSources(offline=True, mirrors=(tmp_path / "mirror",), cache_dir=tmp_path / "empty")
    assert fetch_model("org/tiny", sources=sources).commit == snapshot.commit
    assert fetch_model(f"org/tiny@{snapshot.commit}", sources=sources).commit == snapshot.commit
    assert estimate_memory(f"org/tiny@{snapshot.commit}", sources=sources).commit == snapshot.commit
    with pytest.raises(ModelNotFound):
        fetch_model(f"org/tiny@{'0' * 40}", sources=sources)
    (tmp_path / "mirror" / "org" / "tiny" / "README.md").write_text("changed")
    assert fetch_model("org/tiny", sources=sources).commit.startswith("folder-")
    for tool in (fetch_model, estimate_memory):
        with pytest.raises(ModelNotFound, match="no longer"):
            tool(f"org/tiny@{snapshot.commit}", sources=sources)


def test_two_programs_do_not_write_one_bundle(snapshot, tmp_path):
    out = tmp_path / "x.tameshi"
    with (tmp_path / f"x.tameshi{UNFINISHED}").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SourceUnavailable, match="Another program"):
            create_bundle(snapshot, out)
    create_bundle(snapshot, out)
    assert verify_bundle(out).model == "org/tiny"
    assert [path.name for path in tmp_path.glob("x.tameshi*")] == ["x.tameshi"]
