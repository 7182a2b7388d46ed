"""Differences between two JSON objects, entry by entry, with what the known entries mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tools.comparing.change import RISKS, Risk, highest
from tools.comparing.quoting import listed, shown

_MAX_DEPTH = 3


class Known(NamedTuple):
    """What an entry of a config is."""

    meaning: str
    """What it sets, in a few words."""
    risk: Risk
    """What a change of it can do."""


class EntryDifference(NamedTuple):
    """How two objects differ."""

    keys: tuple[str, ...]
    """Dotted names of the entries that differ, the weightiest first; empty when only the layout does."""
    lines: tuple[str, ...]
    """A sentence for each known entry, and one for the others together."""
    risk: Risk
    """The highest risk among them."""


def compare_entries(
    old: Mapping[str, Any], new: Mapping[str, Any], known: Mapping[str, Known], unknown_risk: Risk = "medium"
) -> EntryDifference:
    """Compare two JSON objects; an entry that is null is the same as one that is not there.

    Args:
        old: The object before.
        new: The object after.
        known: Entries by their dotted name, their last part or their first part.
        unknown_risk: Risk of an entry that is not known.

    Returns:
        What differs, the weightiest first.
    """
    first, second = dict(_flattened(old)), dict(_flattened(new))
    differing = [key for key in {**first, **second} if not same_values(first.get(key), second.get(key))]
    told: list[tuple[Known, str]] = []
    others: list[str] = []
    for key in differing:
        entry = _known(key, known)
        if entry is None:
            others.append(key)
        else:
            told.append((entry, key))
    told.sort(key=lambda each: -RISKS.index(each[0].risk))
    lines = [_line(key, entry.meaning, first.get(key), second.get(key)) for entry, key in told]
    if others:
        lines.append(f"Other entries that differ: {listed(others)}.")
    risks: set[Risk] = {entry.risk for entry, _ in told}
    if others:
        risks.add(unknown_risk)
    return EntryDifference((*(key for _, key in told), *others), tuple(lines), highest(risks))


def _flattened(content: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict) and value and depth < _MAX_DEPTH:
            yield from _flattened(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value


def same_values(old: Any, new: Any) -> bool:
    """Whether two JSON values are the same: in any order, null or not there, but 1 is not true, and NaN is itself."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(same_values(old.get(key), new.get(key)) for key in {**old, **new})
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same_values, old, new))
    return type(old) is type(new) and (old == new or old != old and new != new)


def _known(key: str, known: Mapping[str, Known]) -> Known | None:
    return known.get(key) or known.get(key.rpartition(".")[2]) or known.get(key.partition(".")[0])


def _line(key: str, meaning: str, old: object, new: object) -> str:
    if old is None:
        return f"`{shown(key)}`, {meaning}: added, `{shown(new)}`."
    if new is None:
        return f"`{shown(key)}`, {meaning}: removed, it was `{shown(old)}`."
    return f"`{shown(key)}`, {meaning}: from `{shown(old)}` to `{shown(new)}`."
