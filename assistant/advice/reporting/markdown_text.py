"""A report as Markdown: every text is escaped, so that it reads as written wherever Markdown is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.advice.reporting.content import (
    Block,
    Commands,
    Document,
    Facts,
    Figure,
    Listing,
    Paragraph,
    Quotation,
    Section,
    Table,
    spans,
)

_ACTING = re.compile(r"([\\`*\[\]<&|~$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")
_LINE_START = re.compile(r"^(?:([-+=#>])|(\d{1,9})([.)])(?=\s|$))")
# Some readers make links of bare addresses; these are words.
_ADDRESS = re.compile(r"\b(https?|ftp|mailto)(:)|\b(www)(\.)", re.IGNORECASE)
_DEEPEST_HEADING = 6


def markdown_of(document: Document) -> str:
    """The report as Markdown.

    Args:
        document: The report.
    """
    facts = [f"**{line(fact.label)}**: {line(fact.text)}" for fact in document.facts]
    parts = [f"# {line(document.title)}"]
    if document.subtitle:
        parts.append(line(document.subtitle))
    parts += [_joined(facts), f"**{line(document.verdict)}**"]
    parts += [part for section in document.sections for part in _section(section, 2)]
    parts += ["---", line(document.colophon)]
    return "\n\n".join(part for part in parts if part) + "\n"


def line(text: str) -> str:
    """A text as a line of Markdown in which nothing acts but its own marks."""
    return _line_start(_inline(text))


def _section(section: Section, level: int) -> Iterator[str]:
    badge = f" ({line(section.badge)})" if section.badge else ""
    yield f"{'#' * min(level, _DEEPEST_HEADING)} {line(section.title)}{badge}"
    for block in section.blocks:
        yield _block(block)
    for part in section.parts:
        yield from _section(part, level + 1)


def _block(block: Block) -> str:
    match block:
        case Paragraph(role="lead"):
            return f"**{line(block.text)}**"
        case Paragraph():
            return line(block.text)
        case Listing():
            marks = (f"{i}." if block.numbered else "-" for i in range(1, len(block.items) + 1))
            return "\n".join(f"{mark} {line(item)}" for mark, item in zip(marks, block.items, strict=True))
        case Facts():
            return "\n".join(f"- **{line(row.label)}**: {line(row.text)}" for row in block.rows)
        case Table():
            return _table(block)
        case Quotation():
            return f"> {_line_start(_escaped(block.quote))}\n>\n> — {line(block.source)}"
        case Figure():
            return f"*{line(block.title)}*: {line(block.description)}"
        case Commands():
            lines = "\n".join(block.lines)
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", lines)), default=0))
            return f"{fence}\n{lines}\n{fence}"


def _table(table: Table) -> str:
    titles = [_cell(column.title) for column in table.columns]
    marks = ["---:" if column.numeric else "---" for column in table.columns]
    rows = [[_cell(cell) or "–" for cell in row.cells] for row in table.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (titles, marks, *rows)]
    return f"*{line(table.caption)}*\n\n" + "\n".join(lines)


def _joined(lines: list[str]) -> str:
    return "\\\n".join(lines)


def _cell(text: str) -> str:
    return _inline(text, in_table=True)


def _inline(text: str, *, in_table: bool = False) -> str:
    return "".join(
        _code(span.text, in_table=in_table)
        if span.kind == "code"
        else rf"\[{span.text}\]"
        if span.kind == "id"
        else _escaped(span.text)
        for span in spans(text)
    )


def _code(text: str, *, in_table: bool) -> str:
    # Within a table a pipe ends the cell even in code, unless it is escaped, which readers of tables take away again.
    return f"`{text.replace('|', chr(92) + '|') if in_table else text}`"


def _escaped(text: str) -> str:
    apart = _ADDRESS.sub(lambda m: f"{m[1] or m[3]}\0{m[2] or m[4]}", text)
    return _ACTING.sub(r"\\\1", apart).replace("\0", "\\")


def _line_start(text: str) -> str:
    return _LINE_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", text)
