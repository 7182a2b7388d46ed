"""Figures with a unit in a sentence of a policy or of the guidance, so that two of one kind can be compared."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "a": 1, "半": 0.5,
}  # fmt: skip
_NUMBER = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[一二三四五六七八九十半]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)\b)"  # fmt: skip
_UNITS = (
    ("milliseconds", 1.0, r"ms\b|milliseconds?\b|ミリ秒"), ("milliseconds", 1000.0, r"seconds?\b|秒"),
    ("time", 1.0, r"days?\b|日(?:間|以内|以上)?"), ("time", 7.0, r"weeks?\b|週間?"),
    ("time", 30.0, r"months?\b|(?:か|カ|ヶ|ヵ|箇)月"), ("time", 90.0, r"quarters?\b|四半期"), ("time", 365.0, r"years?\b|年間?"),
    ("points", 1.0, r"(?:percentage\s+)?points?\b|ポイント"), ("percent", 1.0, r"%|percent\b|パーセント"),
    ("people", 1.0, r"(?:named\s+)?(?:users?|people|persons?|participants?)\b|名|人"),
    ("examples", 1.0, r"(?:of\s+)?(?:labell?ed\s+|own\s+|test\s+|your\s+own\s+)*(?:examples?|pairs|questions)\b|件|例"),
)  # fmt: skip
_ANY = tuple((kind, factor, re.compile(rf"{_NUMBER}[\s-]*(?:{unit})", re.IGNORECASE)) for kind, factor, unit in _UNITS)


class Limit(NamedTuple):
    """A figure."""

    unit: str
    """`time`, `milliseconds`, `percent`, `points`, `people` or `examples`."""
    value: float
    """In days, milliseconds, percent, points, people or examples."""


def limits_in(text: str) -> list[Limit]:
    """The figures of a text, whose letters are small."""
    return [
        Limit(kind, factor * _value(found["number"]))
        for kind, factor, pattern in _ANY
        for found in pattern.finditer(text)
    ]


def _value(number: str) -> float:
    return _WORDS[number.lower()] if number.lower() in _WORDS else float(number.replace(",", ""))
