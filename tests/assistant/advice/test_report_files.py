"""A report's file stands alone in each format, nothing that others wrote acts in it, and no file is lost to it."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from assistant.advice.plan import AdoptionPlan, plan_adoption
from assistant.advice.report import build_report, write_report
from assistant.advice.reporting.content import anchors, spans, texts
from assistant.advice.reporting.json_document import ReportDocument, schema
from assistant.advice.reporting.material import material_of
from assistant.evidence import Evidence
from tests.assistant.advice.report_reading import (
    Page,
    assert_stands_alone,
    cited_ids,
    decision,
    in_both_languages,
    passage,
)
from tools.errors import InvalidArgument, SourceUnavailable

JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
EVIL = "<script>alert(1)</script> <img src=http://evil.example/x> ![p](http://evil.example/p.png) [go](http://evil.example) | a\n# b\u202e"
MANAGER = [
    "sentences", "rules", "policy", "stages", "measured", "documentation", "pins", "not-checked", "assumptions", "decision",
    "guidance", "glossary", "commands", "evidence",
]  # fmt: skip


def sections_of(page):
    return [a["id"] for a in page.all("section") if not a.get("class")]


@in_both_languages
@pytest.mark.parametrize("audience", ["manager", "engineer"])
def test_the_page_stands_alone_and_reads_in_order(write, language, audience):
    html = write(".html", language, audience=audience)
    page = assert_stands_alone(html)
    assert page.all("html") == [{"lang": language}]
    assert page.names >= {"h1", "h2", "h3", "table", "caption", "svg", "nav", "main", "header", "footer"}
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), "a level is left out"
    assert bool(JAPANESE.search(page.text)) == (language == "ja") or language == "en"
    assert set(sections_of(page)) == set(MANAGER)
    if audience == "manager":
        assert sections_of(page) == MANAGER
    else:
        assert sections_of(page)[:3] == ["rules", "measured", "stages"]
    assert not re.search(r"\b(None|nan|NaN|inf)\b|\{\w*\}|\bTrue\b|\bFalse\b", page.text)


def test_the_json_is_the_plan_every_record_and_the_content(write):
    told = [decision()]
    text = write(".json", "ja", use_case="郵便の仕分け", told=told)
    document = json.loads(text)
    jsonschema.validate(document, schema())
    assert document["schema_version"] == 2
    report = ReportDocument.model_validate(document)
    assert AdoptionPlan.model_validate(document["plan"]).use_case == "郵便の仕分け"
    evidence = [Evidence.model_validate(each) for each in document["evidence"]]
    assert {each.id for each in evidence} >= set(report.plan.evidence)
    assert {each.tool for each in evidence} == {
        "fetch_model", "inspect_files", "check_documentation", "profile_model", "estimate_cost", "check_version", "plan_adoption",
    }  # fmt: skip
    assert [each.id for each in report.decisions] == ["K1"]
    assert [section.id for section in report.content.sections] == MANAGER
    assert "svg" not in text
    assert cited_ids(report.content) <= anchors(report.content)


def test_the_forms_say_the_same(planned):
    plan, evidence = planned()
    from assistant.advice.reporting.html_page import html_of
    from assistant.advice.reporting.markdown_text import markdown_of

    document = build_report(material_of(plan, evidence, "en"))
    page = Page(html_of(document))
    read = re.sub(r"\\([\W_])", r"\1", markdown_of(document))
    for text in texts(document):
        plain = "".join(f"[{span.text}]" if span.kind == "id" else span.text for span in spans(text))
        assert plain in page.text, text
        marked = "".join(
            f"`{s.text}`" if s.kind == "code" else f"[{s.text}]" if s.kind == "id" else s.text for s in spans(text)
        )
        assert marked in read, text


@in_both_languages
def test_T38_words_of_the_user_the_model_and_the_team_do_not_act_in_the_page(write, records, language):
    licence = records.documentation(tag=EVIL, spdx=None, permissive=None)
    told = [passage(f"No model without a licence text may be used {EVIL}", title=EVIL, place=EVIL)]
    closing = decision(by=EVIL, note=EVIL, reason=EVIL, unmet=("quality",))
    closing = closing.model_copy(update={"use_case": EVIL})
    html = write(".html", language, use_case=EVIL, documentation=licence, passages=told, told=[closing])
    page = assert_stands_alone(html)
    assert "\u202e" not in html
    assert page.text.count("<script>alert(1)</script>") >= 4
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert len(page.all("svg")) == 2, "speed and memory"


@in_both_languages
def test_T38_words_of_others_do_not_act_in_markdown(write, records, language):
    from markdown_it import MarkdownIt

    licence = records.documentation(tag=EVIL, spdx=None, permissive=None)
    told = [passage(f"No model without a licence text may be used {EVIL}", title=EVIL, place=EVIL)]
    text = write(".md", language, use_case=EVIL, documentation=licence, passages=told)
    assert "\u202e" not in text
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    children = [child.type for token in tokens for child in token.children or ()]
    assert not {"image", "link_open", "html_inline"} & set(children)
    assert "html_block" not in {token.type for token in tokens}
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert "b" not in headings


def test_T38_a_models_name_does_not_act_in_the_page(evidence_of, records):
    from assistant.advice.reporting.html_page import html_of

    for model in (EVIL, "./<b>bold</b>", "./a`b`c", "./x|y", "./" + "long" * 1000, '"; } </style>'):
        evidence = evidence_of(records.inspection(model=model))
        found = [each for each in evidence if each.model == model]
        plan = plan_adoption(model, EVIL, evidence=found)
        html = html_of(build_report(material_of(plan, found, "en")))
        page = assert_stands_alone(html)
        assert not page.names & {"b", "i"}
        assert len(html) < 120_000


@pytest.mark.parametrize("name", ["plan.pdf", "plan", "plan.html.exe"])
def test_another_ending_is_refused_and_nothing_is_written(planned, tmp_path, name):
    plan, evidence = planned()
    with pytest.raises(InvalidArgument, match="no known ending"):
        write_report(plan, evidence, tmp_path / name, "en")
    assert not (tmp_path / name).exists()
    write_report(plan, evidence, tmp_path / name, "en", chosen="md")
    assert (tmp_path / name).read_text(encoding="utf-8").startswith("# ")


def test_a_file_that_is_there_is_kept_unless_it_is_forced(planned, tmp_path):
    plan, evidence = planned()
    out = tmp_path / "plan.md"
    out.write_text("mine")
    with pytest.raises(InvalidArgument, match="is there already") as refused:
        write_report(plan, evidence, out, "en")
    assert "--force" in refused.value.next_step
    assert out.read_text() == "mine"
    write_report(plan, evidence, out, "en", force=True)
    assert out.read_text(encoding="utf-8").startswith("# Adoption plan")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "plan"))] == ["plan.md"]


@pytest.mark.parametrize(
    ("place", "says"),
    [("no/such/plan.md", "does not exist"), ("folder.md", "is a folder")],
)
def test_a_place_that_cannot_be_written_says_so(planned, tmp_path, place, says):
    plan, evidence = planned()
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(InvalidArgument, match=says):
        write_report(plan, evidence, tmp_path / place, "en", force=True)


def test_a_report_that_cannot_be_kept_leaves_the_old_one(planned, tmp_path, monkeypatch):
    plan, evidence = planned()
    out = tmp_path / "plan.md"
    out.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tools.locking.document.os.fsync", full)
    with pytest.raises(SourceUnavailable, match="No space left"):
        write_report(plan, evidence, out, "en", force=True)
    assert out.read_text() == "old"


def test_another_format_is_no_format(planned, tmp_path):
    plan, evidence = planned()
    with pytest.raises(InvalidArgument, match="is no format"):
        write_report(plan, evidence, tmp_path / "plan.md", "en", chosen="docx")


def test_text_is_written_as_utf8_whatever_the_machines_own_encoding_is(planned, tmp_path):
    import subprocess
    import sys

    plan, evidence = planned(use_case="郵便の仕分け", profile=None, cost=False)
    (tmp_path / "plan.txt").write_text(plan.model_dump_json(), encoding="utf-8")
    (tmp_path / "evidence.txt").write_text("\n".join(e.model_dump_json() for e in evidence), encoding="utf-8")
    script = """
import sys
from pathlib import Path
from assistant.advice.plan import AdoptionPlan
from assistant.advice.report import write_report
from assistant.evidence import Evidence
folder = Path(sys.argv[1])
plan = AdoptionPlan.model_validate_json((folder / "plan.txt").read_text(encoding="utf-8"))
lines = (folder / "evidence.txt").read_text(encoding="utf-8").splitlines()
for ending in (".json", ".md", ".html"):
    write_report(plan, [Evidence.model_validate_json(line) for line in lines], folder / f"out{ending}", "ja")
"""
    environment = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": "."}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment, timeout=120)
    for ending in (".json", ".md", ".html"):
        assert "郵便の仕分け" in (tmp_path / f"out{ending}").read_text(encoding="utf-8")
