"""What each figure of a clause counts: parameters, tokens of the input, dimensions or pieces of a vocabulary."""

from __future__ import annotations

from typing import NamedTuple

from tools.cards.fields import Field, field_of
from tools.cards.figures import Figure, figures_in
from tools.cards.units import Quantity, Unit, name_before, unit_behind, without_fillers

_ABOUT_TOKENIZER = (
    "token",
    "vocab",
    "トークナイ",
    "トークン化",
    "語彙",
    "sentencepiece",
    "sentence-piece",
    "wordpiece",
    "subword",
)
_CHANGED = ("から", "→", "->", " to")
_CHANGED_WITHIN = 18
_STANDS_FOR: dict[Quantity, frozenset[Unit | None]] = {
    "parameters": frozenset({None, "parameters"}), "length": frozenset({None, "length"}), "width": frozenset({None, "width"}),
    "vocabulary": frozenset({None, "vocabulary", "length"}), "labels": frozenset({None}),
}  # fmt: skip


class Counted(NamedTuple):
    """A figure and what it counts."""

    quantity: Quantity
    """What it counts."""
    figure: Figure
    """The figure."""
    value: float
    """Its value, in the scale of its field."""
    by_unit: bool
    """Whether only the word behind it says so, and no name before it."""


def counted_in(text: str) -> dict[Quantity, Counted]:
    """What the figures of a clause count; those that count something else are left out.

    Args:
        text: The clause in small letters.

    Returns:
        One figure of a quantity: the first, or what that one became.
    """
    figures = figures_in(text)
    field = field_of(text) if figures else None
    found: dict[Quantity, Counted] = {}
    last: Counted | None = None
    for figure in figures:
        kind = unit_behind(text, figure.end)
        if kind == "other":
            continue
        counted = _by_field(text, figure, field, kind) or _by_words(text, figure, kind)
        if last is not None and _became(text[last.figure.end : figure.start]):
            counted = Counted(last.quantity, figure, figure.value, last.by_unit)
            found.pop(last.quantity, None)
        if counted is not None:
            found.setdefault(counted.quantity, counted)
        last = counted
    return found


def _by_field(text: str, figure: Figure, field: Field | None, kind: Unit | None) -> Counted | None:
    if field is None or kind not in _STANDS_FOR[field.quantity]:
        return None
    if figure.start < field.start or without_fillers(text[field.start : figure.start]):
        return None
    if field.needs_scale and not figure.rounded and kind is None and field.scale == 1.0:
        return None
    return Counted(field.quantity, figure, figure.value * (1.0 if figure.rounded else field.scale), by_unit=False)


def _by_words(text: str, figure: Figure, kind: Unit | None) -> Counted | None:
    name = name_before(text, figure.start)
    if figure.in_words and name != "labels":
        return None
    if name is not None and kind in _STANDS_FOR[name]:
        return Counted(name, figure, figure.value, by_unit=False)
    if kind is None or kind in ("other", "none"):
        return None
    if kind == "vocabulary" and not any(each in text for each in _ABOUT_TOKENIZER):
        return None
    return Counted(kind, figure, figure.value, by_unit=True)


def _became(between: str) -> bool:
    """Whether what stands between two figures says that one became the other."""
    plain = between.rstrip(" 約")
    return len(plain) <= _CHANGED_WITHIN and plain.endswith(_CHANGED) and not any(each in plain for each in ",、。;")
