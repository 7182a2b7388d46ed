"""The page about the lock says what the code reads: its examples, entries and rules."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tools.locking.fingerprint import Fingerprint
from tools.locking.policy import Policy, read_policy
from tools.locking.records import LockedModel

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "lock.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def rows(title):
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.+?`) \|", section, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_every_entry_of_a_model_is_described():
    assert sorted(rows("The file")) == sorted(LockedModel.model_fields)
    (paragraph,) = re.findall(r"The fingerprint holds (.+?)\n\n", PAGE, flags=re.DOTALL)
    assert set(Fingerprint.model_fields) <= set(re.findall(r"`(\w+)`", paragraph))


def test_the_policy_of_the_page_is_read_and_has_every_rule(tmp_path):
    (tmp_path / "policy.toml").write_text(EXAMPLES[1], encoding="utf-8")
    assert read_policy(tmp_path / "policy.toml").model_fields_set == set(Policy.model_fields)
    assert rows("The policy") == [
        name for name in Policy.model_fields if name not in {"schema_version", "not_checkable"}
    ]


def test_the_workflow_runs_commands_with_options_that_they_have():
    import typer.main

    from assistant.cli import app

    commands = typer.main.get_command(app).commands
    steps = yaml.safe_load((DOCS / "examples" / "check-models.yml").read_text(encoding="utf-8"))["jobs"]["check"][
        "steps"
    ]
    called = re.findall(r"^\s*tameshi ([a-z-]+)(.*)", "\n".join(step.get("run", "") for step in steps), re.MULTILINE)
    assert {name for name, _ in called} == {"check", "watch", "export-bom"}
    for name, rest in called:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known
