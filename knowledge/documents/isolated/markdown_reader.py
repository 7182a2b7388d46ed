"""Markdown: its words without the marks of the form, and its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from document_blocks import Block, Content, lines_kept, one_line
from html_reader import html_content
from text_reader import decoded

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(?P<head>.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_PROGRAM = re.compile(r"<(?P<end>/?)(?:script|style)\b", re.IGNORECASE)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(?P<title>.+?)[\"']?[ \t]*$", re.MULTILINE)


def read_markdown(content: bytes) -> Content:
    """A file of Markdown."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 (only after the limits are in place)

    text = decoded(content).replace("\r\n", "\n")
    title = ""
    if head := _FRONT_MATTER.match(text):
        found = _TITLE.search(head["head"])
        title, text = one_line(found["title"]) if found else "", text[head.end() :]
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    return Content(title, _blocks(tokens))


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    level, mark, row = 0, "", None
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1])
            case "list_item_open":
                mark = f"{token.info}. " if token.info else "- "
            case "tr_open":
                row = []
            case "tr_close" if row:
                yield Block(" | ".join(row))
                row = None
            case "html_block":
                yield from _html_blocks(token.content)
            case "inline" if row is not None:
                row.append(one_line(_words(token)))
            case "inline" | "fence" | "code_block":
                if text := lines_kept(_words(token) if token.type == "inline" else token.content):
                    yield Block(one_line(text) if level else f"{mark}{text}", level)
                    mark = ""
                level = 0


def _words(inline: Token) -> str:
    """The words of an inline token; raw HTML within it is markup and no words."""
    pieces, program = [], False
    for child in inline.children or []:
        if child.type == "html_inline" and (tag := _PROGRAM.match(child.content)):
            program = not tag["end"]
        elif program:
            continue
        elif child.type in {"text", "code_inline", "text_special"}:
            pieces.append(child.content)
        elif child.type == "softbreak":
            pieces.append(" ")
        elif child.type == "hardbreak":
            pieces.append("\n")
        elif child.type == "image":
            pieces.append(child.content)
    return "".join(pieces)


def _html_blocks(text: str) -> Iterator[Block]:
    # A block of nothing but a comment has no root.
    if re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL).strip():
        yield from html_content(text).blocks
