"""Versions in the reader's language: what differs, what to test again, and nothing that a stranger wrote acts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from assistant.cli import app
from assistant.languages import LANGUAGES
from assistant.rendering.results import TurnResult, rendered
from assistant.rendering.style import inline
from tools.model_sources import ModelSources
from tools.version import check_version

OFFLINE = ModelSources(offline=True)
CARD = "---\nlicense: mit\nbase_model: org/base\n---\n# Tiny\n\n## Uses\nSearch.\n"


@pytest.fixture
def twins(tiny_model, tmp_path):
    """Two folders of one name; the second one has another config, template, card and licence."""
    first, second = Path(tiny_model(CARD)), tmp_path / "changed" / "tiny"
    second.parent.mkdir()
    second.mkdir()
    for file in first.iterdir():
        (second / file.name).write_bytes(file.read_bytes())
    config = json.loads((second / "config.json").read_text())
    (second / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    settings = {"model_max_length": 32, "chat_template": "{{ messages }}"}
    (second / "tokenizer_config.json").write_text(json.dumps(settings))
    (second / "README.md").write_text(
        CARD.replace("Search.", "[Click](http://198.51.100.7) <b>me</b>").replace("mit", "other")
    )
    return str(first), str(second)


def answer(record, language, audience="engineer"):
    return rendered(TurnResult("E1", "check_version", {}, record), language, []).for_audience(audience)


def test_two_folders_of_one_name_are_told_apart_in_japanese(twins):
    record = check_version(twins[0], against=twins[1], sources=OFFLINE)
    text = answer(record, "ja")
    assert "同じ名前" in text.splitlines()[0]
    assert "`hidden_act`(活性化関数):`gelu` から `relu`" in text
    assert "チャットテンプレートが追加されました" in text
    assert re.findall(r"[A-Za-z]{3,}(?: [A-Za-z]{2,}){3,}", re.sub(r"`[^`]*`|“[^”]*”", "", text)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_manager_gets_what_to_do_and_an_engineer_every_line(twins, language):
    record = check_version(twins[0], against=twins[1], sources=OFFLINE)
    manager, engineer = (answer(record, language, audience) for audience in ("manager", "engineer"))
    assert len(manager) < len(engineer) / 2
    assert "hidden_act" not in manager
    assert f"tameshi lock {twins[0]}" in manager
    assert f"tameshi check-version {twins[0]} --against {twins[1]}" in engineer
    for change in record.changes:
        assert f"`{change.file}`" in engineer
    assert engineer.count("- ") > sum(len(change.details) for change in record.changes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_version_without_another_asks_for_its_lock(tiny_model, language):
    record = check_version(tiny_model(CARD), sources=OFFLINE)
    text = answer(record, language)
    assert f"tameshi lock {record.model}" in text
    assert "org/base" in text


def test_the_lock_is_told_for_the_exact_commit(tiny_model):
    record = check_version(tiny_model(CARD), sources=OFFLINE)
    moving = record.model_copy(update={"model": "org/tiny@main", "pinned": False, "commit": "a" * 40})
    assert f"tameshi lock org/tiny@{'a' * 40}`" in answer(moving, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_T13_T28_nothing_in_names_values_and_cards_acts(twins, language):
    hostile = "[x](http://198.51.100.7) <img src=x> ` **bold** | ![i](http://198.51.100.7/i.png)"
    Path(twins[1], "config.json").write_text(
        json.dumps({hostile: hostile, "hidden_act": hostile, "model_type": "bert"})
    )
    Path(twins[1], "README.md").write_text(f"---\nbase_model: '{hostile}'\n---\n# {hostile}\n\n## Uses {hostile}\nx\n")
    Path(twins[1], hostile.replace("/", "") + ".json").write_text("{}")
    for record in (
        check_version(twins[0], against=twins[1], sources=OFFLINE),
        check_version(twins[1], sources=OFFLINE),
    ):
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(answer(record, language))
        kinds = {child.type for token in tokens for child in token.children or ()} | {token.type for token in tokens}
        assert kinds.isdisjoint({"link_open", "image", "html_inline", "html_block", "table_open"})


@given(st.text(alphabet="a`*[](<>)\\ !|_#\n", max_size=60))
def test_T13_any_text_between_backticks_is_inert(text):
    for written in (text, f"Entries that differ: `{text}`."):
        tokens = MarkdownIt("commonmark", {"html": True}).parse(f"- x: {inline(written)}")
        kinds = {child.type for token in tokens for child in token.children or ()} | {token.type for token in tokens}
        assert kinds <= {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "paragraph_open",
                         "paragraph_close", "inline", "text", "text_special", "code_inline"}  # fmt: skip


def test_the_command_compares_with_another(twins, data_folder, monkeypatch):
    monkeypatch.setenv("TAMESHI_OFFLINE", "1")
    result = CliRunner().invoke(app, ["check-version", twins[0], "--against", twins[1], "--json"])
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert record["compared_with"]["same_name"] is True
    assert {change["kind"] for change in record["changes"]} == {"config", "chat_template", "tokenizer", "card"}
    result = CliRunner().invoke(app, ["check-version", twins[0], "--against", "./nowhere"])
    assert result.exit_code == 3
    assert "nowhere" in result.stderr
