"""The command line: data on stdout, progress on stderr, and an exit status that a script can rely on."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.services import Services
from assistant.settings import Settings
from assistant.tool_catalogue import RECORDS

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def tameshi(data_folder, monkeypatch):
    """The function that runs a command in this process."""
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, list(words))


def record_of(result, tool):
    """The record on stdout, which is one line and nothing else."""
    (line,) = result.stdout.splitlines()
    return RECORDS[tool].model_validate(json.loads(line))


@pytest.mark.parametrize(
    "tool", ["fetch_model", "inspect_files", "estimate_memory", "check_version", "check_documentation"]
)
def test_a_tool_prints_its_record_and_reports_beside_it(tameshi, tool):
    result = tameshi(tool.replace("_", "-"), MINILM, "--json")
    assert result.exit_code == 0, result.stderr
    assert record_of(result, tool).model == MINILM
    assert f"→ {tool}" in result.stderr


def test_options_reach_the_tool(tameshi):
    words = ("--batch-size", "8", "--sequence-length", "64", "--dtype", "bfloat16", "--device-memory-gib", "2")
    record = record_of(tameshi("estimate-memory", MINILM, *words, "--json"), "estimate_memory")
    assert (record.batch_size, record.sequence_length, record.dtype, record.fits) == (8, 64, "bfloat16", True)


def test_the_dear_tools_run_as_well(tameshi, tiny_model):
    """One small model measured, priced, compared and planned in a row; each step uses the evidence of the last."""
    folder = tiny_model()
    sizes = ("--batch-sizes", "1", "--sequence-lengths", "8")
    profile = record_of(tameshi("profile-model", folder, *sizes, "--json"), "profile_model")
    assert [(run.batch_size, run.sequence_length) for run in profile.runs] == [(1, 8)]
    load = ("--requests-per-day", "20000", "--price-per-hour", "0.5")
    asked = ("--latency-p95-target-ms", "60000", "--peak-factor", "2", "--alternative-price-per-million-tokens", "3")
    cost = tameshi("estimate-cost", folder, *load, *asked, "--json")
    assert cost.exit_code == 0
    estimate = record_of(cost, "estimate_cost")
    assert (estimate.queueing.target_p95_ms, estimate.queueing.peak_factor) == (60_000, 2)
    assert estimate.break_even.price_per_million_tokens == pytest.approx(3)
    assert "→ profile_model" not in cost.stderr, "it was measured already"
    assert len(record_of(tameshi("compare-models", folder, MINILM, "--json"), "compare_models").models) == 2
    out = Path(folder).parent / "plan.html"
    plan = tameshi("plan-adoption", folder, *load, "--out", str(out), "--json")
    assert plan.exit_code == (1 if record_of(plan, "plan_adoption").verdict in {"no", "not_yet"} else 0)
    assert out.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")


def test_a_measurement_is_drawn_at_once_and_later(tameshi, tiny_model, tmp_path):
    sizes = ("--batch-sizes", "1,2", "--sequence-lengths", "8", "--plot", str(tmp_path / "at-once.svg"))
    measured = tameshi("profile-model", tiny_model(), *sizes)
    assert measured.exit_code == 0, measured.stderr
    (evidence_id,) = re.findall(r"\[(E\d+)\]", measured.stdout.splitlines()[0])
    later = tameshi("plot", evidence_id, "--out", str(tmp_path / "later.svg"), "--json")
    assert later.exit_code == 0, later.stderr
    assert json.loads(later.stdout)["panels"][:2] == ["speed", "memory"]
    assert (tmp_path / "later.svg").read_bytes() == (tmp_path / "at-once.svg").read_bytes()
    one = tameshi("plot", evidence_id, "--out", str(tmp_path / "one.png"), "--panel", "memory", "--language", "ja")
    assert one.exit_code == 0, one.stderr
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("E1", "--out", "plot.pdf"), 2, "has no ending that a plot can have"),
        (("E1", "--out", "no/such/folder/plot.svg"), 2, "does not exist"),
        (("E1", "--out", "plot.svg", "--panel", "sound"), 2, "is not a panel"),
        (("E1", "--out", "plot.svg"), 3, "is not a stored measurement"),
        (("../E1", "--out", "plot.svg"), 3, "is not a stored measurement"),
    ],
)
def test_a_plot_that_cannot_be_drawn_says_why(tameshi, words, status, says):
    result = tameshi("plot", *words)
    assert result.exit_code == status
    assert says in " ".join(re.sub(r"[^\w.]+", " ", result.stderr).split())


def test_an_impossible_plot_is_refused_before_measuring(tameshi):
    result = tameshi("profile-model", MINILM, "--plot", "plot.pdf")
    assert result.exit_code == 2
    assert "→" not in result.stderr


def test_observation_runs_on_the_examples_given(tameshi, tiny_model):
    result = tameshi("observe-behavior", tiny_model(), "--example", "w1 w2 w3", "--example", "w4 w5", "--json")
    assert result.exit_code == 0, result.stderr
    assert record_of(result, "observe_behavior").examples_used == ("w1 w2 w3", "w4 w5")


def test_guidance_is_found(tameshi, data_folder, guidance_index):
    data_folder.mkdir(exist_ok=True)
    (data_folder / "index").symlink_to(guidance_index)
    result = tameshi("search-guidance", "pin the version of a model", "--limit", "2", "--json")
    assert result.exit_code == 0, result.stderr
    assert len(record_of(result, "search_guidance").passages) == 2


def test_without_json_it_is_text_in_the_language_asked_for(tameshi):
    english, japanese = (tameshi("check-version", MINILM, "--language", each).stdout for each in ("en", "ja"))
    assert "Your reference names no exact version" in english
    assert "ご指定の名前" in japanese


# --- exit status ------------------------------------------------------------------------------------------------------


def test_1_when_files_are_refused(tameshi, tiny_model):
    import pickle

    folder = Path(tiny_model())
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": print}))
    (folder / "model.safetensors").unlink()
    result = tameshi("inspect-files", str(folder), "--json")
    assert record_of(result, "inspect_files").verdict == "refuse"
    assert result.exit_code == 1


@pytest.mark.parametrize("tool", ["fetch-model", "profile-model", "observe-behavior", "estimate-cost"])
def test_1_when_a_tool_will_not_load_refused_files(tameshi, tiny_model, tool):
    folder = Path(tiny_model())
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    (folder / "model.safetensors").unlink()
    result = tameshi(tool, str(folder), "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "T01" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["fetch-model"],
        ["fetch-model", MINILM, "--no-such-option"],
        ["estimate-memory", MINILM, "--batch-size", "many"],
        ["profile-model", MINILM, "--batch-sizes", "1,x"],
        ["check-version", MINILM, "--language", "fr"],
    ],
)
def test_2_for_a_slip_of_usage(tameshi, words):
    result = tameshi(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


@pytest.mark.parametrize(
    "words",
    [["fetch-model", "nobody/nothing-here"], ["check-version", "./no/such/folder"], ["inspect-files", "not an id"]],
)
def test_3_when_it_failed_with_the_next_step_beside_it(tameshi, words):
    result = tameshi(*words, "--json")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "✗" in result.stderr
    assert "Traceback" not in result.stderr


# --- ask --------------------------------------------------------------------------------------------------------------


def test_ask_prints_one_event_a_line(make_assistant, monkeypatch, tameshi):
    from fakes import call

    assistant = make_assistant([call(("profile_model", {"model": "evil-org/backdoor"}))])
    monkeypatch.setattr("assistant.Assistant", lambda: assistant, raising=False)
    result = tameshi("ask", f"Profile {MINILM} with batch 4", "--dry-run", "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["kind"] for event in events] == ["tool_planned", "turn_finished"]
    assert events[0]["arguments"] == {"model": MINILM, "batch_sizes": [4]}
    assert result.exit_code == 0


def test_ask_answers_on_stdout_and_tells_its_steps_beside_it(make_assistant, monkeypatch, tameshi):
    from fakes import call
    from langchain_core.messages import AIMessage

    assistant = make_assistant([call(("check_version", {})), AIMessage("Here it is.")])
    monkeypatch.setattr("assistant.Assistant", lambda: assistant, raising=False)
    result = tameshi("ask", f"Which version is {MINILM}?")
    assert result.stdout.startswith("Here it is.")
    assert "→ check_version" not in result.stdout
    assert "→ check_version" in result.stderr


def test_T30_an_empty_question_fails_with_3(make_assistant, monkeypatch, tameshi):
    assistant = make_assistant([])
    monkeypatch.setattr("assistant.Assistant", lambda: assistant, raising=False)
    result = tameshi("ask", " \x00 ", "--json")
    assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == ["turn_failed"]
    assert result.exit_code == 3


# --- doctor and index -------------------------------------------------------------------------------------------------


@pytest.fixture
def quick_guidance(routing, monkeypatch):
    """Guidance over hashed words, which is built at once."""
    monkeypatch.setattr("assistant.services.Services.route_model", routing)


@pytest.mark.parametrize(("language", "guidance", "hub"), [("en", "guidance", "Unset"), ("ja", "指針", "設定を外して")])
def test_doctor_speaks_both_languages(tameshi, quick_guidance, data_folder, language, guidance, hub):
    result = tameshi("doctor", "--language", language)
    assert [line[0] for line in result.stdout.splitlines() if line[0] != " "] == list("✓△✓✓✓✓△"), result.stdout
    assert f"✓ {guidance}" in result.stdout
    assert hub in result.stdout
    assert str(data_folder) in result.stdout
    assert bool(re.search(r"[\u3040-\u30ff]", result.stdout)) == (language == "ja")
    assert result.exit_code == 0


def test_doctor_names_its_parts_alike_for_a_program_in_every_language(tameshi, quick_guidance):
    english, japanese = (json.loads(tameshi("doctor", "--json", "--language", each).stdout) for each in ("en", "ja"))
    assert [(c["name"], c["state"]) for c in english] == [(c["name"], c["state"]) for c in japanese]
    assert english[-1]["next_step"] != japanese[-1]["next_step"]


@pytest.mark.parametrize(("language", "step"), [("en", "that can be written"), ("ja", "書き込めるフォルダー")])
def test_T39_doctor_says_which_part_is_broken_and_what_to_do(tameshi, data_folder, monkeypatch, language, step):
    (data_folder / "file").write_text("")
    monkeypatch.setenv("TAMESHI_HOME", str(data_folder / "file" / "home"))
    result = tameshi("doctor", "--language", language)
    assert result.exit_code == 3
    assert "✗" in result.stdout
    assert step in result.stdout


@pytest.mark.parametrize(("language", "says"), [("en", "the index answers (G"), ("ja", "索引から見つかります(G")])
def test_index_speaks_both_languages(tameshi, quick_guidance, data_folder, language, says):
    result = tameshi("index", "--language", language)
    assert (result.exit_code, result.stdout) == (0, "")
    assert says in result.stderr
    assert (data_folder / "index" / "current").exists()


@pytest.mark.parametrize(("language", "says"), [("en", "could not be kept"), ("ja", "保存できませんでした")])
def test_index_says_when_it_cannot_be_kept(tameshi, quick_guidance, data_folder, language, says):
    (data_folder / "index").write_text("in the way")
    result = tameshi("index", "--language", language)
    assert result.exit_code == 3
    assert says in result.stderr


# --- as a whole -------------------------------------------------------------------------------------------------------


def test_every_tool_is_a_command_with_json_and_help(tameshi):
    commands = {command.name or command.callback.__name__: command for command in app.registered_commands}
    assert {name.replace("_", "-") for name in RECORDS} <= set(commands)
    for name in [*(tool.replace("_", "-") for tool in RECORDS), "ask"]:
        shown = tameshi(name, "--help")
        assert shown.exit_code == 0
        assert "--json" in shown.stdout


HEAVY = ("torch", "transformers", "langchain", "langchain_core", "gradio", "chromadb", "sqlalchemy", "httpx2")
"""What a command that reads files has no use for; the last is the hub's client."""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["estimate-memory", MINILM],
        ["estimate-memory", MINILM, "--language", "ja", "--json"],
        ["inspect-files", MINILM],
        ["check-documentation", MINILM],
    ],
    ids=" ".join,
)
def test_the_command_as_installed_starts_without_the_heavy_libraries(data_folder, monkeypatch, words):
    code = (
        f"import sys; sys.argv = ['tameshi', *{words}]\n"
        "from assistant.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    monkeypatch.setenv("TAMESHI_HOME", str(data_folder))
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert ast.literal_eval(done.stdout.splitlines()[-1]) == []


def test_a_forecast_by_command_is_stored_like_any_other(tameshi, data_folder):
    record = record_of(tameshi("estimate-memory", MINILM, "--json"), "estimate_memory")
    services = Services(Settings(home=data_folder))
    stored = services.store.get("E1", user="local")
    services.close()
    assert stored is not None
    assert (stored.tool, stored.model, stored.commit) == ("estimate_memory", MINILM, record.commit)
    assert RECORDS["estimate_memory"].model_validate(stored.record) == record
