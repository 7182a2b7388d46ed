"""HTML: what a reader of the page sees, without scripts, styles and what the page hides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from document_blocks import Block, Content, one_line
from text_reader import decoded

_LEFT_OUT = frozenset(
    {"script", "style", "title", "noscript", "template", "head", "iframe", "object", "embed", "svg", "math", "canvas", "select",
     "button", "input", "textarea", "nav", "audio", "video", "datalist", "dialog"}
)  # fmt: skip
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "header", "footer", "aside", "ul", "ol", "dl", "dt", "dd", "table",
     "tbody", "thead", "tfoot", "blockquote", "pre", "figure", "figcaption", "address", "details", "summary", "hr",
     "body", "html", "form", "fieldset", "legend", "center", "caption"}
)  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|(?:left|top|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_RULE = re.compile(r"([^{}]{1,300})\{([^{}]{0,2000})\}")
_SIMPLE_SELECTOR = re.compile(r"(?P<tag>[a-z][a-z0-9]*)?(?:(?P<mark>[.#])(?P<name>[\w-]+))?", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_DEEPEST = 200


def read_html(content: bytes) -> Content:
    """A page."""
    declared = _CHARSET.search(content[:4096])
    return html_content(decoded(content, declared[1].decode("ascii") if declared else ""))


def html_content(text: str) -> Content:
    """The text of a page."""
    from lxml import html  # noqa: PLC0415 (heavy import, only after the limits are in place)

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    # Never without an element, which would be an error.
    root: Any = html.document_fromstring(f"{text}<span></span>".encode("utf-8", "replace"), parser=parser)
    title = root.findtext(".//title") or ""
    sheets = "".join(style.text or "" for style in root.iter("style"))
    return Content(one_line(title), _blocks(root, _hiding_selectors(sheets)))


def _hiding_selectors(sheets: str) -> set[tuple[str, str, str]]:
    """Tag, mark and name of the simple selectors whose rule hides what they select."""
    found: set[tuple[str, str, str]] = set()
    for selectors, declarations in _RULE.findall(sheets):
        if _HIDING.search(declarations):
            parts = [_SIMPLE_SELECTOR.fullmatch(each.strip()) for each in selectors.split(",")]
            found |= {(p["tag"] or "", p["mark"] or "", p["name"] or "") for p in parts if p and p[0]}
    return found


class _Gathered:
    """Text of the block that is open, and the blocks that are closed."""

    def __init__(self) -> None:
        self.closed: list[Block] = []
        self._pieces: list[str] = []
        self._level = 0
        self._mark = ""

    def add(self, text: str | None) -> None:
        if text:
            self._pieces.append(text)

    def close(self, level: int = 0, mark: str = "") -> None:
        """Close the block, and open one of this level, which begins with the mark once it has text."""
        text = one_line("".join(self._pieces))
        if text:
            self.closed.append(Block(f"{self._mark}{text}", self._level))
            self._mark = ""
        self._pieces, self._level, self._mark = [], level, mark or ("" if text else self._mark)


def _blocks(root: Any, hiding: set[tuple[str, str, str]]) -> Iterator[Block]:
    gathered = _Gathered()
    # Not by recursion: a page may be nested deeper than that goes.
    stack: list[tuple[Any, int, bool]] = [(root, 0, False)]
    while stack:
        element, depth, leaving = stack.pop()
        if leaving:
            _leave(element, gathered)
        elif depth <= _DEEPEST and _is_seen(element, hiding):
            _enter(element, gathered)
            stack.append((element, depth, True))
            stack += [(child, depth + 1, False) for child in reversed(element)]
        else:
            gathered.add(element.tail)
        if len(gathered.closed) > 1:
            yield from gathered.closed[:-1]
            del gathered.closed[:-1]
    gathered.close()
    yield from gathered.closed


def _enter(element: Any, gathered: _Gathered) -> None:
    tag = element.tag
    if tag in _HEADINGS:
        gathered.close(_HEADINGS[tag])
    elif tag == "li":
        gathered.close(mark=_list_mark(element))
    elif tag == "tr" or tag in _BLOCKS:
        gathered.close()
    elif tag in {"td", "th"}:
        gathered.add(" | " if element.getprevious() is not None else "")
    elif tag == "br":
        gathered.add(" ")
    gathered.add(element.text)


def _leave(element: Any, gathered: _Gathered) -> None:
    tag = element.tag
    if tag in _HEADINGS or tag in _BLOCKS or tag in {"li", "tr"}:
        gathered.close()
    gathered.add(element.tail)


def _list_mark(item: Any) -> str:
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return "- "
    return f"{1 + sum(1 for _ in item.itersiblings('li', preceding=True))}. "


def _is_seen(element: Any, hiding: set[tuple[str, str, str]]) -> bool:
    if not isinstance(element.tag, str) or element.tag in _LEFT_OUT:
        return False
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return False
    return not _HIDING.search(element.get("style") or "") and not (hiding and _selected(element, hiding))


def _selected(element: Any, selectors: set[tuple[str, str, str]]) -> bool:
    marks = [("", ""), *((".", name) for name in (element.get("class") or "").split()), ("#", element.get("id") or "")]
    return any((tag, mark, name) in selectors for tag in ("", element.tag) for mark, name in marks)
