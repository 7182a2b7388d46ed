"""DOCX: paragraphs, lists and tables in order, with its headings; without what is deleted or hidden in it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from document_blocks import Block, Content, Unreadable, lines_kept, one_line

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_NOT_SAID = frozenset(
    {f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}delText", f"{_W}rPr", f"{_W}pPr", _FALLBACK}
)
_HEADING_STYLE = re.compile(r"title|heading ([1-9])", re.IGNORECASE)
_DEEPEST = 10
_NOTES = ("/footnotes", "/endnotes")


def read_docx(content: bytes) -> Content:
    """A file of Word."""
    from docx import Document  # noqa: PLC0415 (heavy import, only after the limits are in place)

    try:
        document = Document(io.BytesIO(content))
    except (KeyError, ValueError, SyntaxError, AttributeError) as error:
        raise Unreadable("damaged") from error
    return Content(_title(document), _blocks(document, _Styles(document)))


def _title(document: Any) -> str:
    for paragraph in document.paragraphs[:10]:
        if paragraph.style is not None and paragraph.style.name == "Title" and paragraph.text.strip():
            return one_line(_said(paragraph._p))
    return ""


class _Styles:
    """What the styles make of a paragraph, what they are based on included."""

    def __init__(self, document: Any) -> None:
        self.levels: dict[str, int] = {}
        """Of those that are headings, by name or by outline level."""
        self.listed: set[str] = set()
        """Those of lists."""
        for style in document.styles:
            ancestor, depth = style, 0
            while ancestor is not None and depth < _DEEPEST:
                self._note(style.style_id, ancestor)
                ancestor, depth = getattr(ancestor, "base_style", None), depth + 1

    def _note(self, style: str, ancestor: Any) -> None:
        named = _HEADING_STYLE.fullmatch(str(ancestor.name or ""))
        level = int(named[1] or 1) if named else _outline(ancestor.element.find(f"{_W}pPr/{_W}outlineLvl"))
        if level:
            self.levels.setdefault(style, level)
        if ancestor.element.find(f"{_W}pPr/{_W}numPr") is not None:
            self.listed.add(style)

    def level(self, paragraph: Any) -> int:
        """The level of a heading; 0 of every other paragraph."""
        return _outline(paragraph.find(f"{_W}pPr/{_W}outlineLvl")) or self.levels.get(_style(paragraph), 0)

    def is_listed(self, paragraph: Any) -> bool:
        """Whether it is an item of a list."""
        return paragraph.find(f"{_W}pPr/{_W}numPr") is not None or _style(paragraph) in self.listed


def _style(paragraph: Any) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return "" if style is None else style.get(f"{_W}val", "")


def _outline(element: Any) -> int:
    value = element.get(f"{_W}val") if element is not None else None
    return int(value) + 1 if value and value.isdigit() and int(value) < 9 else 0


def _blocks(document: Any, styles: _Styles) -> Iterator[Block]:
    yield from _below(document.element.body, styles)
    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(_NOTES):
            from docx.oxml import parse_xml  # noqa: PLC0415 (only where there are notes)

            yield from _below(parse_xml(relation.target_part.blob), styles)


def _below(root: Any, styles: _Styles) -> Iterator[Block]:
    """Paragraphs and rows below an element, those within content controls and text boxes included."""
    inside_rows: set[Any] = set()
    for element in root.iter(f"{_W}p", f"{_W}tr"):
        if element in inside_rows or any(True for _ in element.iterancestors(_FALLBACK)):
            continue
        if element.tag == f"{_W}tr":
            inside_rows.update(element.iter(f"{_W}p", f"{_W}tr"))
            cells = [one_line(" ".join(_said(p) for p in cell.iter(f"{_W}p"))) for cell in element.iter(f"{_W}tc")]
            if any(cells):
                yield Block(" | ".join(cells))
        elif text := lines_kept(_said(element)):
            level = styles.level(element)
            listed = styles.is_listed(element) and not level
            yield Block(one_line(text) if level else f"- {text}" if listed else text, level)


def _said(paragraph: Any) -> str:
    """The words of a paragraph; those of a paragraph within it, in a text box, are that one's own."""
    pieces: list[str] = []
    # Not by recursion: a file may be nested deeper than that goes.
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if element.tag in _NOT_SAID or element.tag == f"{_W}p" or _is_hidden(element):
            continue
        if element.tag == f"{_W}t":
            pieces.append(element.text or "")
        elif element.tag in {f"{_W}br", f"{_W}cr"}:
            pieces.append("\n")
        elif element.tag == f"{_W}tab":
            pieces.append(" ")
        elif element.tag == f"{_W}noBreakHyphen":
            pieces.append("-")
        else:
            stack += reversed(element)
    return "".join(pieces)


def _is_hidden(run: Any) -> bool:
    vanish = run.find(f"{_W}rPr/{_W}vanish") if run.tag == f"{_W}r" else None
    return vanish is not None and vanish.get(f"{_W}val") not in {"0", "false", "off"}
