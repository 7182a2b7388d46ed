"""PDF: the text of each page, without running titles and page numbers."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from document_blocks import MOST_CHARACTERS, Block, Content, Unreadable, one_line, unwrapped

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_PAGES = 3_000
_NO_TITLE = re.compile(r"\.(?:docx?|pdf|indd|txt|pptx?)$|^(?:microsoft|untitled|無題|document\d*$|文書 ?\d+$)", re.IGNORECASE)  # fmt: skip
_EDGE_LINES = 2
"""Lines at the top and at the bottom of a page among which running titles are looked for."""
_REPEATED = 3
"""Pages on which a line must stand to be a running title."""


def read_pdf(content: bytes) -> Content:
    """A PDF file.

    Raises:
        Unreadable: It is locked, damaged, has too many pages, or no text.
    """
    from pypdf import PdfReader  # noqa: PLC0415 (heavy import, only after the limits are in place)
    from pypdf.errors import DependencyError, LimitReachedError, PyPdfError  # noqa: PLC0415 (as above)

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("encrypted")
        if len(reader.pages) > MOST_PAGES:
            raise Unreadable("too_many_pages", str(len(reader.pages)))
        pages = _pages(reader)
        title = one_line(str((reader.metadata or {}).get("/Title") or ""))
    except DependencyError as error:  # a cipher that would need another library, so a password or not
        raise Unreadable("encrypted") from error
    except LimitReachedError as error:
        raise Unreadable("bomb") from error
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise Unreadable("damaged") from error
    if not any(pages):
        raise Unreadable("no_text" if _has_pages(reader) else "damaged")
    return Content("" if _NO_TITLE.search(title) else title, _blocks(pages))


def _has_pages(reader: PdfReader) -> bool:
    return len(reader.pages) > 0


def _pages(reader: PdfReader) -> list[list[str]]:
    """The lines of each page; empty ones between paragraphs are kept."""
    pages, characters = [], 0
    for page in reader.pages:
        text = page.extract_text()
        characters += len(text)
        if characters > MOST_CHARACTERS:
            raise Unreadable("too_long")
        lines = [one_line(line) for line in text.split("\n")]
        pages.append(lines if any(lines) else [])
    return pages


def _blocks(pages: list[list[str]]) -> Iterator[Block]:
    running = _running_lines(pages)
    for number, lines in enumerate(pages, start=1):
        kept = _without_edges(lines, running)
        longest = max((len(line) for line in kept), default=0)
        paragraph: list[str] = []
        for line in [*kept, ""]:
            if line:
                paragraph.append(line)
            elif paragraph:
                yield Block(unwrapped(paragraph, longest), page=number)
                paragraph = []


def _shape(line: str) -> str:
    """A line with its numbers made equal, so that page numbers repeat."""
    return re.sub(r"\d+", "#", line)


def _edges(lines: list[str]) -> set[int]:
    there = [i for i, line in enumerate(lines) if line]
    return {*there[:_EDGE_LINES], *there[-_EDGE_LINES:]}


def _running_lines(pages: list[list[str]]) -> set[str]:
    counted = Counter(shape for lines in pages for shape in {_shape(lines[i]) for i in _edges(lines)})
    least = max(_REPEATED, (len(pages) + 1) // 2)
    return {shape for shape, count in counted.items() if count >= least}


def _without_edges(lines: list[str], running: set[str]) -> list[str]:
    edges = _edges(lines)
    return ["" if i in edges and _shape(line) in running else line for i, line in enumerate(lines)]
