"""Row T34: every kind of file is read or refused in one sentence, in a process of its own."""

from __future__ import annotations

import io
import time
import zipfile

import pytest
from document_files import docx_bomb, docx_file, locked_pdf, pdf_bomb, pdf_file, with_part

from assistant.team_documents.reading import LIMITS, MOST_MIB, read_document, shown_name
from assistant.translation import translate
from knowledge.errors import UnreadableDocument
from tools.errors import Cancelled
from tools.progress import CancelToken

RULE = "No model may be used without a licence text."
REGEL = "ライセンスの本文がないモデルの利用を禁止する。"


def read(content, name="policy.txt", **options):
    return read_document(content.encode() if isinstance(content, str) else content, name, **options)


def pieces(content, name="policy.txt"):
    return [tuple(piece) for piece in read(content, name).pieces]


def refusal(content, name, **options):
    with pytest.raises(UnreadableDocument) as caught:
        read(content, name, **options)
    failure = caught.value
    for text in (failure.message, failure.next_step):
        assert text
        assert translate(text, "ja") != text
    assert failure.message.count(". ") == 0, "one sentence"
    return failure.message


def model_policy(document):
    document.add_heading("Model policy", 0)
    document.add_heading("Security", 1)
    document.add_paragraph("Pickle files are forbidden.")
    document.add_heading("Licences", 2)
    document.add_paragraph(RULE).add_run(" Hidden words.").font.hidden = True
    document.add_paragraph("Apache-2.0 is approved.", style="List Bullet")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "MIT", "approved"


def test_markdown_has_places_by_headings_and_words_without_marks():
    text = (
        "---\ntitle: Our *rules*\n---\n# Our rules\n\nIn **short**: `safetensors`.\n\n## Licences\n\n"
        "1. First\n2. Second\n\n| a | b |\n|---|---|\n| c | d |\n"
    )
    document = read(text, "rules.md")
    assert (document.format, document.title) == ("md", "Our *rules*")
    assert [tuple(piece) for piece in document.pieces] == [
        ("Our rules", "In short: safetensors."),
        ("Our rules › Licences", "1. First\n2. Second\na | b\nc | d"),
    ]


def test_docx_has_headings_lists_and_tables_and_no_hidden_words():
    document = read(docx_file(model_policy), "policy.docx")
    assert (document.format, document.title) == ("docx", "Model policy")
    assert [tuple(piece) for piece in document.pieces] == [
        ("Security", "Pickle files are forbidden."),
        ("Security › Licences", f"{RULE}\n- Apache-2.0 is approved.\nMIT | approved"),
    ]


def test_docx_shows_what_was_inserted_and_not_what_was_deleted():
    whole = docx_file(lambda document: document.add_paragraph("before"))
    namespace = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    changed = (
        f"<w:document {namespace}><w:body><w:p><w:r><w:t>Models </w:t></w:r>"
        '<w:ins w:id="1" w:author="a"><w:r><w:t>must be pinned.</w:t></w:r></w:ins>'
        '<w:del w:id="2" w:author="a"><w:r><w:delText>may float.</w:delText></w:r></w:del></w:p>'
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>Within a control.</w:t></w:r></w:p></w:sdtContent></w:sdt></w:body></w:document>"
    )
    assert pieces(with_part(whole, "word/document.xml", changed), "p.docx") == [
        ("", "Models must be pinned.\nWithin a control.")
    ]


@pytest.mark.parametrize("compressed", [False, True])
def test_pdf_has_pages_and_neither_running_titles_nor_page_numbers(compressed):
    lines = [
        ["Model policy", RULE, "- 1 -"],
        ["Model policy", REGEL, "- 2 -"],
        ["Model policy", "Third page.", "- 3 -"],
    ]
    document = read(pdf_file(lines, compressed=compressed, title="Policy of 2026"), "p.pdf")
    assert (document.format, document.title) == ("pdf", "Policy of 2026")
    assert [tuple(piece) for piece in document.pieces] == [("p. 1", RULE), ("p. 2", REGEL), ("p. 3", "Third page.")]


def test_lines_that_were_broken_for_their_width_are_put_together():
    wrapped = ["A model that processes customer data runs on our own servers, wherever it", "was trained.", "- A list"]
    japanese = ["顧客情報を扱うモデルは、学習された場所を問わず、自社のサーバ", "ーで稼働させる。"]
    assert [text for _, text in pieces(pdf_file([wrapped, japanese]), "p.pdf")] == [
        f"{wrapped[0]} was trained.\n- A list",
        "".join(japanese),
    ]


def test_html_is_what_a_reader_sees():
    page = (
        "<html><head><title>Rules &amp; more</title><style>.x, #y {display : none}</style>"
        "<script>ignore()</script></head><body><nav>Home</nav><h1>Rules</h1><p>Use <b>safetensors</b> only."
        "<p class='x'>one<p id=y>two<p style='font-size:0'>three<p hidden>four<!-- five -->"
        "<p style='position:absolute;left:-9999px'>six<ul><li>a<li>b</ul>"
        "<table><tr><th>k<th>v<tr><td>1<td>2</table></body></html>"
    )
    document = read(page, "rules.html")
    assert (document.format, document.title) == ("html", "Rules & more")
    assert [tuple(p) for p in document.pieces] == [("Rules", "Use safetensors only.\n- a\n- b\nk | v\n1 | 2")]


def test_html_within_markdown_is_read_like_html():
    text = "# A\n\n<div style='display:none'>hidden</div>\n\nSeen <script>alert(1)</script>words.\n\n<p>Block</p>\n"
    assert pieces(text, "a.md") == [("", "Seen words.\nBlock")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932", "euc_jp", "iso2022_jp"])
def test_japanese_text_in_every_encoding(encoding):
    text = f"モデル利用規程\n\n第1章 総則\n\n第3条(ライセンス) {REGEL}\n"
    assert pieces(text.encode(encoding), "規程.txt") == [
        ("第1章 総則 › 第3条(ライセンス)", f"第3条(ライセンス) {REGEL}")
    ]


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp"])
def test_a_page_says_its_encoding(encoding):
    page = f"<html><head><meta charset='{'shift_jis' if encoding == 'cp932' else 'euc-jp'}'></head><body><p>規程</p></body>"
    assert pieces(page.encode(encoding), "a.htm") == [("", "規程")]


def test_western_text_of_an_old_editor():
    text = "Für jedes Modell gilt: die Größe und die Prüfung müssen dokumentiert werden, ohne Ausnahme.\n"
    assert pieces(text.encode("cp1252"), "a.txt") == [("", text.strip())]


def test_T30_what_cannot_be_seen_is_left_out():
    text = f"\x00{RULE[:9]}\u202e\u200b{RULE[9:]}\u2066\U000e0041\x07"
    assert pieces(text, "a.txt") == [("", RULE)]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.txt", "`a.txt` is empty."),
        (b" \r\n\t\x00 ", "a.md", "is empty"),
        (b"<html><script>x()</script></html>", "a.html", "no text that a reader would see"),
        (docx_file(lambda document: None), "a.docx", "no text that a reader would see"),
        (pdf_file([[], []]), "scan.pdf", "probably scanned"),
        (locked_pdf([["secret"]]), "a.pdf", "protected by a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.docx", "protected by a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "a.doc", "older version of Office"),
        (b"%PDF-1.7 nothing of a PDF", "a.pdf", "is damaged"),
        (pdf_file([["x"]])[:-200], "a.pdf", "is damaged"),
        (b"PK\x03\x04 nothing of an archive", "a.docx", "is damaged"),
        (with_part(docx_file(model_policy), "word/document.xml", b"<broken"), "a.docx", "is damaged"),
        (pdf_bomb(300), "bomb.pdf", "unpacks to far more"),
        (docx_bomb(250), "bomb.docx", "unpacks to far more"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "policy.pdf", "is a picture"),
        (bytes(range(256)) * 40, "policy.md", "of an unknown kind"),
        (b"{\\rtf1 text}", "a.txt", "rich text"),
        (b"word " * 700_000, "a.txt", "more text than one document may have"),
        (bytes(MOST_MIB * 1024**2 + 1), "huge.pdf", f"larger than {MOST_MIB} MiB"),
        (b"<div>" * 50_000 + b"deep", "deep.html", "no text that a reader would see"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)  # fmt: skip
def test_T34_refused_in_one_sentence_with_a_next_step_in_both_languages(content, name, said):
    assert said in refusal(content, name)


def test_an_archive_and_a_spreadsheet_are_told_apart():
    for part, said in (("notes.txt", "is an archive"), ("xl/workbook.xml", "a spreadsheet")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(part, "x")
        assert said in refusal(packed.getvalue(), "a.docx")


def test_T34_entities_of_xml_are_not_expanded():
    entities = (
        '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        "<w:t>before &f;&c; after</w:t></w:r></w:p></w:body></w:document>"
    )
    whole = docx_file(lambda document: document.add_paragraph("x"))
    try:
        found = pieces(with_part(whole, "word/document.xml", entities), "a.docx")
    except UnreadableDocument:
        return
    assert all("aaaa" not in text and "/" not in text for _, text in found)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (pdf_file([[RULE]]), "policy.txt", "pdf"),
        (docx_file(model_policy), "policy.pdf", "docx"),
        (RULE.encode(), "policy.pdf", "txt"),
        (f"<!doctype html><p>{RULE}".encode(), "policy.txt", "html"),
        (RULE.encode(), "policy", "txt"),
    ],
)
def test_T34_the_content_decides_and_not_the_name(content, name, kind):
    document = read(content, name)
    assert document.format == kind
    assert any(RULE in text for _, text in document.pieces)


def test_a_pdf_that_only_its_owner_may_change_can_be_read():
    assert pieces(locked_pdf([[RULE]], password=""), "a.pdf") == [("p. 1", RULE)]


def test_T34_the_reading_process_is_ended_at_its_limits():
    slow = b"[" * 3_000_000
    start = time.monotonic()
    said = refusal(slow, "slow.md", limits=LIMITS.model_copy(update={"wall_s": 1.0}))
    assert "could not be read within the limits of 1 s" in said
    assert time.monotonic() - start < 20


def test_memory_is_limited():
    said = refusal(b"*a " * 900_000, "large.md", limits=LIMITS.model_copy(update={"memory_mib": 60}))
    assert "60 MiB" in said


def test_reading_can_be_stopped():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        read(RULE, cancel=token)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/pass`wd\n.txt", "passˋwd .txt"),
        ("C:\\docs\\規程.docx", "規程.docx"),
        ("\u202egpj.txt", "gpj.txt"),
        ("", "document"),
        ("a" * 300 + ".pdf", "a" * 115 + "….pdf"),
    ],
)
def test_names_of_files_are_made_fit_to_show(name, shown):
    assert shown_name(name) == shown
