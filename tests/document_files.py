"""Builds small files of every kind that a team could add: DOCX by python-docx, PDF by hand, hostile ones among them."""

from __future__ import annotations

import io
import zipfile
import zlib


def docx_file(build, title=""):
    """A DOCX whose content `build` makes of an empty document."""
    from docx import Document

    document = Document()
    document.core_properties.title = title
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_part(packed, name, content):
    """The same packed file with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
    return out.getvalue()


def pdf_file(pages, *, compressed=False, title=""):
    """A PDF with these pages, each a list of lines; any character that Unicode's first plane has.

    The text is written as glyph numbers that are the characters' code points, with a table that says so.
    """
    objects = []

    def add(content):
        objects.append(content)
        return len(objects)

    def stream(content, head=b""):
        if compressed:
            content, head = zlib.compress(content), head + b"/Filter /FlateDecode "
        return b"<< %s/Length %d >>\nstream\n%s\nendstream" % (head, len(content), content)

    table = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def\n"
        b"1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        b"1 beginbfrange <0000> <ffff> <0000> endbfrange\nendcmap end end"
    )
    unicode = add(stream(table))
    below = add(
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
        b"/Supplement 0 >> /DW 1000 >>"
    )
    font = add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [%d 0 R] "
        b"/ToUnicode %d 0 R >>" % (below, unicode)
    )
    parent = len(objects) + 2 * len(pages) + 1
    numbers = []
    for lines in pages:
        shown = b"BT /F1 10 Tf 14 TL 50 780 Td\n"
        shown += b"".join(b"<%s> Tj T*\n" % line.encode("utf-16-be").hex().encode() for line in lines)
        content = add(stream(shown + b"ET"))
        numbers.append(
            add(
                b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (parent, content, font)
            )
        )
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    assert add(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages))) == parent
    root = add(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    information = add(b"<< /Title <feff%s> >>" % title.encode("utf-16-be").hex().encode())
    return _written(objects, root, information)


def _written(objects, root, information):
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, root, information, start
    )  # fmt: skip
    return bytes(out)


def locked_pdf(pages, password="secret"):
    """The same as a PDF that opens with a password."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_file(pages))))
    writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_bomb(unpacked_mib):
    """A PDF of one page whose content unpacks to so much."""
    shown = zlib.compress(b"(x) Tj " * (unpacked_mib * 1024 * 1024 // 7), 9)
    plain = pdf_file([["x"]])
    begin = plain.index(b"BT /F1")
    end = plain.index(b"ET\nendstream") + 2
    length = b"<< /Length %d >>" % (end - begin)
    packed = b"<< /Filter /FlateDecode /Length %d >>" % len(shown)
    # The table of offsets is wrong now, as it is in many a file; readers build it anew.
    return plain[:begin].replace(length, packed) + shown + plain[end:]


def docx_bomb(unpacked_mib):
    """A DOCX with a part that unpacks to so much."""
    whole = docx_file(lambda document: document.add_paragraph("Models need a licence."))
    out = io.BytesIO(whole)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/zeros.bin", bytes(unpacked_mib * 1024 * 1024))
    return out.getvalue()
