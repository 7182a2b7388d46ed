"""Sentences of a passage of a team's document, each with the words that introduce it.

Lists matter: in "The following are prohibited:" the items below say nothing of their force themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_BULLET = re.compile(
    r"^\s*(?:[-*+・•●○◦▪–—]\s*|\(?\d{1,2}[.)、]\s*|[①-⑳]\s*|[((][\da-zア-ン一二三四五六七八九十]{1,3}[))]\s*"
    r"|第[\d一二三四五六七八九十]{1,4}[条項]\s*|[a-z][.)]\s+)(?=\S)"
)
_HEADING = re.compile(r"^\s*#{1,6}\s+")
_TABLE_ROW = re.compile(r"^\s*\|.*\|\s*$")
# A full stop ends a sentence before a space and something that can begin one: not in "v1.2", "e.g. this" or "p. 3".
_END = re.compile(
    r"(?<=[。!?])(?![」』”\")）])|(?<=[!?])(?=\s)|(?<!\be\.g)(?<!\bi\.e)(?<!\bcf)(?<!\bvs)(?<!\bNo)(?<!\bp)(?<!\bArt)"
    r"(?<!\bSec)(?<=\.)(?=[\"”’)]?\s+[\"“(]?[A-Z「『一-龥ぁ-んァ-ヶ])"
)
_GOES_ON = re.compile(
    r"(?:,|、|\b(?:and|or|of|the|a|an|to|in|for|with|by|from|be|not|without|must|may|shall|only|no))\s*$", re.I
)
_LEADS_IN = re.compile(r"[::]\s*$|(?:以下|次)の?[^。]{0,20}[。]?\s*$")
_CLOSED = re.compile(r"[。.!?::;]\s*[」』”\")）]?\s*$")
_SHORTEST_WRAPPED = 24
"""A Japanese line below this length was not broken by the width of a page."""
_LONGEST_SENTENCE = 1_500


class Sentence(NamedTuple):
    """A sentence with what stands above it."""

    text: str
    """As it stands in the document, spaces and line breaks as single spaces."""
    lead: str
    """The line that introduces the list that it is an item of, or empty."""
    heading: str
    """The nearest heading above it within the passage, or empty."""
    is_item: bool
    """Whether it is an item of a list or a row of a table."""
    leads_in: bool
    """Whether it introduces a list."""


def sentences_of(text: str) -> Iterator[Sentence]:
    """The sentences of a passage in order.

    Args:
        text: The passage.
    """
    lead = heading = ""
    for line, kind in _lines(text):
        if kind == "heading":
            lead, heading = "", line
            continue
        if kind == "text":
            lead = ""
        for piece in _END.split(line):
            sentence = piece.strip()[:_LONGEST_SENTENCE]
            if sentence:
                leads_in = kind == "text" and _LEADS_IN.search(sentence) is not None
                yield Sentence(sentence, lead if kind == "item" else "", heading, kind == "item", leads_in)
                if kind == "text":
                    lead = sentence if leads_in else ""


def normalised(sentence: str) -> str:
    """The sentence as patterns read it: wide letters and digits narrow, curly apostrophes straight, spaces single."""
    text = unicodedata.normalize("NFKC", sentence).replace("’", "'").replace("‘", "'")
    return " ".join(text.split())


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Lines put together that a page's width broke, each with its kind: heading, item or text."""
    held, kind = "", "text"
    for raw in text.splitlines():
        line = raw.strip()
        if held and (not line or _begins_anew(raw, held)):
            yield held, kind
            held = ""
        if not line:
            continue
        if held:
            held += line if _is_wide(held[-1]) or _is_wide(line[0]) else f" {line}"
            continue
        if _HEADING.match(raw):
            yield _HEADING.sub("", raw).strip(" #*"), "heading"
        elif _TABLE_ROW.match(raw):
            yield " : ".join(cell.strip() for cell in line.strip("|").split("|")), "item"
        else:
            kind = "item" if _BULLET.match(raw) else "text"
            held = _BULLET.sub("", raw).strip()
    if held:
        yield held, kind


def _begins_anew(raw: str, held: str) -> bool:
    if _BULLET.match(raw) or _HEADING.match(raw) or _TABLE_ROW.match(raw):
        return True
    first = raw.strip()[0]
    if _CLOSED.search(held):
        return not first.islower()
    if _is_wide(held[-1]):
        return len(held) < _SHORTEST_WRAPPED
    return not (first.islower() or first.isdigit() or first == "(" or _GOES_ON.search(held))


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in {"W", "F"}
