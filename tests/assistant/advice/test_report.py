"""The report of a plan stands alone, cites its evidence, and lets no model's words act in it."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import pytest

from assistant.advice.plan import AdoptionPlan, plan_adoption
from assistant.advice.report import report_html, report_markdown, write_report
from assistant.evidence import Evidence
from tools.errors import InvalidArgument

MODEL = "org/model"
JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
EVIL = "<script>alert(1)</script> <img src=http://evil.example/x> ![p](http://evil.example/p.png) [go](http://evil.example) | a\n# b"


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the text outside the style sheet."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.text = ""
        self.cells = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.lasttag != "style":
            self.text += data
            if self.cells and self.lasttag in {"td", "code"}:
                self.cells[-1] += data.strip("\n")

    def names(self):
        return {tag for tag, _ in self.tags}


@pytest.fixture
def planned(evidence_of, records, priced, keep, store):
    """The function that gives a stored plan and the evidence, newest first."""

    def make(use_case="sorting mail", cost=True, **replaced):
        evidence_of(*records.sound(**replaced))
        if cost:
            priced()
        plan = plan_adoption(MODEL, use_case, evidence=store.find(user="u"))
        keep(plan, "plan_adoption")
        return plan, store.find(user="u")

    return make


@pytest.fixture
def write(planned, tmp_path):
    """The function that writes the report of a plan and returns its text."""

    def call(ending, language="en", **changes):
        plan, evidence = planned(**changes)
        path = write_report(plan, evidence, tmp_path / f"plan{ending}", language)
        return path.read_text(encoding="utf-8")

    return call


def assert_stands_alone(html):
    """Nothing is fetched, nothing runs, and the page says so to the browser."""
    page = Page(html)
    assert not page.names() & {"script", "iframe", "object", "embed", "link", "form", "base", "svg", "a"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "srcset", "action", "data", "poster", "background"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, name)
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    policies = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert [a for tag, a in page.tags if tag == "meta"][0] == {"charset": "utf-8"}
    return page


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_stands_alone_in_both_languages(write, language):
    html = write(".html", language)
    page = assert_stands_alone(html)
    assert ("html", {"lang": language}) in page.tags
    assert {"h1", "h2", "table", "img"} <= page.names()
    assert bool(JAPANESE.search(page.text)) == (language == "ja")
    images = {attributes["alt"]: attributes["src"] for tag, attributes in page.tags if tag == "img"}
    assert list(images) == {"en": ["Speed", "Memory"], "ja": ["速度", "メモリ"]}[language]
    for source in images.values():
        assert b"<svg" in base64.b64decode(source.removeprefix("data:image/svg+xml;base64,"))
    title = {"en": "Adoption plan: org/model", "ja": "導入計画:org/model"}[language]
    assert page.text.startswith(title)
    assert [f"E{i}" in page.text for i in (1, 2, 4, 5, 6)] == [True] * 5
    # The forecast was measured over, so that the plan does not rest on it.
    assert "E3" not in page.text


def test_a_page_without_a_measurement_has_no_plot(write):
    assert "img" not in assert_stands_alone(write(".html", profile=None, cost=False)).names()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_markdown_has_the_plan_the_sentences_and_the_evidence(write, language):
    text = write(".md", language)
    headings = {
        "en": ["# Adoption plan: org/model", "## Three sentences for the meeting", "## Evidence"],
        "ja": ["# 導入計画:org/model", "## 会議で伝える三つの言葉", "## 証拠"],
    }
    sentences = {
        "en": ["1. We try it small first.", "2. We decide by measurement.", "3. We set the operating rules first."],
        "ja": ["1. まず小さく試します。", "2. 実測で判断します。", "3. 運用ルールを先に定めます。"],
    }
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("#")] == headings[language]
    assert [line for line in lines if line in sentences[language]] == sentences[language]
    rows = [line for line in lines if re.match(r"\| E\d", line)]
    assert [row.split(" ")[1] for row in rows] == ["E1", "E2", "E4", "E5", "E6"]
    assert all(f"| {MODEL} | `{'a' * 19}` | " in row for row in rows)


def test_the_json_is_the_plan_and_every_record_it_rests_on(write):
    document = json.loads(write(".json", use_case="郵便の仕分け"))
    plan = AdoptionPlan.model_validate(document["plan"])
    evidence = [Evidence.model_validate(each) for each in document["evidence"]]
    assert plan.use_case == "郵便の仕分け"
    assert {each.id for each in evidence} == set(plan.evidence)
    assert {each.tool for each in evidence} == {
        "fetch_model", "inspect_files", "check_documentation", "profile_model", "estimate_cost",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["plan.pdf", "plan", "plan.HTML", "plan.html.exe"])
def test_another_ending_is_refused_and_nothing_is_written(planned, tmp_path, name):
    plan, evidence = planned()
    with pytest.raises(InvalidArgument, match="no known ending"):
        write_report(plan, evidence, tmp_path / name, "en")
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_T38_words_of_the_user_and_of_the_model_do_not_act_in_the_page(write, records, language):
    licence = records.documentation(tag=EVIL, spdx=None, permissive=None)
    page = assert_stands_alone(write(".html", language, use_case=EVIL, documentation=licence))
    assert page.text.count("<script>alert(1)</script>") >= 2
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert [tag for tag, _ in page.tags].count("img") == 2, "speed and memory"


def test_T38_a_models_name_does_not_act_in_the_page(evidence_of, records):
    for name in (EVIL, "./<b>bold</b>", "./a`b`c", "./x|y", "./" + "long" * 1000):
        evidence = evidence_of(records.inspection(model=name))
        found = [each for each in evidence if each.model == name]
        plan = plan_adoption(name, EVIL, evidence=found)
        html = report_html(report_markdown(plan, found, "body", "en"), None, "en")
        page = assert_stands_alone(html)
        assert not page.names() & {"b", "img", "a"}
        assert len(page.cells) == 6, "the table of evidence is torn"
        assert page.cells[:1] + page.cells[3:4] == [found[0].id, "a" * 19]
        shown = " ".join(name.split())
        assert page.cells[2] in {shown, shown[:239] + "…"}
        assert len(html) < 10_000


def test_markup_in_the_body_stays_text_but_for_line_breaks():
    page = assert_stands_alone(report_html("# Plan\n\n<b>a</b><br>b <script>c</script>\n\n<div>d</div>", None, "en"))
    assert {"b", "div", "script"} & page.names() == set()
    assert "br" in page.names()
    assert "<b>a</b>" in page.text


def test_a_links_text_in_the_body_stays_text():
    body = "[a](http://evil.example) <http://evil.example> ![i](http://evil.example/i.png)\n\n[r]: http://evil.example"
    page = assert_stands_alone(report_html(f"# Plan\n\n{body}", None, "en"))
    assert page.text.count("evil.example") == 4


def test_the_title_reads_as_the_name_was_written(evidence_of, records):
    evidence = evidence_of(records.inspection(model="org/some_model*"))
    plan = plan_adoption("org/some_model*", evidence=evidence)
    html = report_html(report_markdown(plan, evidence, "", "en"), None, "en")
    assert "<title>Adoption plan: org/some_model*</title>" in html
    assert "<h1>Adoption plan: org/some_model*</h1>" in html


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
