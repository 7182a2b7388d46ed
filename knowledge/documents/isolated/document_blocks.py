"""What every reader gives: a document as blocks of clean text, or the reason why it cannot be read; standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

MOST_CHARACTERS = 3_000_000
"""Characters of a document's text, at most."""
LONGEST_TITLE = 200
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
_MARKED = re.compile(r"(?:[-*•・●○■□◆◇]|[0-9]{1,3}[.)、]|[(（][0-9a-z一二三四五六七八九十]{1,3}[)）]|[①-⑳]|第[0-9０-９一二三四五六七八九十百]+[章節条項])")  # fmt: skip
_SHORT = 0.6
"""A line that is shorter than this share of the longest one ended on purpose."""


class Block(NamedTuple):
    """A paragraph, a row of a table, an item of a list or a heading."""

    text: str
    level: int = 0
    """Of a heading, 1 the highest; 0 for everything else."""
    page: int = 0
    """Of a paged document, from 1; 0 for every other."""


class Content(NamedTuple):
    """A document as read."""

    title: str
    """Empty when the document does not say."""
    blocks: Iterable[Block]
    """In order; read while they are taken."""


class Unreadable(Exception):
    """The document cannot be read, for a reason that its owner can do something about."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


def visible(text: str) -> str:
    """The text without what nobody sees: control, format and bidirectional characters, halves of characters, unknown ones."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _HIDDEN)


def one_line(text: str) -> str:
    """The visible text with one space for each gap."""
    return " ".join(visible(text.replace("\u00a0", " ")).split())


def lines_kept(text: str) -> str:
    """The visible text line by line, each with one space for each gap; empty lines are left out."""
    lines = [one_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(line for line in lines if line)


def unwrapped(lines: list[str], longest: int) -> str:
    """Lines that were broken for their width, put together; those that ended on purpose stay lines.

    Args:
        lines: Lines of one paragraph.
        longest: Width of the text that they stand in, in characters.
    """
    text, previous = "", ""
    for line in lines:
        if not text:
            text = line
        elif _MARKED.match(line) or len(previous) < _SHORT * longest:
            text += f"\n{line}"
        else:
            wide = _CJK.match(previous[-1]) and _CJK.match(line[0])
            text += line if wide or previous.endswith("-") else f" {line}"
        previous = line
    return text
