"""Figures in a card's words: `22.7M`, `1.9 billion`, `128K`, `約51.5万`, `1億1,000万`, `three`."""

from __future__ import annotations

import re

FIGURE = r"(?:\d+億\s*)?\d[\d,]*(?:\.\d+)?\s*(?:(?:billion|million|thousand|[bmk])(?![a-z])|億|万|千)?"
"""Pattern of one figure with its scale; without groups."""
_PARTS = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([a-z]+|億|万|千)?", re.IGNORECASE)
_SCALES = {"b": 1e9, "m": 1e6, "k": 1e3, "t": 1e3, "億": 1e8, "万": 1e4, "千": 1e3}
_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "fifteen": 15, "twenty": 20, "binary": 2,
    "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
COUNT = rf"(?:\d[\d,]*|{'|'.join(_WORDS)})"
"""Pattern of a small count, in figures or as a word; without groups."""


def figure_of(text: str) -> float:
    """The value of what `FIGURE` or `COUNT` matched."""
    word = _WORDS.get(text.strip().casefold())
    if word is not None:
        return float(word)
    return sum(
        float(number.replace(",", "")) * (_SCALES.get(scale.casefold()[:1], 1.0) if scale else 1.0)
        for number, scale in _PARTS.findall(text)
    )


def is_rounded(text: str) -> bool:
    """Whether a figure was written in thousands or more, so that its last digits were left out."""
    return re.search(r"[a-z億万千]", text.strip(), re.IGNORECASE) is not None
