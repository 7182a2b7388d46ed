"""Figures in a card's words: `22.7M`, `1.9 billion`, `128K`, `約51.5万`, `1億1,000万`, `three`."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "fifteen": 15, "twenty": 20, "fifty": 50, "binary": 2,
    "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_TENS = {f"{word}teen": value + 10 for word, value in (("four", 4), ("six", 6), ("seven", 7), ("eigh", 8), ("nine", 9))}
_TENS |= {f"{word}ty": value * 10 for word, value in (("thir", 3), ("for", 4), ("six", 6), ("seven", 7), ("eigh", 8))}
_TENS |= {"thirteen": 13, "ninety": 90}
_VALUES = _WORDS | _TENS
_FIGURE = re.compile(
    r"(?<![a-z0-9.,/-])(?:(?:\d+億\s*)?\d[\d,]*(?:\.\d+)?(?:\s*(?:(?:billion|million|thousand|[bmk])(?![a-z])|億|万|千))?"
    r"|[a-z]{3,9}(?![a-z])|[二三四五六七八九十])"
)
_PART = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([a-z]+|億|万|千)?")
_SCALE = re.compile(r"[a-z億万千]")
_SCALES = {"b": 1e9, "m": 1e6, "k": 1e3, "t": 1e3, "億": 1e8, "万": 1e4, "千": 1e3}


class Figure(NamedTuple):
    """One figure and where it stands."""

    start: int
    """Where it begins in the text."""
    end: int
    """Where it ends."""
    value: float
    """What it stands for."""
    rounded: bool
    """Whether it is written in thousands or more, so that its last digits were left out."""
    in_words: bool
    """Whether it is a word such as `three`."""


def figures_in(text: str) -> tuple[Figure, ...]:
    """The figures of a text, in their order.

    Args:
        text: A text in small letters.

    Returns:
        Figures with their scale; small counts also when they are written as a word.
    """
    return tuple(
        Figure(found.start(), found.end(), _value(found.group()), _is_rounded(found.group()), not has_digit)
        for found in _FIGURE.finditer(text)
        if (has_digit := found.group()[0].isdecimal()) or found.group() in _VALUES
    )


def _value(written: str) -> float:
    if written in _VALUES:
        return float(_VALUES[written])
    parts = _PART.findall(written)
    return sum(float(number.replace(",", "")) * _SCALES.get(scale[:1], 1.0) for number, scale in parts)


def _is_rounded(written: str) -> bool:
    return written[0].isdecimal() and _SCALE.search(written) is not None
