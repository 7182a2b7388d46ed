"""Texts of a report read the same in every format, and nothing in them acts, whoever wrote them."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.advice.reporting.content import (
    Column,
    Commands,
    Document,
    Fact,
    Facts,
    Figure,
    Listing,
    Paragraph,
    Quotation,
    Row,
    Section,
    Table,
    cite,
    name,
    quoted,
    spans,
    tidy,
)
from assistant.advice.reporting.drawings import inline_svg
from assistant.advice.reporting.glossary import glossary, terms_in
from assistant.advice.reporting.html_page import html_of
from assistant.advice.reporting.markdown_text import markdown_of
from assistant.advice.reporting.source_scopes import japanese_scopes, scope_in
from knowledge.entry import read_entries

EVIL = (
    "<script>alert(1)</script>", "![p](http://evil.example/p.png)", "[go](http://evil.example)", "<http://evil.example>",
    "http://evil.example www.evil.example", "[r]: http://evil.example", "a | b | c", "# heading", "- item", "+ item", "1. item",
    "7) item", "> quote", "---", "===", "```", "``a``", "`", "**bold** __bold__ *it* _it_ ~~gone~~", "$x$", "&lt;b&gt; &amp;",
    "\\", "a\\", "\\[E1\\]", "<!-- c -->", "]]>", "' onload='x", '" style="x', "{{ 7*7 }} {% raw %}", "snake_case_name",
    "tab\tand\nnew line", "a\u202eb\u2066c\u200bd", "\ud800", "[E1] [G07] [D0123abcd.4]", "　全角　",
)  # fmt: skip
untrusted = st.one_of(
    st.sampled_from(EVIL), st.text(max_size=60), st.lists(st.sampled_from(EVIL), max_size=3).map(" ".join)
)


def document(*blocks, title="Plan", parts=()):
    return Document(
        language="en", title=title, subtitle="", running_title=title, facts=(Fact(label="Model", text="m"),), verdict="Verdict",
        verdict_tone="good", sections=(Section(id="one", title="One", blocks=blocks, parts=parts),), colophon="End",
        labels={"contents": "Contents", "skip": "Skip"},
    )  # fmt: skip


class Page(HTMLParser):
    """Tags with attributes, and the text by the tag that holds it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "use", "path", "rect"}:
            self._open.append(tag)
            self.texts.append([tag, ""])

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        if self.texts:
            self.texts[-1][1] += data

    @property
    def names(self):
        return {tag for tag, _ in self.tags}


def visible(text):
    """What a reader sees of a text of a report: the marks of code are not shown, those of ids are."""
    return "".join(f"[{span.text}]" if span.kind == "id" else span.text for span in spans(tidy(text)))


def shown_by(text):
    """The readable content of Markdown, block by block, as a reader with tables and strikethrough sees it."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found, kinds = [], set()
    for token in reader.parse(text):
        kinds.add(token.type)
        if token.type == "inline":
            kinds |= {child.type for child in token.children}
            found.append("".join(c.content or ("\n" if c.type == "hardbreak" else "") for c in token.children))
        elif token.type in {"fence", "code_block"}:
            found.append(token.content)
    return found, kinds


FOREIGN = {"html_block", "html_inline", "link_open", "image", "s_open", "em_open"}


@given(untrusted)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_paragraph_a_row_and_an_item_come_back_from_markdown_as_they_were(text):
    blocks = (
        Paragraph(text=text),
        Listing(items=(text, "second")),
        Facts(rows=(Fact(label=text, text=text),)),
        Quotation(quote=text, source=text),
    )
    if not tidy(text):
        return
    found, kinds = shown_by(markdown_of(document(*blocks)))
    assert not kinds & FOREIGN
    assert found.count(visible(text)) >= 2, "paragraph and item"
    assert f"— {visible(text)}" in found
    assert f"{visible(text)}: {visible(text)}" in found
    assert tidy(text) in found, "a quotation has no marks at all"


@given(untrusted, untrusted)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_table_comes_back_from_markdown_with_its_cells(first, second):
    table = Table(
        caption="Caption",
        columns=(Column(title=first or "x"), Column(title="n", numeric=True), Column(title="z")),
        rows=(Row(cells=(first, second, "end")), Row(cells=("a", "b", "c"))),
    )
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_of(document(table)))
    cells = [
        "".join(child.content for child in tokens[i + 1].children)
        for i, token in enumerate(tokens)
        if token.type in {"td_open", "th_open"}
    ]
    assert cells == [
        visible(first or "x"), "n", "z", visible(first) or "–", visible(second) or "–", "end", "a", "b", "c",
    ]  # fmt: skip


@given(st.lists(untrusted.filter(tidy), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_commands_come_back_from_markdown_whatever_they_hold(lines):
    found, _ = shown_by(markdown_of(document(Commands(lines=tuple(lines)))))
    assert "\n".join(tidy(line) for line in lines) + "\n" in found


def test_addresses_are_words_also_for_readers_that_make_links_of_them():
    text = markdown_of(document(Paragraph(text="see http://evil.example and WWW.evil.example or mailto:a@b.example")))
    assert not re.search(r"https?://|www\.|mailto:", text, re.IGNORECASE)
    assert "http\\://evil" in text


@given(untrusted)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_texts_are_texts_in_the_page(text):
    table = Table(caption=text, columns=(Column(title=text),), rows=(Row(cells=(text,)),))
    blocks = (
        Paragraph(text=text), Listing(items=(text,), numbered=True), Facts(rows=(Fact(label=text, text=text),)), table,
        Quotation(quote=text, source=text), Commands(lines=(text,)),
    )  # fmt: skip
    page = Page(html_of(document(*blocks, title=text)))
    known = {
        "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "dl", "div", "dt", "dd", "p", "nav", "ol", "li", "main",
        "section", "h2", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "figure", "figcaption", "blockquote",
        "pre", "code", "footer",
    }  # fmt: skip
    assert page.names <= known
    assert {key for _, attributes in page.tags for key in attributes} <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "href", "id", "aria-labelledby", "role", "scope", "data-label",
        "tabindex",
    }  # fmt: skip
    assert all(attributes["href"].startswith("#") for tag, attributes in page.tags if tag == "a")
    whole = "".join(text for _, text in page.texts)
    assert whole.count(tidy(text)) >= (6 if tidy(text) and not list(spans(tidy(text)))[1:] else 0)


def test_the_page_s_title_holds_no_marks():
    assert "<title>Plan: org/model</title>" in html_of(document(title="Plan: `org/model`"))


def test_a_running_title_cannot_end_the_string_of_the_style_sheet():
    title = '"; } body { display: none } </style><script>'
    page = html_of(document(Paragraph(text="x"), title=title))
    sheet = page.partition("<style>")[2].partition("</style>")[0]
    assert "display: none }" not in sheet.replace("display: none; }", "")
    assert "<script" not in page
    assert r'content: "\000022\00003b\000020' in sheet


def test_an_id_is_a_link_only_where_the_report_explains_it():
    rows = (Row(cells=("E1", "x"), anchor="E1"),)
    table = Table(caption="Evidence", columns=(Column(title="id"), Column(title="what")), rows=rows)
    page = html_of(document(Paragraph(text=f"measured {cite('E1', 'E9')}"), table))
    assert '<a class="id" href="#E1">[E1]</a> [E9]' in page
    assert '<tr role="row" id="E1">' in page


def test_words_of_others_hold_no_marks():
    assert quoted("see [E1], `code` and [K2] or [D0123abcd.4]") == "see (E1), ˋcodeˋ and (K2) or (D0123abcd.4)"
    assert name("a`b\nc") == "`aˋb c`"
    assert name("") == ""
    assert quoted("x" * 900).endswith("…")
    assert len(tidy("x" * 100_000)) == 2_000
    assert tidy("a\u202eb\u2066\x00c\td") == "a b c d"


DRAWING = """<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "http://www.w3.org/x.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10pt" height="20pt" onload="x()">
<metadata>secret</metadata><style>*{display:none}</style><script>x()</script><!-- org/name --><foreignObject><b>x</b></foreignObject>
<defs><clipPath id="c1"><rect width="1" height="2"/></clipPath><path id="g1" d="M 0 0
L 1 1" style="fill: red; behavior: url(http://evil.example)"/></defs>
<g id="a" style="fill: #ffffff; stroke-width: 2" clip-path="url(#c1)"><use xlink:href="#g1" x="1"/>
<use href="http://evil.example/x.svg#g"/><image href="data:x"/><a href="http://evil.example"><path d="M 0 0"/></a></g>
<g fill="url(http://evil.example)" class="x"/></svg>"""


def test_a_drawing_keeps_its_shapes_and_nothing_else():
    svg = ET.fromstring(inline_svg(DRAWING, "p-", "about"))
    assert [node.tag for node in svg.iter()] == ["svg", "defs", "clipPath", "rect", "path", "g", "use", "use", "g"]
    assert svg.attrib == {
        "viewBox": "0 0 10 20", "role": "img", "aria-labelledby": "about", "stroke-linejoin": "round", "stroke-linecap": "butt",
    }  # fmt: skip
    clip, path, group, *uses = (svg.find(at) for at in (".//clipPath", ".//defs/path", "g", ".//use"))
    assert (clip.get("id"), path.attrib) == ("p-c1", {"id": "p-g1", "d": "M 0 0 L 1 1", "fill": "red"})
    assert group.attrib == {"id": "p-a", "clip-path": "url(#p-c1)", "fill": "#ffffff", "stroke-width": "2"}
    assert uses[0].attrib == {"href": "#p-g1", "x": "1"}
    assert "".join(svg.itertext()) == ""


def test_a_plot_names_what_says_what_it_shows():
    figure = Figure(name="speed", title="Speed", description="12 ms", svg=DRAWING)
    page = html_of(document(figure, Figure(name="memory", title="Memory", description="9 MiB", svg=DRAWING)))
    assert page.count('<div class="plots">') == 1, "plots in a row stand side by side"
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    for each in ("speed", "memory"):
        assert f'aria-labelledby="about-{each}"' in page
        assert f'<figcaption id="about-{each}">' in page
    assert "svg" not in document(figure).model_dump_json()


def test_the_glossary_explains_what_a_text_uses_and_nothing_else():
    assert [t.en for t in terms_in(["The p95 of a batch of tokens."], "en")] == ["batch", "p95", "token"]
    assert [t.en for t in terms_in(["p95x, rebatch and gated"], "en")] == []
    assert [t.ja for t in terms_in(["スループットと量子化"], "ja")] == ["スループット", "量子化"]
    assert terms_in([], "en") == ()


def test_the_scope_of_every_source_of_the_guidance_is_said_in_japanese():
    scopes = {source.scope for entry in read_entries() for source in entry.sources if source.scope}
    assert scopes - set(japanese_scopes()) == set(), "without a line in assistant/advice/reporting/scopes.toml"
    assert scope_in("12 interviews", "ja") == "聞き取り調査 12 件"
    assert scope_in("12 interviews", "en") == "12 interviews"
    assert scope_in("a new scope", "ja") == "a new scope"


@pytest.mark.parametrize("term", glossary(), ids=lambda term: term.en)
def test_a_term_is_explained_in_one_plain_sentence(term):
    assert re.fullmatch(r"[A-Z][^.]*\.", term.en_meaning)
    assert re.fullmatch(r"[^。]*。", term.ja_meaning)
    assert len(term.en_meaning) < 130
    assert len(term.ja_meaning) < 60
    assert html.escape(term.label("ja")) == term.label("ja")
    assert term in terms_in([term.forms("ja")[-1]], "ja")
    assert term in terms_in([term.forms("en")[-1]], "en")
