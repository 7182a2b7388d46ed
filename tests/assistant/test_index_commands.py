"""`tameshi index`: builds the guidance index by default; adds, lists and removes the team's documents."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.services import Services
from assistant.team_documents.library import AddedDocument
from assistant.team_documents.records import TeamDocument

POLICY = "# Model policy\n\n## Formats\n\nPickle files are forbidden.\n"


@pytest.fixture
def tameshi(data_folder, monkeypatch, routing):
    """The function that runs a command in this process, with an embedder that takes no time."""
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(Services, "route_model", routing)
    return lambda *words: CliRunner().invoke(app, ["index", *map(str, words)])


@pytest.fixture
def policy(tmp_path):
    """A policy as a file."""
    path = tmp_path / "model_policy.md"
    path.write_text(POLICY, encoding="utf-8")
    return path


def test_without_a_word_the_guidance_index_is_built(tameshi):
    for words in ((), ("build",)):
        result = tameshi(*words)
        assert result.exit_code == 0, result.stderr
        assert "✓" in result.stderr
        assert result.stdout == ""
    assert "✓" in tameshi("--language", "ja").stderr


def test_add_list_and_remove(tameshi, policy):
    added = tameshi("add", policy)
    assert (added.exit_code, added.stdout.count("\n")) == (0, 1)
    assert "Model policy is added as [D" in added.stdout
    assert "model_policy.md" in added.stderr
    listed = tameshi("list")
    assert "Model policy · model_policy.md · 1 passage · only for you · local" in listed.stdout
    id = listed.stdout.split()[0]
    removed = tameshi("remove", id)
    assert (removed.exit_code, f"[{id}] is removed" in removed.stdout) == (0, True)
    assert tameshi("list").stdout == "No document has been added yet.\n"


def test_json_is_a_record_a_line(tameshi, policy):
    (first,) = tameshi("add", policy, "--json").stdout.splitlines()
    added = AddedDocument.model_validate_json(first)
    assert added.state == "added"
    (line,) = tameshi("list", "--json").stdout.splitlines()
    assert [TeamDocument.model_validate(each) for each in json.loads(line)] == [added.document]
    (removed,) = tameshi("remove", added.document.id, "--json").stdout.splitlines()
    assert TeamDocument.model_validate_json(removed) == added.document


def test_added_again_it_says_so(tameshi, policy):
    tameshi("add", policy)
    again = tameshi("add", policy)
    assert (again.exit_code, "was added before" in again.stdout) == (0, True)
    shared = tameshi("add", policy, "--shared", "--language", "ja")
    assert "チームに共有しました" in shared.stdout


def test_T27_users_have_documents_of_their_own(tameshi, policy):
    tameshi("add", policy, "--user", "ann")
    assert tameshi("list", "--user", "bob").stdout == "No document has been added yet.\n"
    assert tameshi("list").stdout == "No document has been added yet.\n"
    tameshi("add", policy, "--user", "ann", "--shared")
    id = tameshi("list", "--user", "bob").stdout.split()[0]
    refused = tameshi("remove", id, "--user", "bob")
    assert refused.exit_code == 3
    assert "added by `ann`" in refused.stderr


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [(b"", 1, "is empty"), (b"\x89PNG\r\n\x1a\n", 1, "is a picture"), (None, 2, "There is no file")],
)
def test_a_document_that_is_not_added_ends_with_a_status_and_a_sentence(
    tameshi, policy, tmp_path, content, status, said
):
    other = tmp_path / "other.pdf"
    if content is not None:
        other.write_bytes(content)
    result = tameshi("add", other, policy, "--json")
    assert result.exit_code == status
    assert said in result.stderr
    failed, added = map(json.loads, result.stdout.splitlines())
    assert (failed["state"], said in failed["message"], bool(failed["next_step"])) == ("failed", True, True)
    assert added["state"] == "added", "the others are added all the same"


def test_what_is_not_there_cannot_be_removed(tameshi):
    result = tameshi("remove", "D00000000", "--language", "ja")
    assert result.exit_code == 3
    assert "文書 `D00000000` はありません" in result.stderr


def test_wrong_usage(tameshi, policy):
    assert tameshi("add").exit_code == 2
    assert tameshi("add", policy, "--language", "fr").exit_code == 2
    assert tameshi("frobnicate").exit_code == 2
