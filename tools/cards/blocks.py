"""A card cut at its headings, in Markdown or HTML; what is in code and in comments is no heading."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

LONGEST_LINE = 2_000
"""What of a line is read; longer ones are data."""
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*)\Z")
_BOLD = re.compile(
    r"\s{0,3}(?:<)?(\*\*|__|h[1-6](?=[ >]))(?:[^>*]*>)?\s*([^*_<>]{2,60}?)[:：]?\s*(?:\*\*|__|</h[1-6]>)[:：]?\s*\Z"
)
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{3,})\s*\Z")
_DECORATION = re.compile(r"[*_`#:\[\]]|\([^)]*\)|<[^>]*>|[^\w\s,&/.\-+()・]")
_NUMBERING = re.compile(r"^[\d.]+\s+")
_PLACEHOLDER = re.compile(
    r"\[?\s*(?:more information needed|needs? more information|to be (?:added|completed|determined|filled).*|todo|"
    r"tbd|coming soon|n/?a|"
    r"fill (?:this|me).*|not (?:yet )?(?:known|documented|available)|記載予定|準備中|未記入|未確認|未定|追記予定|要追記|不明|"
    r"more details needed|"
    r"information needed)\s*\]?[.。]?|\{\{.*?\}\}|\[optional\]|\.\.\.",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W_].*?[^\W_]")
_FIELD = re.compile(r"^\s*[-*+]?\s*\*{0,2}[^:*]{1,60}:\*{0,2}\s*")
Line = tuple[int, str]
"""A line with its number in the card, from 1."""


@dataclass
class Block:
    """A heading and the lines up to the next one."""

    level: int
    heading: str
    line: int
    body: list[Line] = field(default_factory=list[Line])

    @cached_property
    def plain_heading(self) -> str:
        """The heading in small letters, without markup, numbers and pictures."""
        return _NUMBERING.sub("", " ".join(_DECORATION.sub(" ", self.heading).split())).casefold()

    @cached_property
    def filled(self) -> list[Line]:
        """Lines that say something: neither empty nor a placeholder."""
        return [each for each in self.body if _says_something(each[1])]


def cut_blocks(text: str, first_line: int) -> list[Block]:
    """Cut a card at its headings.

    Args:
        text: The card without its front matter.
        first_line: Line number of its first line in the file.

    Returns:
        The blocks in order; the first is what comes before any heading.
    """
    blocks = [Block(0, "", first_line)]
    fence = ""
    for number, line in enumerate(without_comments(text).split("\n"), start=first_line):
        line = line[:LONGEST_LINE]
        mark = _FENCE.match(line)
        if mark is not None and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)[:3]
        heading = (_HEADING.match(line) or _BOLD.match(line)) if not fence else None
        if heading is not None:
            blocks.append(Block(_level(heading.group(1)), heading.group(2).strip().rstrip("#").strip(), number))
        elif not fence and _UNDERLINE.match(line) and _can_be_title(blocks[-1], number):
            above = blocks[-1].body.pop()
            blocks.append(Block(1 if "=" in line else 2, above[1].strip(), above[0]))
        else:
            blocks[-1].body.append((number, line))
    return blocks


def without_comments(text: str) -> str:
    """The text without HTML comments, with as many lines."""
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept += [text[position:start], "\n" * text.count("\n", start, end)]
        position = end + 3
    return "".join((*kept, text[position:]))


def _level(mark: str) -> int:
    """Level of a heading; a line in bold letters stands below all others."""
    return len(mark) if mark.startswith("#") else int(mark[1]) if mark.startswith("h") else 7


def _can_be_title(block: Block, number: int) -> bool:
    """Whether the line above is one that a row of dashes makes a heading."""
    if not block.body:
        return False
    above_number, above = block.body[-1]
    return bool(above.strip()) and above_number == number - 1 and "|" not in above


def _says_something(line: str) -> bool:
    if not line.strip():
        return False
    plain = " ".join(line.split())
    without = _PLACEHOLDER.sub("", plain)
    said = _FIELD.sub("", without) if without != plain else without
    return _LETTERS.search(said) is not None
