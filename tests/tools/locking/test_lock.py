"""The lock file: read as it was written, whole at any moment, and strict about what it is given."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.errors import InvalidLock, SourceUnavailable
from tools.lock import change_lock, read_lock, reference_for, reference_from, with_model, write_lock
from tools.locking.fingerprint import Fingerprint
from tools.locking.records import Lock, LockedEvidence, LockedFile, LockedGate, LockedLicence, LockedModel
from tools.model_reference import parse_reference

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = "ab" * 32


def entry(reference="org/name", **changes):
    fields = {
        "reference": reference, "commit": COMMIT, "source": "hub", "locked_at": dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC),
        "locked_by": "somebody", "safety": "accept", "files": (LockedFile(name="config.json", size_bytes=2, sha256=HASH),),
    }  # fmt: skip
    return LockedModel(**fields | changes)


# --- what is written is read ------------------------------------------------------------------------------------------

_LINES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)
_FIGURES = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | _LINES
_SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)
_TIMES = st.integers(1_600_000_000, 4_000_000_000).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
_NAMES = st.from_regex(r"\A[a-z]{1,6}(/[a-zé漢 \"'#.-]{1,6}x)?\Z")
_FILES = st.lists(
    st.builds(LockedFile, name=_NAMES, size_bytes=st.integers(0, 2**60), sha256=_SHA256),
    min_size=1, max_size=4, unique_by=lambda file: file.name,
).map(tuple)  # fmt: skip
_PRINTS = st.builds(
    Fingerprint, architectures=st.lists(_LINES, max_size=3).map(tuple), parameters=st.none() | st.integers(0, 2**50),
    tensor_table_sha256=st.none() | _SHA256, special_tokens=st.dictionaries(_LINES, _LINES, max_size=3),
    config=st.dictionaries(_LINES, _FIGURES, max_size=4),
)  # fmt: skip
_ROWS = st.dictionaries(_LINES, _FIGURES, min_size=1, max_size=3)
_EVIDENCE = st.builds(
    LockedEvidence, id=st.just("E1"), tool=st.just("profile_model"), made_at=_TIMES, machine=_LINES,
    found=st.lists(_ROWS, max_size=3).map(tuple),
)  # fmt: skip
_GATES = st.builds(
    LockedGate, code=st.just("memory"), state=st.sampled_from(["passed", "failed", "missing"]), value=_LINES
)
_MODELS = st.builds(
    LockedModel, reference=st.from_regex(r"\A[a-z]{1,6}/[a-z]{1,6}(@v[0-9])?\Z"), commit=st.just(COMMIT), source=st.just("hub"),
    locked_at=_TIMES, locked_by=_LINES, safety=st.sampled_from(["accept", "flag"]), files=_FILES,
    documentation_score=st.none() | st.floats(0, 1), advisories=st.lists(_LINES, max_size=2).map(tuple),
    licence=st.builds(LockedLicence, spdx=st.none() | _LINES), fingerprint=_PRINTS,
    libraries=st.dictionaries(_LINES, _LINES, max_size=3),
    evidence=st.lists(_EVIDENCE, max_size=2).map(tuple), gates=st.lists(_GATES, max_size=2).map(tuple),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(_MODELS, max_size=3, unique_by=lambda model: model.name))
def test_every_lock_is_read_as_it_was_written(tmp_path, models):
    lock = Lock(models=tuple(models))
    write_lock(lock, tmp_path / "models.lock")
    assert read_lock(tmp_path / "models.lock") == lock


def test_a_change_is_one_line_of_the_file(lock_path):
    files = tuple(LockedFile(name=f"f{i}.json", size_bytes=i, sha256=HASH) for i in range(5))
    write_lock(Lock(models=(entry(files=files),)), lock_path)
    before = lock_path.read_text().splitlines()
    files = (*files[:2], files[2].model_copy(update={"sha256": "cd" * 32}), *files[3:])
    change_lock(lock_path, lambda lock: with_model(lock, entry(files=files)))
    after = lock_path.read_text().splitlines()
    assert len(before) == len(after)
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [
        f'    {{name = "f2.json", size_bytes = 2, sha256 = "{"cd" * 32}"}},'
    ]


def test_entries_stand_in_one_order_and_only_one_has_a_name():
    lock = Lock()
    for reference in ("org/b", "org/a", "Org/c@v1", "org/b@v2"):
        lock = with_model(lock, entry(reference))
    assert [model.reference for model in lock.models] == ["org/a", "org/b@v2", "Org/c@v1"]


def test_a_folder_is_named_from_where_the_lock_lies(tmp_path, monkeypatch):
    (tmp_path / "models" / "mine").mkdir(parents=True)
    lock_file = tmp_path / "models" / "models.lock"
    monkeypatch.chdir(tmp_path)
    inside, outside = (reference_for(lock_file, parse_reference(text)) for text in ("./models/mine", "."))
    assert (inside, outside) == ("./mine", str(tmp_path))
    monkeypatch.chdir("/")
    assert Path(reference_from(lock_file, entry(inside))) == tmp_path / "models" / "mine"


# --- whole at any moment ----------------------------------------------------------------------------------------------


def test_programs_that_write_at_once_lose_nothing(lock_path):
    def add(number):
        change_lock(lock_path, lambda lock: with_model(lock, entry(f"org/m{number}")))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {model.name for model in read_lock(lock_path).models} == {f"org/m{number}" for number in range(12)}


def test_T23_what_a_kill_left_behind_is_no_hindrance(lock_path):
    write_lock(Lock(models=(entry(),)), lock_path)
    lock_path.with_name(f".{lock_path.name}.tmp").write_text("half a lo")
    change_lock(lock_path, lambda lock: with_model(lock, entry("org/other")))
    assert len(read_lock(lock_path).models) == 2
    assert [path.name for path in lock_path.parent.iterdir() if path.name.startswith(".models")] == []


def test_a_failed_change_leaves_the_file_as_it_is(lock_path):
    lock_path.write_text("schema_version = 1\nnonsense = true\n")
    with pytest.raises(InvalidLock):
        change_lock(lock_path, lambda lock: with_model(lock, entry()))
    assert lock_path.read_text() == "schema_version = 1\nnonsense = true\n"


def test_a_place_that_cannot_be_written_is_said_so(tmp_path):
    with pytest.raises(SourceUnavailable, match="could not be written"):
        write_lock(Lock(), tmp_path / "no" / "such" / "folder" / "models.lock")


def test_a_link_to_a_lock_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "models.lock").symlink_to(tmp_path / "real" / "models.lock")
    write_lock(Lock(models=(entry(),)), tmp_path / "models.lock")
    assert (tmp_path / "models.lock").is_symlink()
    assert len(read_lock(tmp_path / "real" / "models.lock").models) == 1


# --- strict about what it is given ------------------------------------------------------------------------------------

GOOD = f"""schema_version = 1
[[model]]
reference = "org/name"
commit = "{COMMIT}"
source = "hub"
locked_at = 2026-11-01T09:00:00Z
locked_by = "somebody"
safety = "accept"
files = [
    {{name = "config.json", size_bytes = 2, sha256 = "{HASH}"}},
]
"""


def test_the_schema_of_the_documents_is_read(lock_path):
    lock_path.write_text(GOOD)
    assert read_lock(lock_path) == Lock(models=(entry(),))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema_version = 1", "schema_version = 2", "newer than the 1 known"),
        ("schema_version = 1", "schema_version = true", "`schema_version`"),
        ("schema_version = 1", 'schema_version = "1"', "`schema_version`"),
        ('safety = "accept"', 'safty = "accept"', "Did you mean `safety`?"),
        ('safety = "accept"', 'safety = "refuse"', "`model.0.safety`"),
        ('safety = "accept"', "", "lacks the entry `model.0.safety`"),
        ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00", "`model.0.locked_at`"),
        ("2026-11-01T09:00:00Z", '"yesterday"', "`model.0.locked_at`"),
        ("size_bytes = 2", "size_bytes = -2", "`model.0.files.0.size_bytes`"),
        ("size_bytes = 2", 'size_bytes = "2"', "`model.0.files.0.size_bytes`"),
        ("size_bytes = 2", f"size_bytes = {'9' * 5_000}", "is not valid TOML"),
        (HASH, HASH.upper(), "`model.0.files.0.sha256`"),
        (HASH, HASH[:-1], "`model.0.files.0.sha256`"),
        (COMMIT, "main", "`model.0.commit`"),
        ('"config.json"', '"../config.json"', "`model.0.files.0.name`"),
        ('"config.json"', '"/etc/passwd"', "`model.0.files.0.name`"),
        ('"config.json"', '"a/../../b"', "`model.0.files.0.name`"),
        ('"config.json"', '"a\\nb"', "`model.0.files.0.name`"),
        ('"org/name"', '"../secret"', "`model.0.reference`"),
        ('"org/name"', '"./a/../../secret"', "`model.0.reference`"),
        ('"org/name"', '"~/secret"', "`model.0.reference`"),
        ('"org/name"', '"not an id"', "`model.0.reference`"),
        ('"somebody"', '"a\\u0000b"', "`model.0.locked_by`"),
        ("[[model]]", "[model]", "`model`"),
        ("files = [", "files = [[[[[[[[[[", "nested deeper"),
        ("files = [", 'files = """', "several lines"),
        ("files = [", "files = {", "is not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_schema_ends_in_a_sentence(lock_path, old, new, says):
    assert old in GOOD
    lock_path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(InvalidLock) as caught:
        read_lock(lock_path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\x00", b"\x00" * 100, b"[" * 100_000, b"a = " + b"[" * 3_000_000, b"a = " + b"{a = " * 100_000,
        b".".join([b"a"] * 200_000) + b" = 1", b"[" + b".".join([b'"a"'] * 200_000) + b"]",
        b"x = {" + b"a." * 200_000 + b"a = 1}", b"a = 1\n" * 200_000, b"# " + b"x" * 5_000_000, b'a = "' + b"\\" * 500_000,
        b"\n".join([b".".join([b"1"] * 190) + b"%d = 1" % i for i in range(8_000)]), b"",
    ],
    ids=lambda raw: raw[:12].decode("latin-1"),
)  # fmt: skip
def test_T09_hostile_files_end_in_a_sentence_and_take_no_time(lock_path, raw):
    lock_path.write_bytes(raw)
    start = time.process_time()
    if raw:
        with pytest.raises(InvalidLock):
            read_lock(lock_path)
    else:
        assert read_lock(lock_path) == Lock()
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize(
    "twice",
    [
        GOOD + GOOD.split("\n", 1)[1],
        GOOD.replace("\n]", f'\n{{name = "config.json", size_bytes = 3, sha256 = "{HASH}"}}]'),
    ],
)
def test_what_is_named_twice_is_refused(lock_path, twice):
    lock_path.write_text(twice)
    with pytest.raises(InvalidLock, match="twice"):
        read_lock(lock_path)


def test_what_is_no_file_is_said_so(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nowhere"):
        with pytest.raises(InvalidLock, match="is not there"):
            read_lock(path)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_it_fail_otherwise(tmp_path, raw):
    (tmp_path / "x.lock").write_bytes(raw)
    with contextlib.suppress(InvalidLock):
        read_lock(tmp_path / "x.lock")


def test_licences_of_what_a_model_was_made_of_are_locked(tmp_path, make_files, write, locked, offline):
    write(tmp_path / "mirror" / "org" / "base", make_files(README__md=b"---\nlicense: cc-by-nc-4.0\n---\n# Base\n"))
    folder = write(tmp_path / "tiny", make_files())
    entry = locked(str(folder), offline.model_copy(update={"mirrors": (tmp_path / "mirror",)}))
    assert [(part.role, part.name, part.spdx) for part in entry.licence.lineage] == [
        ("base_model", "org/base", "CC-BY-NC-4.0")
    ]
