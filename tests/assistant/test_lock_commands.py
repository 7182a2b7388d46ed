"""The commands for what was adopted, run as programs: exit statuses, evidence, languages, and a kill at any moment."""

from __future__ import annotations

import json
import pickle
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.lock import read_lock

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
PROGRAM = [sys.executable, "-c", "from assistant.cli import main; main()"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def tameshi(data_folder, tmp_path, monkeypatch):
    """The function that runs a command in a process of its own, in the test's folder."""
    for name, value in {"TAMESHI_OFFLINE": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)

    def run(*words):
        command = [*PROGRAM, *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.fixture
def running_hub(tameshi, tmp_path, monkeypatch):
    """A hub that the commands ask."""
    from hub_server import HubServer

    with HubServer() as hub:
        for name, value in {
            "TAMESHI_OFFLINE": "0",
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(tmp_path / "hf"),
        }.items():
            monkeypatch.setenv(name, value)
        yield hub


def files_of(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# --- lock and check ---------------------------------------------------------------------------------------------------


def test_a_model_is_locked_with_its_evidence_and_checked(tameshi, tiny_model, tmp_path):
    folder = tiny_model()
    sizes = ("--batch-sizes", "1", "--sequence-lengths", "8")
    profile = tameshi("profile-model", folder, *sizes, "--json")
    assert profile.returncode == 0, profile.stderr
    locked = tameshi("lock", folder, "--by", "A. Person", "--json")
    assert locked.returncode == 0, locked.stderr
    (entry,) = read_lock(tmp_path / "models.lock").models
    assert json.loads(locked.stdout) == entry.model_dump(mode="json")
    assert (entry.reference, entry.locked_by, entry.safety) == ("./tiny", "A. Person", "accept")
    by_tool = {each.tool: each for each in entry.evidence}
    assert {
        "profile_model",
        "fetch_model",
        "inspect_files",
        "check_version",
        "check_documentation",
        "estimate_memory",
    } == set(by_tool)
    (run,) = [row for row in by_tool["profile_model"].found if "batch_size" in row]
    assert run["latency_p50_ms"] == pytest.approx(json.loads(profile.stdout)["runs"][0]["latency_p50_ms"], rel=1e-4)
    assert {gate.code for gate in entry.gates} >= {"files_safe", "latency", "memory"}
    assert [gate.evidence for gate in entry.gates if gate.code == "latency"] == [by_tool["profile_model"].id]
    check = tameshi("check", "--json")
    assert check.returncode == 0, check.stderr
    assert json.loads(check.stdout)["verdict"] == "passed"


def test_locking_again_renews_the_entry_and_keeps_the_others(tameshi, tiny_model, tmp_path):
    tiny_model()
    for model in ("./tiny", MINILM, "./tiny"):
        assert tameshi("lock", model).returncode == 0
    assert [model.name for model in read_lock(tmp_path / "models.lock").models] == ["./tiny", MINILM]


def test_nothing_is_profiled_for_a_lock(tameshi, tiny_model):
    done = tameshi("lock", tiny_model())
    assert done.returncode == 0
    assert "→ profile_model" not in done.stderr


def test_T13_a_card_of_unprintable_texts_is_locked_as_what_it_is(tameshi, tiny_model, tmp_path):
    tiny_model(card='---\nlicense: "' + "\\u202e\\x01" * 90 + '"\n---\n# <script>\n')
    done = tameshi("lock", "./tiny", "--by", "\u202e" * 300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models.lock").read_text(encoding="utf-8").isascii()
    assert "\u202e" not in done.stdout
    check = tameshi("check")
    assert check.returncode == 0, check.stdout


def test_1_when_a_model_drifted_and_it_is_said_by_meaning(tameshi, tiny_model, tmp_path):
    folder = Path(tiny_model())
    assert tameshi("lock", "./tiny").returncode == 0
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    english, japanese = (tameshi("check", "--language", language) for language in ("en", "ja"))
    assert (english.returncode, japanese.returncode) == (1, 1)
    assert "activation function" in english.stdout
    assert "記録した内容ではありません" in japanese.stdout
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,} [a-z]{2,}", re.sub(r"`[^`]*`", "", japanese.stdout))
    assert json.loads(tameshi("check", "--json").stdout)["models"][0]["state"]["drifts"][0]["file"] == "config.json"


def test_1_when_refused_files_should_be_locked(tameshi, tiny_model, tmp_path):
    folder = Path(tiny_model())
    assert tameshi("lock", "./tiny").returncode == 0
    before = (tmp_path / "models.lock").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": print}))
    done = tameshi("lock", "./tiny")
    assert (done.returncode, done.stdout) == (1, "")
    assert "T01" in done.stderr
    assert (tmp_path / "models.lock").read_bytes() == before


def test_1_when_a_rule_of_the_policy_does_not_hold(tameshi, tiny_model, tmp_path):
    tiny_model()
    assert tameshi("lock", "./tiny").returncode == 0
    policy = tmp_path / "policy.toml"
    policy.write_text('licences = ["Apache-2.0"]\nformats = ["safetensors"]\nallowed_advisories = []\n')
    assert tameshi("check", "--policy", str(policy)).returncode == 0
    policy.write_text('licences = ["MIT"]\nrequire_evidence = ["profile_model"]\n')
    done = tameshi("check", "--policy", str(policy))
    assert done.returncode == 1
    assert "✗ `licences` failed: The licence is `Apache" in done.stdout.replace("\\", "")
    assert "✗ `require_evidence` failed" in done.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not there"), ("schema_version = 1\n[[model]\n", "is not valid TOML"), ("modles = []", "Did you mean `model`?"),
        ("schema_version = 9", "newer"), ("a = " + "[" * 100_000, "nested deeper"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "watch", "export-bom", "lock"])
def test_2_for_a_bad_lock_file(tameshi, tmp_path, command, content, says):
    if content is not None:
        (tmp_path / "models.lock").write_text(content)
    elif command == "lock":
        pytest.skip("a lock that is not there is made")
    done = tameshi(*((command,) if command != "lock" else (command, MINILM)))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_2_for_a_bad_policy_in_both_languages(tameshi, tmp_path):
    (tmp_path / "models.lock").write_text("schema_version = 1\n")
    (tmp_path / "policy.toml").write_text('licenses = ["MIT"]\n')
    english, japanese = (tameshi("check", "--policy", "policy.toml", "--language", each) for each in ("en", "ja"))
    assert (english.returncode, japanese.returncode) == (2, 2)
    assert "Did you mean `licences`?" in english.stderr
    assert "`licences` ではありませんか" in japanese.stderr


@pytest.mark.parametrize("words", [("lock", "nobody/nothing"), ("lock", MINILM, "--out", "no/such/folder/models.lock")])
def test_3_when_it_cannot_be_locked(tameshi, words):
    done = tameshi(*words)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr


def test_3_when_it_cannot_be_checked(tameshi, tiny_model):
    folder = Path(tiny_model())
    assert tameshi("lock", "./tiny").returncode == 0
    folder.rename(folder.with_name("moved"))
    done = tameshi("check")
    assert done.returncode == 3
    assert "could not be looked at" in done.stdout


HEAVY = (
    "torch",
    "transformers",
    "langchain_core",
    "gradio",
    "chromadb",
    "sqlalchemy",
    "cyclonedx",
    "tomlkit",
    "jsonschema",
)
"""What a check has no use for."""


def test_a_check_starts_without_the_heavy_libraries(tameshi, tmp_path):
    assert tameshi("lock", MINILM).returncode == 0
    code = (
        "import sys; sys.argv = ['tameshi', 'check', '--json']\n"
        "from assistant.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


# --- against a hub ----------------------------------------------------------------------------------------------------


def test_against_the_hub_the_name_is_held_to_what_was_locked(tameshi, running_hub, tiny_model):
    files = files_of(tiny_model())
    old = running_hub.commit("org/tiny", files)
    assert tameshi("lock", "org/tiny").returncode == 0
    assert tameshi("check", "--hub").returncode == 0
    assert (tameshi("watch").returncode, tameshi("watch").stdout) == (0, "")
    running_hub.commit("org/tiny", files | {"chat_template.jinja": b"{{ messages }}"})
    assert tameshi("check").returncode == 0, "the cache still has the locked commit"
    check = tameshi("check", "--hub")
    assert check.returncode == 1
    assert "chat_template.jinja" in check.stdout
    assert old in check.stdout
    watch = tameshi("watch", "--json")
    assert watch.returncode == 1
    (line,) = watch.stdout.splitlines()
    assert json.loads(line)["changes"][0]["kind"] == "chat_template"
    running_hub.fail("/api/models/org/tiny", 500)
    for words in (("check", "--hub"), ("watch",)):
        done = tameshi(*words)
        assert done.returncode == 3, done.stdout
        assert "Traceback" not in done.stderr


def test_a_watch_that_goes_on_tells_each_piece_of_news_once(tameshi, running_hub, tiny_model, tmp_path):
    files = files_of(tiny_model())
    running_hub.commit("org/tiny", files)
    assert tameshi("lock", "org/tiny").returncode == 0
    running_hub.commit("org/tiny", files | {"README.md": b"---\nlicense: mit\n---\n# Tiny\n"})
    # The clock of the program is made to run fast: it waits a twentieth of a second instead of a minute.
    quick = "import time; wait = time.sleep; time.sleep = lambda s: wait(0.05 if s == 60 else s)\n"
    # Tests that run in the background of a shell inherit that interrupts are ignored.
    quick += "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program = [
        sys.executable,
        "-c",
        quick + "from assistant.cli import main; main()",
        "watch",
        "--every",
        "1",
        "--json",
    ]
    with subprocess.Popen(program, cwd=tmp_path, stdout=-1, stderr=-1, text=True) as running:
        for _ in range(4):
            assert "Models watched: 1; with news: 1" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert len(output.splitlines()) == 1


# --- bill of materials ------------------------------------------------------------------------------------------------


def test_a_bill_of_materials_is_written_and_printed(tameshi, tmp_path):
    assert tameshi("lock", MINILM).returncode == 0
    printed, as_json, written = (
        tameshi("export-bom"),
        tameshi("export-bom", "--json"),
        tameshi("export-bom", "--out", "bom.json"),
    )
    assert (printed.returncode, as_json.returncode, written.returncode) == (0, 0, 0)
    bill = json.loads((tmp_path / "bom.json").read_text(encoding="utf-8"))
    assert json.loads(printed.stdout) == json.loads(as_json.stdout) == bill
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert written.stdout == ""
    assert "bom.json" in written.stderr


# --- a kill at any moment ---------------------------------------------------------------------------------------------


def test_T23_a_kill_while_locking_leaves_the_old_lock_whole(tameshi, tiny_model, tmp_path):
    tiny_model()
    assert tameshi("lock", MINILM).returncode == 0
    lock_file = tmp_path / "models.lock"
    start = time.monotonic()
    assert tameshi("lock", "./tiny", "--out", "other.lock").returncode == 0
    whole_s = time.monotonic() - start
    chance = random.Random(4)
    finished = 0
    for _ in range(20):
        before = lock_file.read_bytes()
        running = subprocess.Popen([*PROGRAM, "lock", "./tiny"], cwd=tmp_path, stdout=-3, stderr=-3)
        time.sleep(chance.uniform(0.2, 1.1) * whole_s)
        running.kill()
        running.wait()
        models = [model.name for model in read_lock(lock_file).models]
        assert lock_file.read_bytes() == before or models == ["./tiny", MINILM]
        finished += running.returncode == 0
    assert finished < 20, "some were killed before their end"
    assert tameshi("lock", "./tiny").returncode == 0
    assert tameshi("check").returncode == 0
