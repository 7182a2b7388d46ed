"""The sections of the annotated model card template, found under English and Japanese headings."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.cards.blocks import Block, Line
from tools.cards.template import EXPECTED_SECTIONS, LIMITATIONS, SECTION_WEIGHTS, ExpectedSection

__all__ = ["LIMITATIONS", "SECTION_WEIGHTS", "CardSection", "completeness", "find_sections", "quote_line"]

_QUOTED_LINES = 3
_QUOTED_CHARACTERS = 240
_LEAST_INTRODUCTION = 40


class CardSection(BaseModel):
    """One section of the annotated model card template and its state in this card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the section in the template, in English, for example `Bias, risks and limitations`."""
    state: Literal["filled", "unfilled", "missing"]
    """filled: has content · unfilled: the heading is there, the content is not · missing: no such heading."""
    lines: tuple[str, ...]
    """Up to three lines quoted from the section, the heading first; empty when missing. Untrusted text."""
    line_numbers: tuple[int, ...]
    """Line numbers of the quoted lines in the card, from 1."""


def find_sections(blocks: list[Block]) -> tuple[CardSection, ...]:
    """Find the template's sections in a card.

    Args:
        blocks: The card without its front matter, cut at its headings.

    Returns:
        All sections of the template, in its order.
    """
    return tuple(_section(expected, blocks) for expected in EXPECTED_SECTIONS)


def completeness(sections: tuple[CardSection, ...]) -> float:
    """Weighted share of filled sections, 0 to 1."""
    filled = sum(SECTION_WEIGHTS[section.name] for section in sections if section.state == "filled")
    return round(filled / sum(SECTION_WEIGHTS.values()), 3)


def _section(expected: ExpectedSection, blocks: list[Block]) -> CardSection:
    headings = re.compile(expected.headings)
    matches = [i for i, block in enumerate(blocks) if block.heading and headings.fullmatch(block.plain_heading)]
    states = [(index, _content(blocks, index)) for index in matches]
    filled = next(((index, content) for index, content in states if content), None)
    if filled is None and expected.name == "Model details":
        filled = _introduction(blocks)
    if filled is not None:
        return _found(expected.name, "filled", blocks[filled[0]], filled[1])
    if states:
        block = blocks[states[0][0]]
        return _found(expected.name, "unfilled", block, [line for line in block.body if line[1].strip()])
    return CardSection(name=expected.name, state="missing", lines=(), line_numbers=())


def _introduction(blocks: list[Block]) -> tuple[int, list[Line]] | None:
    """A card that starts with a title and some sentences describes the model there."""
    index = 1 if len(blocks) > 1 and blocks[1].level == 1 else 0
    content = [line for line in blocks[index].filled if len(line[1].strip()) >= _LEAST_INTRODUCTION]
    return (index, content) if content else None


def _content(blocks: list[Block], index: int) -> list[Line]:
    """Filled lines of a block and of the smaller headings below it."""
    content = list(blocks[index].filled)
    for block in blocks[index + 1 :]:
        if block.level <= blocks[index].level:
            break
        content += block.filled
    return content


def _found(name: str, state: Literal["filled", "unfilled"], block: Block, content: list[Line]) -> CardSection:
    quoted = [(block.line, block.heading)] if block.heading else []
    quoted = (quoted + [each for each in content if not each[1].lstrip().startswith(("```", "~~~"))])[:_QUOTED_LINES]
    return CardSection(
        name=name,
        state=state,
        lines=tuple(quote_line(line) for _number, line in quoted),
        line_numbers=tuple(number for number, _line in quoted),
    )


def quote_line(line: str) -> str:
    """A line of the card made safe to show."""
    shown = "".join(each if each.isprintable() else " " for each in line).strip()
    return shown if len(shown) <= _QUOTED_CHARACTERS else shown[:_QUOTED_CHARACTERS] + "…"
