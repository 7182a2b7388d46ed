"""The prose of a card: paragraphs, items of lists and rows of two columns, without code and without markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.cards.blocks import LONGEST_LINE, Block

_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\Z")
_BEGINS_ANEW = re.compile(r"\s*(?:[-*+•・]\s|\*\*|\d{1,3}[.)]\s|>|<|#)|・")
_NO_FIGURE = re.compile(r"\d{20,}")  # more digits than any size has, and slow to search
_MARKUP = re.compile(r"[*`]+|</?[a-zA-Z][^>]{0,200}>|(?<=\])\([^)]*\)|[\[\]]|\b__|__\b")
_LONGEST_PARAGRAPH = 4_000
_JAPANESE = "\u3040"


@dataclass
class Paragraph:
    """Lines that belong together, as one text."""

    text: str = ""
    places: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    """Where in the text each line begins, its number and the line as it is written."""

    def add(self, number: int, line: str, text: str) -> None:
        """Add what a line says, with a space where the language has one."""
        joint = "" if not self.text or (self.text[-1] >= _JAPANESE and text[:1] >= _JAPANESE) else " "
        self.text += joint
        self.places.append((len(self.text), number, line))
        self.text += text


def plain_text(line: str) -> str:
    """A line without markup, its full-width letters and figures made plain."""
    plain = _MARKUP.sub("", unicodedata.normalize("NFKC", line[:LONGEST_LINE]))
    return " ".join(_NO_FIGURE.sub("", plain).split())


def paragraphs_of(block: Block) -> Iterator[Paragraph]:
    """The paragraphs of a block; code and tables of more than two columns are left out.

    Args:
        block: A heading with its lines.

    Yields:
        Paragraphs and items of lists as they are wrapped in the card, and rows of two columns as `name: value`.
    """
    current, columns = Paragraph(), 0
    for number, line in _without_code(block):
        is_row = line.count("|") >= 2
        columns, text = _row(line, columns) if is_row else (0, plain_text(line))
        if not text or is_row or _BEGINS_ANEW.match(line) or len(current.text) > _LONGEST_PARAGRAPH:
            if current.text:
                yield current
            current = Paragraph()
        if text:
            current.add(number, line, text)
    if current.text:
        yield current


def _without_code(block: Block) -> Iterator[tuple[int, str]]:
    fence = ""
    for number, line in block.body:
        mark = _FENCE.match(line)
        if mark is not None and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)[:3]
        elif not fence and not (line.startswith(("    ", "\t")) and not line.lstrip().startswith(("-", "*", "+"))):
            yield number, line


def _row(line: str, columns: int) -> tuple[int, str]:
    """Columns of the table that a row stands in, and what the row says when there are two."""
    cells = [plain_text(cell) for cell in line.strip().strip("|").split("|")]
    columns = columns or len(cells)
    if columns != 2 or len(cells) != 2 or _TABLE_RULE.match(line):
        return columns, ""
    return columns, f"{cells[0]}: {cells[1]}"
