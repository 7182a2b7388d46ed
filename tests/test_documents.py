"""The documents are true: links resolve, and the README names what is there: files, settings, commands, targets."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer.main
from pydantic_core import PydanticUndefined

from assistant.cli import app
from assistant.llm.turn_schema import TOOL_NAMES
from assistant.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMANDS = typer.main.get_command(app).commands

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def section(title):
    return re.split(rf"^## {title}\n", README, flags=re.MULTILINE)[1].split("\n## ")[0]


def fenced(text):
    return re.findall(r"^```(?!mermaid)\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def quoted(text):
    """What stands between backticks, fenced blocks left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def first_cells(text):
    """The name in the first cell of each row of a table."""
    return re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)


def anchors(text):
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)}


def tree():
    """Paths of the README's tree with their phrases."""
    lines = fenced(section("What is where"))[0].splitlines()
    folders, found = [], {}
    for line in lines:
        indent, name, phrase = re.fullmatch(r"((?:  )*)(\S+)\s+(\S.*)", line).groups()
        folders = [*folders[: len(indent) // 2], name]
        found["".join(folders)] = phrase
    return found


def in_folder(folder):
    """What belongs into a tree: no package marks, caches and hidden files."""
    entries = (ROOT / folder).iterdir()
    return {
        f"{folder}{entry.name}{'/' if entry.is_dir() else ''}"
        for entry in entries
        if not entry.name.startswith(("__", "."))
    }


@every_document
def test_links_and_images_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not leads_somewhere(target, document)] == []


def leads_somewhere(target, document):
    path, _, anchor = target.partition("#")
    if re.match(r"[a-z]+:", path):
        return path.startswith("https://")
    place = (document.parent / path).resolve() if path else document
    inside = place.is_relative_to(ROOT) and place.exists()
    return inside and (not anchor or anchor in anchors(place.read_text(encoding="utf-8")))


@every_document
def test_paths_that_are_named_exist(document):
    for name in quoted(document.read_text(encoding="utf-8")):
        if re.fullmatch(r"(assistant|tools|knowledge|tests|\.ci)/[\w./-]*", name):
            assert (ROOT / name).exists(), f"`{name}` is not there"


@every_document
def test_tools_that_are_named_exist(document):
    text = document.read_text(encoding="utf-8")
    verbs = "|".join(sorted({name.split("_")[0] for name in TOOL_NAMES}))
    named = set(re.findall(rf"`((?:{verbs})_[a-z_]+)`", text)) | set(re.findall(r"\(after (\w+_\w+)\)", text))
    assert named <= set(TOOL_NAMES)


def test_the_tree_names_what_is_there():
    listed = set(tree())
    assert {path for path in listed if not (ROOT / path).exists()} == set()
    assert {path for path in listed if (ROOT / path).is_dir() != path.endswith("/")} == set()


@pytest.mark.parametrize("folder", ["assistant/", "assistant/llm/", "tools/", "knowledge/"])
def test_the_tree_leaves_nothing_out(folder):
    listed = {path for path in tree() if path.startswith(folder) and "/" not in path[len(folder) : -1]} - {folder}
    assert listed == in_folder(folder)


def test_the_settings_are_the_settings():
    rows = re.findall(r"^\| `TAMESHI_(\w+)` \| (.+?) \|", section("Settings"), flags=re.MULTILINE)
    assert [name.lower() for name, _ in rows] == list(Settings.model_fields)
    for name, shown in rows:
        default = Settings.model_fields[name.lower()].default
        # Words stand for a default that has none of its own, such as an empty one.
        expected = shown if default in ("", (), PydanticUndefined) and "`" not in shown else f"`{default}`"
        assert shown == expected, name


@every_document
def test_settings_that_are_named_exist(document):
    named = re.findall(r"TAMESHI_([A-Z_]+)", document.read_text(encoding="utf-8"))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_commands_are_the_commands():
    assert first_cells(section("The command line")) == [f"tameshi {name}" for name in COMMANDS]


@every_document
def test_commands_are_shown_with_options_that_they_have(document):
    text = document.read_text(encoding="utf-8")
    lines = [line for block in fenced(text) for line in block.splitlines()]
    for line in [*lines, *quoted(text)]:
        called = re.match(r"(?:\.venv/bin/)?tameshi ([a-z-]+)(.*)", line)
        if called:
            known = options_of(COMMANDS[called[1]], called[2])
            assert set(re.findall(r"(?<=\s)--[a-z-]+", called[2])) <= known, line


def test_options_beside_a_command_are_its_own():
    for name, words in re.findall(r"^\| `tameshi ([a-z-]+)` \| (.+) \|$", section("The command line"), re.MULTILINE):
        assert set(re.findall(r"`(--[a-z-]+)", words)) <= options_of(COMMANDS[name]), name


def options_of(command, words=""):
    """The options of a command; of one with commands of its own, those of the one that is named."""
    named = next((part for part in words.split() if part in getattr(command, "commands", {})), None)
    parameters = command.commands[named].params if named else command.params
    return {option for parameter in parameters for option in parameter.opts}


def test_every_command_but_the_index_takes_json():
    assert {name for name, command in COMMANDS.items() if "--json" not in options_of(command)} == {"index"}
    parts = COMMANDS["index"].commands
    assert {name for name, command in parts.items() if "--json" not in options_of(command)} == {"build"}


@every_document
def test_parts_of_the_index_that_are_named_exist(document):
    named = re.findall(r"tameshi index ([a-z]+)", document.read_text(encoding="utf-8"))
    assert set(named) <= set(COMMANDS["index"].commands)


def test_the_targets_are_the_targets():
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()
    assert sorted(first_cells(section("Quick start"))) == sorted(f"make {target}" for target in phony)


@every_document
def test_targets_that_are_named_exist(document):
    text = document.read_text(encoding="utf-8")
    lines = [line for block in fenced(text) for line in block.splitlines()]
    named = {found[1] for line in [*lines, *quoted(text)] if (found := re.match(r"(?:\w+=\S+ )*make ([a-z]+)", line))}
    assert named <= set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def test_continuous_integration_runs_the_test_command_of_the_readme():
    assert "\nmake test\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "make test" in first_cells(section("Quick start"))


def test_the_changelog_knows_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    released = [version for version, _ in headings[1:]]
    unreleased = text.split("## [Unreleased]\n")[1].split("\n## ")[0]
    version = PYPROJECT["project"]["version"]
    assert version == released[0] if released else version in unreleased


def test_working_rules_stay_short():
    assert len((ROOT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) < 60


def test_results_are_those_that_were_measured():
    block = README.split("<!-- bench -->\n")[1].split("\n<!-- /bench -->")[0]
    recorded = ROOT / "docs" / "bench.json"
    if not recorded.exists():
        assert block == "Run `make bench`."
        return
    if importlib.util.find_spec("tests.bench.report") is None:
        pytest.skip("tests/bench is not part of this copy")
    from tests.bench.report import table

    assert block == table(json.loads(recorded.read_text(encoding="utf-8")))


def test_no_file_names_a_home_folder():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    home = re.compile(rb"(?<![\w.])/(?:root|home/\w+|Users/\w+)/\w|[A-Z]:\\Users\\")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".safetensors", ".png"} and home.search(path.read_bytes()):
            found.append(name)
    assert found == []
