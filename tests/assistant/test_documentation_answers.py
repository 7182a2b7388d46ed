"""Documentation and licence in words: for managers and engineers, in both languages, with what a stranger wrote made harmless."""

from __future__ import annotations

import json
import re

import pytest
from markdown_it import MarkdownIt

from assistant.rendering.results import TurnResult, render_result, rendered
from assistant.services import Services
from assistant.settings import Settings
from assistant.toolbox import CallScope, Toolbox
from tools.documentation import check_documentation
from tools.licences.terms import licence_text
from tools.model_sources import ModelSources
from tools.progress import CancelToken

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = ModelSources(offline=True)


def answer(record, language, audience):
    result = TurnResult("E7", "check_documentation", {}, record)
    return rendered(result, language, [result]).for_audience(audience)


@pytest.fixture
def llama(tmp_path):
    """A folder whose card claims too much, with the text of a licence with many duties beside it."""
    folder = tmp_path / "llama"
    folder.mkdir()
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 2_048}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "LICENSE").write_text(licence_text("LicenseRef-Llama-3.1"))
    card = (
        "---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---\n# x\n\nThe context length is 128K tokens.\n"
    )
    (folder / "README.md").write_text(card)
    return str(folder)


@pytest.mark.parametrize(
    ("language", "use_case", "told"),
    [
        ("en", "a product for customers", ["in a commercial product: **yes**", "not legal advice", "128K", "2,048"]),
        ("ja", "社内文書の要約", ["社内での利用:**可**", "法的助言ではありません", "128K", "2,048"]),
    ],
)
def test_a_manager_reads_whether_it_may_be_used_and_what_does_not_hold(llama, language, use_case, told):
    text = answer(check_documentation(llama, use_case, sources=OFFLINE), language, "manager")
    assert [each for each in told if each not in text] == []
    assert "|---|" not in text


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["700,000,000 monthly active users", "Built with Llama", "section 2, `LICENSE`", "base model", "contradicted"]),
        ("ja", ["月間アクティブ利用者が 700,000,000 人", "Built with Llama", "第 2 項、`LICENSE`", "元のモデル", "食い違い"]),
    ],
)  # fmt: skip
def test_an_engineer_reads_duties_with_their_words_lineage_and_both_quotes(llama, language, told):
    text = answer(check_documentation(llama, sources=OFFLINE), language, "engineer")
    assert [each for each in told if each not in text] == []
    assert "is greater than 700 million monthly active users" in text
    rows = MarkdownIt("commonmark").enable("table").parse(text)
    assert any(token.type == "table_open" for token in rows)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_changed_licence_is_quoted(llama, language, tmp_path):
    text = licence_text("LicenseRef-Llama-3.1") + "\nYou may not use it in <b>products</b>."
    (tmp_path / "llama" / "LICENSE").write_text(text)
    shown = answer(check_documentation(llama, sources=OFFLINE), language, "engineer")
    assert "You may not use it in \\<b\\>products" in shown


@pytest.mark.parametrize("language", ["en", "ja"])
def test_T28_names_and_quotes_of_a_card_act_nowhere(tmp_path, language):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    hostile = "![x](http://198.51.100.7/a.png)<script>`**"
    card = f'---\nlicense: "{hostile}"\nbase_model: "{hostile}"\ndatasets: ["{hostile}"]\n---\n# x\n\nThe context length is 4,096 tokens {hostile}\n'
    (folder / "README.md").write_text(card)
    record = check_documentation(str(folder), f"{hostile} for customers", sources=OFFLINE)
    text = render_result(TurnResult("E7", "check_documentation", {}, record), language)
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<img" not in html
    assert "<script" not in html


def test_the_team_s_list_is_passed_on_and_told(data_folder):
    services = Services(Settings(home=data_folder, offline=True, licence_allow_list=("MIT",)))
    try:
        scope = CallScope(user="local", conversation="c", cancel=CancelToken())
        found = Toolbox(services).run("check_documentation", {"model": MINILM}, scope, lambda _: None)
    finally:
        services.close()
    assert found.record["licence"]["on_allow_list"] is False


def test_a_plan_has_the_card_checked_for_its_use_once_and_again_for_another(data_folder):
    services = Services(Settings(home=data_folder, offline=True))
    ran = []

    def emit(event):
        if event.kind == "tool_started" and event.name == "check_documentation":
            ran.append(event.arguments.get("use_case"))

    try:
        scope = CallScope(user="local", conversation="c", cancel=CancelToken())
        toolbox = Toolbox(services)
        toolbox.run("profile_model", {"model": MINILM, "batch_sizes": [1], "sequence_lengths": [16]}, scope, emit)
        for use_case in ("search within the company", "search within the company", "a product for patients"):
            toolbox.run("plan_adoption", {"model": MINILM, "use_case": use_case}, scope, emit)
    finally:
        services.close()
    assert ran == ["search within the company", "a product for patients"]


@pytest.mark.parametrize(
    ("written", "listed"),
    [("MIT, Apache-2.0", ("MIT", "Apache-2.0")), ('["MIT"]', ("MIT",)), ("MIT", ("MIT",))],
)
def test_the_list_is_read_from_the_environment(monkeypatch, written, listed):
    monkeypatch.setenv("TAMESHI_LICENCE_ALLOW_LIST", written)
    assert Settings().licence_allow_list == listed


def test_no_sentence_of_english_is_left_in_a_japanese_answer(llama):
    text = answer(check_documentation(llama, "a product for customers in French", sources=OFFLINE), "ja", "engineer")
    bare = re.sub(r"`[^`]*`|“[^”]*”|「[^」]*」|<[^>]*>", "|", text)
    assert re.findall(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]*){3,}", bare) == []
