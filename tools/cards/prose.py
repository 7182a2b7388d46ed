"""The prose of a card: paragraphs, items of lists and rows of tables, without code and without markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tools.cards.blocks import LONGEST_LINE, Block, Line
from tools.cards.tables import Row, own_lines

_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_BEGINS_ANEW = re.compile(r"\s*(?:[-*+•・]\s|\*\*|\d{1,3}[.)]\s|>|<|#)|・")
_NO_FIGURE = re.compile(r"\d{20,}")  # more digits than any size has, and slow to search
_MARKUP = re.compile(r"[*`]+|</?[a-zA-Z][^>]{0,200}>|(?<=\])\([^)]*\)|[\[\]]|\b__|__\b")
_LONGEST_PARAGRAPH = 4_000
_LONGEST_NAME = 32
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


def paragraphs_of(block: Block, is_own: Callable[[str], bool], *, about_itself: bool) -> Iterator[Paragraph]:
    """The paragraphs of a block; code and what tables say of other models are left out.

    Args:
        block: A heading with its lines.
        is_own: Whether a cell of a table names this model.
        about_itself: Whether the block is about the model; of others only the model's own row in a table is read.

    Yields:
        Paragraphs and items of lists as they are wrapped in the card, and cells of tables as `name: value`.
    """
    current = Paragraph()
    rows: list[Row] = []
    for number, line in (*without_code(block.body), (0, "")):
        is_row = line.count("|") >= 2
        if is_row:
            rows.append((number, line, [plain_text(cell) for cell in line.strip().strip("|").split("|")]))
        elif rows:
            yield from (_cell(*each) for each in own_lines(rows, is_own, about_itself=about_itself))
            rows = []
        text = "" if is_row or not about_itself else plain_text(line)
        if not text or _BEGINS_ANEW.match(line) or _is_field(text) or len(current.text) > _LONGEST_PARAGRAPH:
            if current.text:
                yield current
            current = Paragraph()
        if text:
            current.add(number, line, text)


def without_code(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines that are not in a code block, fenced or indented.

    Args:
        lines: Numbered lines of a card.

    Yields:
        Those that are prose, tables or lists.
    """
    fence = ""
    for number, line in lines:
        mark = _FENCE.match(line)
        if mark is not None and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)[:3]
        elif not fence and not (line.startswith(("    ", "\t")) and not line.lstrip().startswith(("-", "*", "+"))):
            yield number, line


def _is_field(text: str) -> bool:
    """Whether a line is a short name with a value, which is not the end of the sentence above."""
    name, colon, value = text.partition(":")
    if not colon:
        name, colon, value = text.partition("=")
    if not value.strip() or value.startswith("//") or len(name) > _LONGEST_NAME or name.count(" ") > 2:
        return False
    return not name.endswith(" ") and not any(each in name for each in ",、。.")


def _cell(number: int, line: str, text: str) -> Paragraph:
    cell = Paragraph()
    cell.add(number, line, text)
    return cell
