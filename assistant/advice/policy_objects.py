"""The things that requirements are about, found in a clause, and whether words around one turn it round.

A requirement names what a model should have (a licence text) or should not (a pickle). To oblige to the first and to
forbid the second ask for the same kind of thing, and so does to forbid its lack: "must not be used without a licence
text". The signs of force, thing and lack are multiplied; what comes out negative makes no sense as that requirement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from assistant.advice.policy_force import WEAK, Clause, Marker, Span, compiled, patterns

_SIGN = {"must": 1, "only": 1, "should": 1, "plain": 1, "must_not": -1, "should_not": -1, "plain_not": -1}
_SAME_BREATH = re.compile(
    r"\s*(?:,\s*)?(?:and|or|&|と|や|および|及び|又は|または|、)\s*(?:an?|the|its|any)?\s*", re.IGNORECASE
)
_IF = re.compile(
    r"\b(?:if|provided|as\s+long\s+as|when|once|after|with)\b|場合|なら|れば|とき|上で|うえで|後に", re.IGNORECASE
)


class Thing(NamedTuple):
    """A thing that a requirement is about."""

    requirement: str
    good: bool
    """Whether a model should have it."""
    start: int
    end: int
    text: str

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end


@cache
def _objects() -> tuple[tuple[str, bool, tuple[str, ...], re.Pattern[str]], ...]:
    table = patterns()["requirement"]
    return tuple(
        (name, kind == "good", tuple(row["stems"]), re.compile("|".join(row[kind]), re.IGNORECASE))
        for name, row in table.items()
        for kind in ("good", "bad")
        if kind in row
    )


@lru_cache(maxsize=4_096)
def find_things(text: str) -> tuple[Thing, ...]:
    """Every thing in a normalised sentence that some requirement is about, in order; within a longer one none counts."""
    small = text.lower()
    found = [
        Thing(name, good, m.start(), m.end(), m[0])
        for name, good, stems, pattern in _objects()
        if any(stem in small for stem in stems)  # far quicker than the pattern
        for m in pattern.finditer(text)
        if m.end() > m.start()
    ]
    kept: list[Thing] = []
    for thing in sorted(found, key=lambda t: (t.start, -t.end)):
        if not any(k.start <= thing.start and thing.end <= k.end and k.span != thing.span for k in kept):
            kept.append(thing)
    return tuple(t for t in kept if _needed(t, text))


def _needed(thing: Thing, text: str) -> bool:
    needs = patterns()["requirement"][thing.requirement].get("needs")
    return needs is None or re.search("|".join(needs), text, re.IGNORECASE) is not None


def governing(clause: Clause, start: int, end: int) -> Marker | None:
    """The word of force that governs a thing: the nearest strong one, else a permission, else a plain verb."""
    strong = [m for m in clause.markers if m.kind not in WEAK]
    weak = [m for m in clause.markers if m.kind == "permit"] or list(clause.markers)
    return min(
        strong or weak,
        key=lambda m: start - m.end if m.end <= start else m.start - end if m.start >= end else 0,
        default=None,
    )


def asked_for(clause: Clause, thing: Thing, things: Sequence[Thing], marker: Marker) -> str:
    """What a clause says of a thing: `must`, `should` or `waived`, or empty when it makes no sense as its requirement.

    Args:
        clause: The clause.
        thing: One of its things, with offsets in the clause.
        things: All of them.
        marker: The word of force that governs it.
    """
    lacks = [_lacks(clause, thing, marker)]
    before = next(
        (t for t in things if t.end <= thing.start and _SAME_BREATH.fullmatch(clause.text[t.end : thing.start])), None
    )
    if before is not None and not lacks[0] and _lacks(clause, before, marker):
        lacks.append(True)  # "without a licence text and a model card" lacks both, or one
    if marker.kind == "waive":
        return "waived"
    if marker.kind == "permit":
        return _permitted(clause, thing, lacking=lacks[0])
    force = _SIGN[marker.kind]
    signs = {force * (1 if thing.good else -1) * (-1 if lacking else 1) for lacking in lacks}
    if 1 not in signs:
        return ""
    return "should" if marker.kind in {"should", "should_not"} else "must"


def _permitted(clause: Clause, thing: Thing, *, lacking: bool) -> str:
    """A permission releases where it is about a lack, and obliges where it is bound to a thing."""
    if thing.good == lacking:
        return "waived"
    return "must" if thing.good and _IF.search(clause.text) else ""


def _lacks(clause: Clause, thing: Thing, marker: Marker) -> bool:
    """Whether words beside a thing say that it is not there, or take it away."""
    return _is_lacking_before(clause, thing, marker) or _is_lacking_after(clause, thing, marker)


@cache
def _between() -> re.Pattern[str]:
    return re.compile(patterns()["privative"]["between"], re.IGNORECASE)


def _is_lacking_before(clause: Clause, thing: Thing, marker: Marker) -> bool:
    head = clause.text[: thing.start]
    own = _between().search(head)
    head = head[: own.start()] if own else head
    for piece in (head, clause.text[: thing.start]):
        found = compiled("privative", "before").search(piece.rstrip() + " " if piece else piece)
        if found and not _is(marker, found.start(), found.end()):
            return True
    return False


def _is_lacking_after(clause: Clause, thing: Thing, marker: Marker) -> bool:
    for pattern in _afters():
        found = pattern.match(clause.text[thing.end :])
        if found:
            start, end = (thing.end + place for place in found.span("core"))
            return not _is(marker, start, end)
    return False


@cache
def _afters() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns()["privative"]["after"])


def _is(marker: Marker, start: int, end: int) -> bool:
    """Whether the word of force is the very word that would turn the thing round."""
    return marker.kind in {"must_not", "should_not", "plain_not", "waive"} and marker.start < end and start < marker.end
