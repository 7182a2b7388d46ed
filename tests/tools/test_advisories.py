import json
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tools.advisories
from tests.tools.attacks.in_weights import gguf
from tools.advisories import TABLE_DATE, reachable_advisories
from tools.file_safety import inspect_files
from tools.file_safety.file_view import FolderView
from tools.file_safety.inspected import Inspected

TABLE = tomllib.loads(Path(tools.advisories.__file__).with_suffix(".toml").read_text("utf-8"))
KERNEL = {"_attn_implementation_internal": "someone/kernel"}
PICKLED = pickle.dumps({"weight": [1.0]}, 2)
GGUF = gguf("{{ messages }}")
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(64)


def found(folder, installed):
    return {each.id: each for each in reachable_advisories(Inspected(FolderView(folder)), installed)}


@pytest.mark.parametrize(
    ("config", "advisory", "package", "affected", "mended"),
    [
        (KERNEL, "CVE-2026-4372", "transformers", "5.2.0", "5.3.0"),
        ({"vision_config": KERNEL}, "CVE-2026-4372", "transformers", "4.56.0", "4.55.4"),
        ({"model_type": "lightglue"}, "CVE-2026-5241", "transformers", "5.4.1", "5.5.0"),
        ({"matcher_config": {"model_type": "lightglue"}}, "CVE-2026-5241", "transformers", "4.57.6", "5.23.0"),
        ({"auto_map": {"AutoModel": "modeling.X"}}, "CVE-2026-22807", "vllm", "0.13.0", "0.14.0"),
    ],
)
def test_T04_a_config_reaches_a_vulnerability_of_the_versions_that_have_it(
    tiny_folder, config, advisory, package, affected, mended
):
    (tiny_folder / "config.json").write_text(json.dumps(config))
    assert found(tiny_folder, {package: affected})[advisory].affected is True
    assert found(tiny_folder, {package: mended})[advisory].affected is False
    assert found(tiny_folder, {})[advisory].affected is None
    assert found(tiny_folder, {package: "of our own"})[advisory].affected is None


@pytest.mark.parametrize(
    ("name", "content", "advisory", "package", "affected", "mended"),
    [
        ("pytorch_model.bin", PICKLED, "CVE-2025-32434", "torch", "2.5.1+cu124", "2.6.0"),
        ("model.pt", PICKLED, "CVE-2026-24747", "torch", "2.9.1", "2.13.0+cpu"),
        ("model.h5", HDF5, "CVE-2025-9905", "keras", "3.11.2", "3.11.3"),
        ("model.gguf", GGUF, "CVE-2024-34359", "llama-cpp-python", "0.2.71", "0.2.72"),
    ],
)
def test_T01_T02_a_file_reaches_a_vulnerability_of_the_versions_that_have_it(
    tiny_folder, name, content, advisory, package, affected, mended
):
    (tiny_folder / name).write_bytes(content)
    assert found(tiny_folder, {package: affected})[advisory].affected is True
    assert found(tiny_folder, {package: affected})[advisory].file == name
    assert found(tiny_folder, {package: mended})[advisory].affected is False


@pytest.mark.parametrize(
    ("transformers", "torch", "affected"),
    [("4.57.6", "2.5.1", True), ("4.57.6", "2.6.0", False), ("5.0.0", "2.5.1", False), ("4.57.6", None, None), (None, None, None)],
)  # fmt: skip
def test_T01_a_saved_random_state_needs_both_packages_to_be_old(tiny_folder, transformers, torch, affected):
    (tiny_folder / "rng_state_0.pth").write_bytes(PICKLED)
    entry = found(tiny_folder, {"transformers": transformers, "torch": torch})["CVE-2026-1839"]
    assert entry.affected is affected


def test_T02_without_a_known_fix_the_file_is_not_to_be_opened(tiny_folder):
    (tiny_folder / "model.gguf").write_bytes(GGUF)
    entry = found(tiny_folder, {"sglang": "0.5.9"})["CVE-2026-5760"]
    assert (entry.affected, entry.fixed_in) == (True, None)
    assert "Do not open" in entry.next_step


def test_T02_without_a_chat_template_nothing_of_it_is_reached(tiny_folder):
    (tiny_folder / "model.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(16))
    assert found(tiny_folder, {}) == {}


def test_what_affects_this_machine_comes_first(tiny_folder):
    (tiny_folder / "pytorch_model.bin").write_bytes(PICKLED)
    (tiny_folder / "model.gguf").write_bytes(GGUF)
    entries = reachable_advisories(Inspected(FolderView(tiny_folder)), {"torch": "2.6.0", "sglang": "0.5"})
    assert [each.affected for each in entries] == [True, True, None, False]


def test_a_sound_model_reaches_nothing(tiny_folder):
    assert found(tiny_folder, {"transformers": "4.57.6", "torch": "2.5.1"}) == {}


def test_the_inspection_tells_them_and_its_verdict_stays_that_of_the_files(tiny_folder, offline):
    (tiny_folder / "model.gguf").write_bytes(GGUF)
    inspection = inspect_files(str(tiny_folder), sources=offline)
    assert inspection.verdict == "flag"
    assert {each.id for each in inspection.advisories} == {"CVE-2024-34359", "CVE-2026-5760"}


def test_the_table_is_dated_and_every_row_has_a_condition():
    assert TABLE["date"] == TABLE_DATE.isoformat()
    ids = [row["id"] for row in TABLE["advisory"]]
    assert len(ids) == len(set(ids))
    assert {row["reached_by"] for row in TABLE["advisory"]} <= set(tools.advisories._CONDITIONS)


def test_no_package_is_imported_to_learn_its_version(tiny_folder):
    (tiny_folder / "pytorch_model.bin").write_bytes(PICKLED)
    code = (
        "import sys; from tools.file_safety import inspect_files; "
        f"found = inspect_files({str(tiny_folder)!r}).advisories; assert found; "
        "print([name for name in ('torch', 'transformers', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
