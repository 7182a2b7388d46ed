"""What a report says, apart from how it looks: sections of a few kinds of blocks, which every format renders.

Texts are single lines without control or direction characters. Two marks act in them: backticks around code, and ids in
brackets such as `[E12]`, which become links to the place in the report that explains the id. Nothing else is markup, so
that words of a model's card, of a team's document or of a user stay words in every format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LONGEST_TEXT = 2_000
"""Characters of a text that are shown; longer ones end with an ellipsis."""
Tone = Literal["good", "warn", "bad", "open", ""]
"""How a row or a section is coloured; what the colour says stands in words as well."""


_MARKS = re.compile(
    r"(?<!`)`([^`\s](?:[^`]*[^`\s])?)`(?!`)|\[((?:[EGK]\d{1,9}|D[0-9a-f]{8}(?:\.\d{1,9})?))\]", re.ASCII
)


def tidy(text: str) -> str:
    """A text as one line that can be shown: no control or direction characters, not endless."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * LONGEST_TEXT]).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def quoted(text: str, limit: int = 400) -> str:
    """Words of somebody else within a sentence: none of the marks of a report act in them."""
    line = _MARKS.sub(lambda match: f"({match[2]})", tidy(text).replace("`", "ˋ"))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def name(text: str, limit: int = 160) -> str:
    """A name or a value of somebody else, set as code; empty when it is."""
    line = tidy(text).replace("`", "ˋ")
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return f"`{line}`" if line else ""


def cite(*ids: str) -> str:
    """Ids in brackets; empty without any."""
    return " ".join(f"[{each}]" for each in dict.fromkeys(ids) if each)


def cited(*ids: str) -> str:
    """Ids in brackets after a word; empty without any."""
    found = cite(*ids)
    return f" {found}" if found else ""


def capital(text: str) -> str:
    """A text that begins like a sentence; names and codes stay as they are written."""
    return text[:1].upper() + text[1:] if text[:2].isalpha() else text


Text = Annotated[str, AfterValidator(tidy)]


class Span(BaseModel):
    """A piece of a text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["text", "code", "id"]
    """Plain text, code, or an id that the report may explain elsewhere."""
    text: str
    """The piece without its marks."""


def spans(text: str) -> Iterator[Span]:
    """The pieces of a text, in order."""
    at = 0
    for match in _MARKS.finditer(text):
        if match.start() > at:
            yield Span(kind="text", text=text[at : match.start()])
        yield Span(kind="code", text=match[1]) if match[1] else Span(kind="id", text=match[2])
        at = match.end()
    if at < len(text):
        yield Span(kind="text", text=text[at:])


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paragraph(_Part):
    """A paragraph."""

    kind: Literal["paragraph"] = "paragraph"
    text: Text
    """What it says."""
    role: Literal["plain", "lead", "note"] = "plain"
    """lead: carries the section · note: small print such as conditions."""


class Listing(_Part):
    """A list."""

    kind: Literal["list"] = "list"
    items: tuple[Text, ...]
    """Its items."""
    numbered: bool = False
    """Whether their order counts."""


class Fact(_Part):
    """A label with what it stands for."""

    label: Text
    """The label."""
    text: Text
    """What it stands for."""
    anchor: str = ""
    """Id under which citations find it, or empty."""


class Facts(_Part):
    """Labels and what they stand for."""

    kind: Literal["facts"] = "facts"
    rows: tuple[Fact, ...]
    """In order."""


class Column(_Part):
    """A column of a table."""

    title: Text
    """Its heading."""
    numeric: bool = False
    """Whether its cells are figures, which are set right."""


class Row(_Part):
    """A row of a table."""

    cells: tuple[Text, ...]
    """One text a column; empty where nothing is known, which is shown as a dash."""
    tone: Tone = ""
    """Its colour."""
    anchor: str = ""
    """Id under which citations find it, or empty."""


class Table(_Part):
    """A table; its first column names the row."""

    kind: Literal["table"] = "table"
    caption: Text
    """What it shows, in a few words."""
    columns: tuple[Column, ...]
    """Its columns."""
    rows: tuple[Row, ...]
    """Its rows."""


class Quotation(_Part):
    """Words of a document, as they stand there. Untrusted text: no mark acts in it."""

    kind: Literal["quotation"] = "quotation"
    quote: Text
    """The words."""
    source: Text
    """Document and place."""
    anchor: str = ""
    """Id under which citations find it, or empty."""


class Figure(_Part):
    """A plot."""

    kind: Literal["figure"] = "figure"
    name: str
    """Which plot it is; unique in a report."""
    title: Text
    """What it shows, in a few words."""
    description: Text
    """What can be read from it, for those who do not see it."""
    svg: str = Field(default="", exclude=True, repr=False)
    """The drawing; no part of JSON, where the figures themselves are."""


class Commands(_Part):
    """Lines to type into a shell."""

    kind: Literal["commands"] = "commands"
    lines: tuple[Text, ...]
    """The commands; ids and backticks in them are no marks."""


Block = Annotated[
    Paragraph | Listing | Facts | Table | Quotation | Figure | Commands,
    Field(discriminator="kind"),
]


class Section(_Part):
    """A part of the report with a heading."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Its name, the same in every language."""
    title: Text
    """Its heading."""
    badge: Text = ""
    """A word on its state beside the heading, or empty."""
    tone: Tone = ""
    """Colour of the badge."""
    blocks: tuple[Block, ...] = ()
    """What it says."""
    parts: tuple[Section, ...] = ()
    """Sections below it."""

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return not self.blocks and not self.parts


class Document(_Part):
    """A report from its title to its last line."""

    language: Literal["en", "ja"]
    """Language of the texts."""
    title: Text
    """Its title."""
    subtitle: Text
    """What it is for, in a line; may be empty."""
    running_title: Text
    """What stands at the top of every printed page."""
    facts: tuple[Fact, ...]
    """What identifies it: model, commit, day and so on."""
    verdict: Text
    """The verdict in a sentence."""
    verdict_tone: Tone
    """Its colour."""
    sections: tuple[Section, ...]
    """What it says."""
    colophon: Text
    """The last line."""
    labels: dict[str, Text]
    """Words of the page itself, such as the heading of its table of contents."""


def anchors(document: Document) -> frozenset[str]:
    """Every id that the report explains somewhere."""
    return frozenset(a for section in document.sections for a in _anchors_of(section))


def _anchors_of(section: Section) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, Table | Facts):
            yield from (row.anchor for row in block.rows if row.anchor)
        elif isinstance(block, Quotation) and block.anchor:
            yield block.anchor
    for part in section.parts:
        yield from _anchors_of(part)


def texts(document: Document) -> Iterator[str]:
    """Every text of the report in reading order, quotations of documents and commands left out."""
    yield from (document.title, document.subtitle, document.verdict)
    yield from (text for fact in document.facts for text in (fact.label, fact.text))
    for section in document.sections:
        yield from _texts_of(section)


def _texts_of(section: Section) -> Iterator[str]:
    yield from (section.title, section.badge)
    for block in section.blocks:
        yield from _texts_in(block)
    for part in section.parts:
        yield from _texts_of(part)


def _texts_in(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield block.text
        case Listing():
            yield from block.items
        case Facts():
            yield from (text for row in block.rows for text in (row.label, row.text))
        case Table():
            yield from (block.caption, *(column.title for column in block.columns))
            yield from (cell for row in block.rows for cell in row.cells)
        case Figure():
            yield from (block.title, block.description)
        case _:
            return
