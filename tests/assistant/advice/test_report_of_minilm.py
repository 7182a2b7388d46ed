"""The report of the bundled model from real records: everything in it resolves, and a real browser shows and prints it."""

from __future__ import annotations

import datetime as dt
import re
import shutil

import pytest

from assistant.advice.cost import estimate_cost
from assistant.advice.plan import plan_adoption
from assistant.advice.report import build_report, write_report
from assistant.advice.reporting.content import anchors, spans, texts
from assistant.advice.reporting.material import material_of
from assistant.evidence import EvidenceStore
from assistant.rendering.plots import panels_of
from assistant.toolbox import read_record
from knowledge.team_passage import TeamPassage
from tools.documentation import check_documentation
from tools.fetching import fetch_model
from tools.file_safety import inspect_files
from tools.memory import estimate_memory
from tools.model_sources import ModelSources
from tools.profiling import profile_model
from tools.version import check_version

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
USE_CASE = "FAQ search for our customer support"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"),
]
A4_PT = (595, 842)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """Real records of the bundled model, measured here once with two small runs, newest first."""
    store = EvidenceStore(f"sqlite:///{tmp_path_factory.mktemp('store') / 'evidence.sqlite3'}")
    offline = ModelSources(offline=True)

    def keep(tool, record, **arguments):
        store.add(record, user="u", conversation="c", tool=tool, arguments={"model": MINILM, **arguments})

    for tool in (inspect_files, fetch_model, check_version):
        keep(tool.__name__, tool(MINILM, sources=offline))
    keep("estimate_memory", estimate_memory(MINILM, batch_size=2, sequence_length=16, sources=offline))
    keep("check_documentation", check_documentation(MINILM, USE_CASE, sources=offline), use_case=USE_CASE)
    sizes = {"batch_sizes": (1, 2), "sequence_lengths": (16,)}
    keep("profile_model", profile_model(MINILM, sources=offline, **sizes), batch_sizes=[1, 2], sequence_lengths=[16])
    told = {"requests_per_day": 20_000.0, "price_per_hour": 0.5, "currency": "USD"}
    keep("estimate_cost", estimate_cost(MINILM, 20_000, 0.5, "USD", evidence=store.find(user="u")), **told)
    passages = [
        TeamPassage(
            id="D0123abcd.1", document="D0123abcd", title="AI 利用規程", place="第3条 ライセンス", shared=True,
            text="ライセンス本文のないモデルを使用してはならない。",
        )
    ]  # fmt: skip
    targets = told | {"latency_p95_ms": 60_000.0, "deadline": "2027-06-30"}
    plan = plan_adoption(
        MINILM, USE_CASE, targets, evidence=store.find(user="u"), passages=passages, today=dt.date(2026, 12, 1)
    )
    keep("plan_adoption", plan, use_case=USE_CASE, targets=targets)
    yield plan, store.find(user="u")
    store.close()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("audience", ["manager", "engineer"])
def test_every_gate_and_every_id_resolves(evidence, language, audience):
    plan, kept = evidence
    document = build_report(material_of(plan, kept, language, audience=audience))
    said = list(texts(document))
    cited = {span.text for text in said for span in spans(text) if span.kind == "id"}
    assert cited <= anchors(document)
    assert set(plan.evidence) <= cited
    for stage in plan.stages:
        for gate in stage.gates:
            assert gate.state == "missing" or gate.evidence in cited
    whole = "\n".join(said)
    assert not re.search(r"\b(None|nan|NaN|True|False)\b|\{\w*\}|[A-Za-z]_[a-z]+_[a-z]", re.sub(r"`[^`]*`", "", whole))
    assert "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" in whole
    assert not any(section.empty for section in document.sections)


def test_the_planted_policy_decides_and_is_quoted(evidence):
    plan, kept = evidence
    assert plan.verdict in {"no", "not_yet"}
    document = build_report(material_of(plan, kept, "ja"))
    (policy,) = (section for section in document.sections if section.id == "policy")
    quotes = [block for part in policy.parts for block in part.blocks if block.kind == "quotation"]
    assert [(q.quote, q.anchor) for q in quotes] == [
        ("ライセンス本文のないモデルを使用してはならない。", "D0123abcd.1")
    ]
    assert "AI 利用規程、第3条 ライセンス" in quotes[0].source


def test_a_japanese_report_holds_no_english_sentence(evidence):
    plan, kept = evidence
    document = build_report(material_of(plan, kept, "ja", audience="engineer"))
    for section in document.sections:
        if section.id == "guidance":
            continue
        part = document.model_copy(update={"sections": (section,)})
        for text in list(texts(part))[6 + 2 * len(document.facts) - 3 :]:
            bare = re.sub(r"`[^`]*`|“[^”]*”|「[^」]*」|" + re.escape(USE_CASE), "|", text)
            assert not re.findall(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]*){3,}", bare), text


@pytest.fixture
def opened(browser, evidence, tmp_path):
    """The function that opens the report in a browser without a network; whatever it asks for or complains about fails."""
    contexts, requests, complaints = [], [], []

    def call(language, audience="manager", width=1280):
        plan, kept = evidence
        out = write_report(plan, kept, tmp_path / f"{language}-{audience}-{width}.html", language, audience=audience)
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        contexts.append(context)
        page = context.new_page()
        address = out.as_uri()
        page.on("request", lambda request: requests.append(request.url) if request.url != address else None)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield call
    for context in contexts:
        context.close()
    assert (requests, complaints) == ([], [])


WIDER_THAN_THE_PAGE = """() => [...document.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll') && !e.closest('.skip')
    && getComputedStyle(e).position !== 'absolute').map(e => e.outerHTML.slice(0, 120))"""
CONTRAST = """() => {
    const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
        if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
    const poor = [];
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.closest('svg')) continue;
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        if ((a + .05) / (b + .05) < 4.5) poor.push(e.outerHTML.slice(0, 120));
    }
    return poor; }"""


class TestInABrowser:
    pytestmark = in_a_browser

    @pytest.mark.parametrize(("language", "audience"), [("en", "manager"), ("ja", "engineer")])
    def test_it_opens_without_a_network_and_looks_as_its_style_says(self, opened, evidence, language, audience):
        page = opened(language, audience)
        assert page.locator("h1").count() == 1
        # The style is applied, which a wrong hash would forbid.
        assert page.evaluate("getComputedStyle(document.querySelector('.verdict')).borderLeftWidth") == "6px"
        drawn = panels_of(read_record(next(e for e in evidence[1] if e.tool == "profile_model")))
        assert page.locator("figure.plot svg").count() == len(drawn if audience == "engineer" else drawn[:2])
        for plot in page.locator("figure.plot svg").all():
            assert plot.bounding_box()["height"] > 150
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate(WIDER_THAN_THE_PAGE) == []
        page.locator("a.id").first.click()
        assert page.locator(":target").count() == 1

    @pytest.mark.parametrize("language", ["en", "ja"])
    def test_it_reads_on_a_telephone(self, opened, language):
        page = opened(language, width=360)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate(WIDER_THAN_THE_PAGE) == []

    def test_what_a_screen_reader_hears(self, opened):
        page = opened("en")
        heard = page.locator("main").aria_snapshot()
        assert 'region "What was not checked"' in heard or "What was not checked" in heard
        for plot in page.locator("figure.plot svg").all():
            assert "MiB" in plot.evaluate(
                "e => document.getElementById(e.getAttribute('aria-labelledby')).textContent"
            ) or "texts/s" in plot.evaluate(
                "e => document.getElementById(e.getAttribute('aria-labelledby')).textContent"
            )
        assert page.get_by_role("columnheader").count() > 20
        assert page.get_by_role("rowheader").count() > 20
        assert page.locator("table:not(:has(caption))").count() == 0

    def test_no_table_of_an_engineer_runs_off_the_paper(self, opened):
        page = opened("en", "engineer", width=680)
        page.emulate_media(media="print")
        wide = "() => [...document.querySelectorAll('table')].filter(e => e.getBoundingClientRect().right > innerWidth).length"
        assert page.evaluate(wide) == 0

    @pytest.mark.parametrize("language", ["en", "ja"])
    def test_it_prints_on_a4_with_a_running_title_and_page_numbers(self, opened, language):
        from io import BytesIO

        from pypdf import PdfReader

        page = opened(language)
        pdf = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
        assert 8 < len(pdf.pages) < 30
        for number, printed in enumerate(pdf.pages, 1):
            assert (round(float(printed.mediabox.width)), round(float(printed.mediabox.height))) == pytest.approx(
                A4_PT, abs=1
            )
            text = printed.extract_text()
            assert f"{number} / {len(pdf.pages)}" in text
            assert "all-MiniLM-L6-v2" in text
            assert len(text) > 150 or number == len(pdf.pages), f"page {number} is all but empty: {text}"
