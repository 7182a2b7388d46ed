"""The report of a plan stands alone, says every part of the plan in both languages, and cites nothing it cannot show."""

from __future__ import annotations

import datetime as dt
import json
import re
from html.parser import HTMLParser

import jsonschema
import pytest

from assistant.advice.decision_records import GateAtClosing, StageDecision
from assistant.advice.plan import AdoptionPlan, plan_adoption
from assistant.advice.report import build_decision_record, build_report, write_report
from assistant.advice.reporting.content import anchors, spans, texts
from assistant.advice.reporting.json_document import ReportDocument, schema
from assistant.advice.reporting.material import material_of
from assistant.evidence import Evidence
from assistant.phrases import say
from knowledge.team_passage import TeamPassage
from tools.errors import InvalidArgument, SourceUnavailable

MODEL = "org/model"
JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
EVIL = "<script>alert(1)</script> <img src=http://evil.example/x> ![p](http://evil.example/p.png) [go](http://evil.example) | a\n# b\u202e"
TARGETS = {"requests_per_day": 10_000.0, "price_per_hour": 1.0, "currency": "USD"}
LANGUAGES = ("en", "ja")
MANAGER = [
    "sentences", "rules", "policy", "stages", "measured", "documentation", "pins", "not-checked", "assumptions", "decision",
    "guidance", "glossary", "commands", "evidence",
]  # fmt: skip
in_both_languages = pytest.mark.parametrize("language", LANGUAGES)


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, the text outside the style sheet, and headings by level."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.headings, self.cells = [], "", [], []
        self._inside = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in {"meta", "use", "path", "rect", "br"}:
            return
        self._inside.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag):
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data):
        if "style" in self._inside or "head" in self._inside:
            return
        self.text += data
        if self.headings and {"h1", "h2", "h3"} & set(self._inside):
            self.headings[-1][1] += data
        if self.cells and {"td", "th"} & set(self._inside):
            self.cells[-1] += data

    @property
    def names(self):
        return {tag for tag, _ in self.tags}

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def planned(evidence_of, records, priced, keep, store):
    """The function that gives a stored plan and the evidence, newest first."""

    def make(
        use_case="sorting mail", *, cost=True, passages=(), decisions=(), previous=None, targets=TARGETS, **replaced
    ):
        evidence_of(*records.sound(**replaced))
        if cost:
            priced()
        plan = plan_adoption(
            MODEL, use_case, targets, evidence=store.find(user="u"), passages=passages, decisions=decisions, previous=previous,
            version=2 if previous else 1, today=dt.date(2026, 11, 2),
        )  # fmt: skip
        keep(plan, "plan_adoption")
        return plan, store.find(user="u")

    return make


@pytest.fixture
def write(planned, tmp_path):
    """The function that writes the report of a plan and returns its text."""

    def call(ending, language="en", *, audience="manager", chosen=None, told=(), **changes):
        plan, evidence = planned(decisions=told, **changes)
        out = tmp_path / f"plan{ending}"
        write_report(plan, evidence, out, language, audience=audience, decisions=told, chosen=chosen)
        return out.read_text(encoding="utf-8")

    return call


def passage(text, number=1, title="Policy", place="p. 3"):
    return TeamPassage(id=f"D0123abcd.{number}", document="D0123abcd", title=title, place=place, text=text, shared=True)


def decision(choice="go", stage="desk_check", *, by="Mori", id="K1", unmet=(), reason="", note="It is cheap."):
    gates = tuple(GateAtClosing(code=code, state="missing", value="", threshold="", evidence="") for code in unmet)
    return StageDecision(
        id=id, model=MODEL, commit="a" * 40, use_case="sorting mail", plan_version=1, plan_evidence="E7", stage=stage,
        decision=choice, verdict="go", by=by, note=note, reason=reason, gates=gates,
        decided_at=dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC),
    )  # fmt: skip


def assert_stands_alone(html):
    """Nothing is fetched, nothing runs, and the page says so to the browser."""
    page = Page(html)
    assert not page.names & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "form",
        "base",
        "img",
        "image",
        "foreignobject",
    }
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("src", "srcset", "action", "data", "poster", "background", "xlink:href"):
            assert name not in attributes, (tag, name)
        assert attributes.get("href", "#").startswith("#"), tag
    sheet = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in sheet
    assert "@import" not in sheet
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'", policy
    )
    assert page.all("meta")[0] == {"charset": "utf-8"}
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {a["href"][1:] for a in page.all("a")} <= targets
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    return page


def sections_of(page):
    return [a["id"] for a in page.all("section") if not a.get("class")]


def cited_ids(document):
    return {span.text for text in texts(document) for span in spans(text) if span.kind == "id"}


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


@in_both_languages
def test_every_gate_rule_and_rule_of_operation_is_in_the_report(planned, language):
    plan, evidence = planned()
    document = build_report(material_of(plan, evidence, language))
    whole = "\n".join(texts(document)).lower()
    for stage in plan.stages:
        for group, codes in (
            ("gate", [g.code for g in stage.gates]), ("operating", [r.code for r in stage.operating_rules]),
            ("stop", [r.code for r in stage.stop_rules]), ("watch", [t.code for t in stage.monitoring]),
            ("role", [r.code for r in stage.roles]), ("rollback", stage.rollback),
        ):  # fmt: skip
            for code in codes:
                assert say(f"{group}.{code}", language).replace("your own", "our own").lower() in whole, (group, code)
    for rule in plan.rules:
        assert f"({rule.rule.lower()})" in whole
    for key in plan.not_checked:
        assert say(f"unchecked.{key}", language).replace("your ", "our ").lower() in whole


@in_both_languages
def test_every_id_that_is_cited_is_explained(planned, language):
    told = [passage("No model without a licence text may be used.")]
    plan, evidence = planned(passages=told, decisions=[decision()])
    document = build_report(material_of(plan, evidence, language, decisions=[decision()]))
    cited = cited_ids(document)
    assert cited <= anchors(document)
    assert {each[0] for each in cited} == set("EGKD")
    assert set(plan.evidence) <= anchors(document)


def test_english_stays_out_of_a_japanese_report_but_for_names_and_sources(write):
    page = Page(write(".html", "ja"))
    body = page.text.partition("参照した指針")[0]
    sentences = re.findall(r"[A-Za-z]{2,}(?: [A-Za-z']{2,}){4,}", body)
    assert [s for s in sentences if "sorting mail" not in s] == []


def test_the_three_sentences_carry_the_figures_of_the_evidence(planned):
    plan, evidence = planned()
    (section,) = (s for s in build_report(material_of(plan, evidence, "en")).sections if s.id == "sentences")
    small, measure, rules = section.blocks[0].items
    assert "2-week" in small
    assert "USD 80.00–336.00 [E7]" in small
    assert "12.0 ms" in measure
    assert "640 MiB [E5]" in measure
    assert "`aaaaaaaaaaaa`" in rules


@pytest.mark.parametrize(("noise", "said"), [("quiet", False), ("noisy", True)])
def test_a_figure_that_was_measured_amid_other_work_is_called_provisional(planned, records, noise, said):
    plan, evidence = planned(profile=records.profile().model_copy(update={"noise": noise}))
    for language, word in (("en", "provisional"), ("ja", "暫定値")):
        (section,) = (s for s in build_report(material_of(plan, evidence, language)).sections if s.id == "sentences")
        assert (word in section.blocks[0].items[1]) is said


def test_the_sentences_do_not_promise_a_trial_that_the_verdict_forbids(planned, records):
    plan, evidence = planned(inspection=records.inspection("refuse"))
    assert plan.verdict == "no"
    (section,) = (s for s in build_report(material_of(plan, evidence, "en")).sections if s.id == "sentences")
    small, _, rules = section.blocks[0].items
    assert "ends before anything was built on it" in small
    assert "[E2]" in small
    assert "stop here" in rules


def test_nothing_measured_is_said_and_has_no_plot(write):
    page = assert_stands_alone(write(".html", profile=None, cost=False))
    assert "svg" not in page.names
    assert "Nothing was measured yet" in page.text
    assert "nothing was measured on a machine of ours yet" in page.text


@in_both_languages
def test_without_any_evidence_the_report_still_says_what_is_missing(language):
    plan = plan_adoption(MODEL, evidence=[])
    document = build_report(material_of(plan, [], language))
    assert "evidence" in {section.id for section in document.sections}
    assert not any(section.empty for section in document.sections)
    assert cited_ids(document) <= anchors(document)


def test_an_engineer_gets_the_files_and_settings_that_a_manager_is_spared(planned, records):
    from tools.snapshot import SnapshotFile

    files = tuple(SnapshotFile(name=f"{n}.json", size_bytes=1, sha256=n * 64) for n in "abc")
    plan, evidence = planned(snapshot=records.snapshot(files=files))
    shown = {
        audience: "\n".join(texts(build_report(material_of(plan, evidence, "en", audience=audience))))
        for audience in ("manager", "engineer")
    }
    assert "b" * 64 in shown["engineer"]
    assert "b" * 64 not in shown["manager"]
    assert "Further files with hashes, in the report for engineers and in JSON: 3." in shown["manager"]


@in_both_languages
def test_statements_of_the_teams_documents_are_quoted_with_their_place(planned, language):
    told = [
        passage("No model without a licence text may be used.", place="Security › Licences"),
        passage("応答時間は 5 ms 以下とする。", 2, title="運用規程", place="第4条"),
        passage("Approval by the CISO is required.", 3),
    ]
    plan, evidence = planned(passages=told)
    assert plan.verdict != "go"
    document = build_report(material_of(plan, evidence, language))
    (policy,) = (s for s in document.sections if s.id == "policy")
    quotes = {b.quote: b for part in policy.parts for b in part.blocks if b.kind == "quotation"}
    assert set(quotes) >= {f.statement.quote for f in plan.policy}
    licence = quotes["No model without a licence text may be used."]
    assert (licence.anchor, "Security › Licences" in licence.source) == ("D0123abcd.1", True)
    whole = "\n".join(texts(document))
    assert "[D0123abcd.1]" in whole
    assert not re.search("貴社|\\byour (policy|document)", whole)
    from assistant.advice.reporting.markdown_text import markdown_of

    assert "> No model without a licence text may be used." in markdown_of(document)


def test_two_statements_of_one_passage_share_its_anchor(planned):
    told = [passage("No model without a licence text may be used. Peak memory must not exceed 1 GiB.")]
    plan, evidence = planned(passages=told)
    assert len({f.statement.passage for f in plan.policy}) < len(plan.policy)
    from assistant.advice.reporting.html_page import html_of

    assert_stands_alone(html_of(build_report(material_of(plan, evidence, "en"))))


@in_both_languages
def test_what_changed_since_the_last_version_and_why(planned, language):
    first, _ = planned()
    plan, evidence = planned(previous=first, passages=[passage("No model without a licence text may be used.")])
    for audience in ("manager", "engineer"):
        document = build_report(material_of(plan, evidence, language, audience=audience))
        (changes,) = (s for s in document.sections if s.id == "changes")
        table = next(b for b in changes.blocks if b.kind == "table")
        assert len(table.rows) == sum(c.what not in {"gate", "policy"} or audience == "engineer" for c in plan.changes)
        assert all(row.cells[0] for row in table.rows)
        if audience == "manager":
            assert changes.blocks[-1].role == "note"


@pytest.mark.parametrize(
    ("told", "status", "says"),
    [
        ((), "proposed", "Proposed on 2026-11-02"),
        ((decision(),), "accepted", "Accepted on 2026-11-03 by Mori"),
        ((decision("repeat"),), "repeated", "To be repeated, as Mori decided"),
        ((decision("stop", reason="too dear"),), "rejected", "Rejected on 2026-11-03 by Mori"),
    ],
)
def test_the_decision_record_has_its_five_parts_and_the_teams_decision(write, told, status, says):
    text = write(".md", chosen="adr", told=told)
    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE) == [
        "Adopt `org/model`", "Status", "Context", "Decision", "Consequences",
        "Alternatives considered, and what would change the decision", "Evidence",
    ]  # fmt: skip
    assert says in text
    assert ("| K1 |" in text) == bool(told)
    document = json.loads(write(".json", told=told))
    assert document["status"] == status


def test_the_decision_record_alone_explains_every_id_and_names_the_policys_place(planned):
    plan, evidence = planned(passages=[passage("No model without a licence text may be used.")], decisions=[decision()])
    document = build_decision_record(material_of(plan, evidence, "en", decisions=[decision()]))
    assert cited_ids(document) <= anchors(document)
    assert any(text.endswith("(Policy, p. 3) [E4]") for text in texts(document))


def test_open_gates_at_a_closing_are_named_with_the_reason(write):
    text = write(".md", told=[decision(unmet=("quality", "latency"), reason="The board wants it.")])
    assert "quality on our own examples" in text
    assert "The board wants it." in text
    assert "Closed with go by Mori on 2026-11-03" in text


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


def test_an_old_or_another_record_is_no_plan(records):
    with pytest.raises(InvalidArgument, match="made from a plan"):
        material_of(records.inspection(), [], "en")


def test_evidence_that_is_gone_is_named_instead_of_left_out(planned):
    plan, evidence = planned()
    document = build_report(material_of(plan, [e for e in evidence if e.id != "E1"], "en"))
    assert "No longer in the store: E1." in list(texts(document))


def test_evidence_about_another_commit_is_not_shown_beside_the_plan(planned, records, keep, store):
    plan, _ = planned()
    keep(records.profile(records.measured(1, 999.0, 999.0), commit="b" * 40))
    document = build_report(material_of(plan, store.find(user="u"), "en"))
    assert "999" not in "\n".join(texts(document))


def test_the_decision_record_of_a_plan_names_models_it_was_compared_with_and_no_unknown_one(
    planned, records, keep, store
):
    from assistant.advice.comparison import compare_models

    plan, _ = planned()
    keep(records.forecast(model="org/other"))
    compared = compare_models([MODEL, "org/other", "org/never-fetched"], evidence=store.find(user="u"))
    keep(compared, "compare_models")
    text = "\n".join(texts(build_decision_record(material_of(plan, store.find(user="u"), "en"))))
    assert "`org/other`" in text
    assert "org/never-fetched" not in text


@pytest.mark.parametrize(
    ("targets", "language", "price"),
    [
        ({"price_per_hour": 72.0, "currency": "JPY"}, "ja", "72 円"),
        ({"price_per_hour": 1.0}, "en", "USD 1"),
        ({"budget_per_month": 1_500_000, "currency": "JPY"}, "ja", "1,500,000 円"),
    ],
)
def test_the_decision_record_tells_amounts_with_their_currency(planned, targets, language, price):
    plan, evidence = planned(targets=targets)
    assert price in list(texts(build_decision_record(material_of(plan, evidence, language))))


@pytest.mark.parametrize(
    ("language", "state", "met"),
    [
        ("en", ("○ open: baseline set, no limit given", "○ open: no limit given"), "✓ met"),
        ("ja", ("○ 未確認(実測から目安を設定、上限の指定なし)", "○ 未確認(上限の指定なし)"), "✓ 達成"),
    ],
)
def test_a_figure_without_a_limit_is_shown_as_open_and_is_no_argument(planned, language, state, met):
    plan, evidence = planned()
    material = material_of(plan, evidence, language)
    rows = [
        row.cells
        for part in next(s for s in build_report(material).sections if s.id == "stages").parts
        for block in part.blocks
        if block.kind == "table"
        for row in block.rows
    ]
    for code, said in zip(("latency", "cost"), state, strict=True):
        gate = next(g for g in plan.stage("proof_of_concept").gates if g.code == code)
        row = next(cells for cells in rows if gate.evidence and cells[-1] == f"[{gate.evidence}]" and said in cells)
        assert met not in row
    record = build_decision_record(material)
    spoken_for = next(s for s in record.sections if s.id == "decision-consequences").blocks[1].items
    assert not [item for item in spoken_for if "12.0 ms" in item or "729.60" in item]


def test_a_desk_check_that_nobody_closed_is_not_called_done(write):
    page = Page(write(".html", "ja"))
    assert "確認済み、終了の決定待ち" in page.cells
    assert "完了" not in page.cells


def test_a_gap_of_the_card_is_one_japanese_sentence(write, records):
    card = records.documentation().model_copy(
        update={"most_important_gap": "Evaluation results", "gap_reason": "Without it nobody knows."}
    )
    assert "評価結果:Without it nobody knows." in write(".html", "ja", documentation=card)


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
