"""What the tests of reports share: words of a team to put in, and the page, its ids and its promises to read."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pytest

from assistant.advice.decision_records import GateAtClosing, StageDecision
from assistant.advice.reporting.content import spans, texts
from knowledge.team_passage import TeamPassage
from tests.assistant.advice.plan_under_test import MODEL

LANGUAGES = ("en", "ja")
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


def cited_ids(document):
    return {span.text for text in texts(document) for span in spans(text) if span.kind == "id"}
