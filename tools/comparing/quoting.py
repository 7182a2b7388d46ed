"""Untrusted values as short harmless texts that stand between backticks."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Sequence

_LONGEST = 60
_NAMED = 5
_brief = reprlib.Repr()
_brief.maxlevel, _brief.maxdict, _brief.maxlist, _brief.maxstring, _brief.maxlong = 3, 6, 8, _LONGEST, _LONGEST


def shown(value: object, limit: int = _LONGEST) -> str:
    """A value of a file on one line: printable, without backticks, and cut.

    Args:
        value: A text, a number, or any JSON value, of any size.
        limit: Most characters.
    """
    if isinstance(value, str):
        head = value[: limit + 1]
        text = head if head.strip() == head and head else json.dumps(head, ensure_ascii=False)
    elif value is None or isinstance(value, bool):
        text = json.dumps(value)
    else:
        text = _brief.repr(value)
    text = "".join(each if each.isprintable() else "�" for each in text).replace("`", "ˋ")
    return text if len(text) <= limit else text[:limit] + "…"


def listed(values: Iterable[object], count: int | None = None, most: int = _NAMED) -> str:
    """A few values in backticks, separated by commas; the rest is counted.

    Args:
        values: What is named.
        count: How many there are when `values` are only the first of them.
        most: Most that are named.
    """
    known: Sequence[object] = tuple(values)
    total = len(known) if count is None else count
    named = ", ".join(f"`{shown(each, 40)}`" for each in known[:most])
    more = total - min(most, len(known))
    return f"{named} and {more} more" if more > 0 else named
