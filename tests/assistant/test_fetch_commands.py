"""The look before a download and bundles, on the command line: exit status, text in both languages, one line of JSON."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from tools.bundles.bundle import Bundle
from tools.fetch_preview import FetchPreview

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def tameshi(data_folder, monkeypatch):
    """The function that runs a command in this process."""
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def pickled(tmp_path):
    """A model that is refused."""
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02cos\nsystem\nq\x00.")
    return folder


def test_a_look_says_its_verdict_and_stores_nothing(tameshi, data_folder, pickled):
    looked = tameshi("fetch-model", MINILM, "--preview", "--json")
    assert looked.exit_code == 0
    assert FetchPreview.model_validate_json(looked.stdout).verdict == "go"
    assert not (data_folder / "tameshi.sqlite3").exists()
    refused = tameshi("fetch-model", pickled, "--preview")
    assert refused.exit_code == 1
    assert refused.stdout.startswith("**No:**")
    assert "safetensors" in refused.stdout
    assert tameshi("fetch-model", "nobody/nothing", "--preview").exit_code == 3


def test_a_look_reads_as_japanese(tameshi, pickled):
    for model in (MINILM, pickled):
        text = tameshi("fetch-model", model, "--preview", "--language", "ja").stdout
        assert "ディスクの空き" in text
        assert " is " not in text


def test_a_bundle_is_made_verified_and_unpacked(tameshi, tmp_path):
    file, lock, mirror = tmp_path / "x.tameshi", tmp_path / "models.lock", tmp_path / "mirror"
    lock.write_text("schema = 1\n")
    made = tameshi("bundle", "create", MINILM, "--out", file, "--lock", lock, "--json")
    assert made.exit_code == 0, made.stderr
    bundle = Bundle.model_validate_json(made.stdout)
    verified = tameshi("bundle", "verify", file)
    assert verified.exit_code == 0
    assert bundle.id in verified.stdout
    unpacked = tameshi("bundle", "unpack", file, "--into", mirror, "--language", "ja")
    assert unpacked.exit_code == 0, unpacked.stderr
    assert "展開しました" in unpacked.stdout
    evidence = json.loads((mirror / f"{MINILM}.bundle" / "evidence.json").read_text(encoding="utf-8"))
    assert {each["tool"] for each in evidence} == {"fetch_model"}
    assert {each["commit"] for each in evidence} == {bundle.commit}
    assert (mirror / f"{MINILM}.bundle" / "models.lock").read_text() == "schema = 1\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["verify", "absent.tameshi"], 3),
        (["unpack", "absent.tameshi", "--into", "mirror"], 3),
        (["create", "nobody/nothing", "--out", "x.tameshi"], 3),
        (["create", "./pickled", "--out", "x.tameshi"], 1),
        (["create", MINILM], 2),
        (["unpack", "x.tameshi"], 2),
        (["copy", "x.tameshi"], 2),
        (["create", MINILM, "--out", "x.tameshi", "--lock", "absent.lock"], 3),
        (["create", MINILM, "--out", "no/such/folder/x.tameshi"], 3),
    ],
)
def test_bad_words_end_in_a_sentence_and_a_status(tameshi, tmp_path, monkeypatch, pickled, words, status):
    monkeypatch.chdir(tmp_path)
    ended = tameshi("bundle", *words)
    assert ended.exit_code == status
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert ended.stderr.strip()
    assert not list(tmp_path.glob("x.tameshi*"))
