"""How a sentence speaks: it obliges, forbids, recommends, releases, allows under a condition, or only tells.

Words of force are found with their places, since one sentence can oblige to one thing and forbid another.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

Kind = Literal["past", "waive", "should_not", "must_not", "only", "should", "must", "permit", "plain_not", "plain"]
_KINDS: tuple[Kind, ...] = (
    "past", "waive", "should_not", "must_not", "only", "should", "must", "permit", "plain_not", "plain",
)  # fmt: skip
WEAK = frozenset({"permit", "plain", "plain_not"})
"""Kinds that say little by themselves: a permission, and a plain verb."""
Span = tuple[int, int]
_CONJUNCTION = re.compile(
    r";\s+|,?\s+(?:but|while|whereas|although|though|however|yet)\s+|,\s+(?:and|or)\s+"
    r"|\s+(?:and|or)\s+(?=(?:\w+\s+){0,4}?(?:must|shall|may|should|is|are|need|needs|do|does|never|cannot)\b)"
    r"|(?<=[が、])(?=.)|(?<=一方で)(?=.)",
    re.IGNORECASE,
)
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龥]")
_NOUN = re.compile(r"(?!こと|もの(?:と|で))(?:[一-龥ァ-ヶ]|もの)")
_NOTHING_IS_NEEDED = re.compile(r"\b(?:required|needed|necessary|mandatory)\b", re.IGNORECASE)


class Marker(NamedTuple):
    """A word of force."""

    kind: Kind
    start: int
    end: int
    text: str

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end


class Clause(NamedTuple):
    """A part of a sentence whose objects share their words of force."""

    text: str
    markers: tuple[Marker, ...]


@cache
def patterns() -> dict[str, Any]:
    """The table of patterns, read once."""
    return tomllib.loads(Path(__file__).with_name("policy_patterns.toml").read_text(encoding="utf-8"))


@cache
def compiled(section: str, key: str) -> re.Pattern[str]:
    """All patterns of a list of the table as one."""
    return re.compile("|".join(patterns()[section][key]), re.IGNORECASE)


@cache
def _force(*, japanese: bool) -> re.Pattern[str]:
    """All words of force of one language; a sentence has those of its own only."""
    table = patterns()["force"]
    own = {kind: [p for p in table[kind] if bool(_JAPANESE.search(p)) == japanese] for kind in _KINDS}
    groups = (f"(?P<{kind}>{'|'.join(own[kind])})" for kind in _KINDS if own[kind])
    return re.compile("|".join(groups), re.IGNORECASE)


def find_markers(text: str, objects: Sequence[Span] = ()) -> tuple[Marker, ...]:
    """Words of force in a normalised sentence; those within the name of a thing, or quoted, say nothing.

    Args:
        text: The sentence.
        objects: Where things stand that requirements are about.
    """
    away = [*objects, *_quoted(text)]
    found = [
        m for m in _words_of_force(text)
        if m.kind == "plain" or not any(s <= m.start and m.end <= e for s, e in away)
    ]  # fmt: skip
    return _nothing_needed([m for m in found if m.kind != "past" and not _is_attributive(m, text)])


@lru_cache(maxsize=4_096)
def _words_of_force(text: str) -> tuple[Marker, ...]:
    pattern = _force(japanese=_JAPANESE.search(text) is not None)
    return tuple(
        Marker(m.lastgroup, m.start(), m.end(), m[0])  # type: ignore[arg-type]  # the groups are the kinds
        for m in pattern.finditer(text)
    )


def _is_attributive(marker: Marker, text: str) -> bool:
    """Whether a Japanese verb only describes the noun behind it, as in 独自コードを必要とするモデル."""
    return marker.kind in {"must", "permit"} and marker.text[-1] in "るす" and bool(_NOUN.match(text[marker.end :]))


def _nothing_needed(markers: list[Marker]) -> tuple[Marker, ...]:
    """In "no model card is required" the two words together release."""
    for first, second in zip(markers, markers[1:], strict=False):
        if first.text.lower() == "no" and second.kind == "must" and _NOTHING_IS_NEEDED.search(second.text):
            merged = Marker("waive", first.start, first.end, first.text)
            return tuple(m for m in [merged, *markers] if m not in (first, second))
    return tuple(markers)


def _quoted(text: str) -> list[Span]:
    """What stands between quotation marks, unless that is the whole sentence."""
    spans = [m.span() for m in re.finditer(r"“[^”]*”|\"[^\"]*\"|「[^」]*」|『[^』]*』", text)]
    return [(s, e) for s, e in spans if len(text) - (e - s) > 2]


def clauses_of(text: str, objects: Sequence[Span] = ()) -> tuple[Clause, ...]:
    """The clauses of a normalised sentence, each with its words of force.

    A part without any belongs to the one before it in English, where the verb comes first, and to the one after it in
    Japanese, where it comes last.
    """
    cuts = [m.span() for m in _CONJUNCTION.finditer(text) if not _within(m.start(), objects)]
    edges = [0, *(start if start == end else end for start, end in cuts), len(text)]
    parts = [(s, e) for s, e in zip(edges, edges[1:], strict=False) if e > s]
    markers = find_markers(text, objects)
    opening = {m.span for m in markers if m.kind == "plain" and text[: m.start].rstrip()[-1:] in {"", ";"}}
    backwards = not _JAPANESE.search(text)
    joined: list[Span] = []
    waiting: int | None = None
    for start, end in parts:
        begin = start if waiting is None else waiting
        if any(start <= m.start < end and (m.kind not in WEAK or m.span in opening) for m in markers):
            joined.append((begin, end))
            waiting = None
        elif backwards and joined:
            joined[-1] = (joined[-1][0], end)
        else:
            waiting = begin
    if waiting is not None:
        joined = [*joined[:-1], (joined[-1][0], len(text))] if joined else [(waiting, len(text))]
    return tuple(
        Clause(text[s:e], tuple(m._replace(start=m.start - s, end=m.end - s) for m in markers if s <= m.start < e))
        for s, e in joined
    )


def _within(place: int, spans: Sequence[Span]) -> bool:
    return any(start < place < end for start, end in spans)
