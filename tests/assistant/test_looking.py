"""The first look at models: three answers one after the other, an end where files are refused, and no heavy library."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.rendering.results import TurnResult, render_result
from tests.tools.attacks.in_weights import gguf
from tests.tools.attacks.sound import write_sound
from tools.file_safety import inspect_files
from tools.mirrors import bundled_folder
from tools.model_sources import ModelSources

STEPS = ["inspect_files", "estimate_memory", "check_documentation"]


@pytest.fixture
def look(data_folder, monkeypatch):
    """The function that looks at models in this process."""
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    return lambda *words: CliRunner().invoke(app, ["look", *map(str, words)])


def test_the_three_answers_come_in_order_with_their_evidence(look):
    result = look(bundled_folder(), "--json")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert list(json.loads(line)) == ["model", *STEPS]
    text = look(bundled_folder(), "--language", "ja").stdout
    assert text.index("[E4]") < text.index("[E5]") < text.index("[E6]")


def test_refused_files_end_it_and_the_next_model_is_looked_at(look, tmp_path):
    write_sound(tmp_path / "bad")
    (tmp_path / "bad" / "pytorch_model.bin").write_bytes(pickle.dumps({"a": [1.0]}, 2))
    write_sound(tmp_path / "good")
    result = look(tmp_path / "bad", tmp_path / "good", "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert list(first) == ["model", "inspect_files"]
    assert list(second) == ["model", *STEPS]
    assert result.exit_code == 1
    assert "estimate_memory" not in result.stderr.split("inspect_files")[1]


def test_a_model_that_is_not_there_ends_in_a_sentence_and_status_3(look):
    result = look("./nowhere")
    assert result.exit_code == 3
    assert "`./nowhere` is not there" in result.stderr


def test_what_was_asked_for_reaches_the_steps(look):
    result = look(bundled_folder(), "--use-case", "Japanese FAQ search", "--device-memory-gib", "0.1", "--json")
    record = json.loads(result.stdout)
    assert record["estimate_memory"]["fits"] is False
    assert "Japanese" in record["check_documentation"]["most_important_gap"]


def test_a_first_look_imports_no_heavy_library(data_folder):
    code = (
        "import sys\nfrom assistant.cli import main\n"
        f"sys.argv = ['tameshi', 'look', {str(bundled_folder())!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'sqlalchemy', 'gradio', 'langchain_core', 'chromadb'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )
    environment = {"TAMESHI_HOME": str(data_folder), "TAMESHI_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_vulnerabilities_are_told_with_what_to_do(tmp_path, language):
    write_sound(tmp_path / "model")
    (tmp_path / "model" / "model.gguf").write_bytes(gguf("{{ messages }}"))
    (tmp_path / "model" / "optimizer.pt").write_bytes(pickle.dumps({"a": [1.0]}, 2))
    record = inspect_files(str(tmp_path / "model"), sources=ModelSources(offline=True))
    text = render_result(TurnResult("E1", "inspect_files", {}, record), language)
    assert "CVE-2024-34359" in text
    assert "0.2.72" in text
    fixed = next(line for line in text.splitlines() if "CVE-2025-32434" in line)
    assert "CVE-2026-24747" in fixed
