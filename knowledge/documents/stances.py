"""What a sentence asks for or forbids, of the matters that a policy and the guidance can both rule on.

Careful on purpose: a sentence that only speaks of a matter takes no stance, and what is not understood says nothing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from knowledge.documents.cutting import sentences
from knowledge.documents.limits import Limit, limits_in

Force = Literal["asks", "allows", "forbids"]
_FILE = Path(__file__).with_name("subjects.toml")
_CONDITION = re.compile(r"\b(?:unless|except|until|only\s+with|as\s+long\s+as)\b|場合|を除き|ない限り|までは|するまで")
_NOT_YET = re.compile(r"\bbefore\b|前に|まで")
_ALWAYS = re.compile(r"\balways\b|常に|必ず")
_CLAUSE = re.compile(r"(?:[^,;:；：、(（—]|,(?=\d))+[(（]?")
_OF_A_TOOL = re.compile(r"`[a-z]+_[a-z_]+`")
_ONLY = re.compile(r"(?<!-)\bonly\b|\bexclusively\b|に限る|に限り|のみ|だけを?(?:使|利用|用い)")
_FORBIDS = re.compile(
    r"\b(?:must|may|shall|should|can)\s+(?:\w+\s+)?not\b|\bcannot\b|\bcan't\b|\bmustn't\b|\bforbid|\bforbidden\b|\bprohibit|\bbanned\b"
    r"|\bnot\s+(?:be\s+)?(?:allowed|permitted|accepted|acceptable|used)\b|\bnever\b|\bdo\s+not\b|\bdon't\b|\bavoid\b|\brefuse\b"
    r"|^\s*(?:-\s*)?no\s+\w+(?:\s+\w+){0,3}\s+(?:may|is|are|shall|can|must)\b|^\s*(?:-\s*)?no\s+\w+\s+without\b"
    r"|禁止|禁ずる|禁じる|ては(?:ならない|いけない|なりません|いけません)|認めない|認めません|不可とする|許可しない|(?:し|使わ|用い|行わ)ないこと"
    r"|避け(?:る|ます|て|、)|使いません|使わない|やめ(?:る|ます|ましょう)|控え(?:る|ます|て)"
)
_ASKS = re.compile(
    r"\bmust\b|\bshall\b|\brequired?\b|\brequires\b|\bmandatory\b|\bha(?:ve|s)\s+to\b|\bneeds?\s+to\b|\bshould\b|\brecommend|\bprefer|\bis\s+pinned\b"
    r"|\bare\s+pinned\b|なければなりません|なければならない|必要とする|必要がある|義務|必須|必ず|(?<!ない)(?:する|固定する|使う|用いる|置く)こと|推奨|望ましい|勧め"
    r"|してください|(?:固定|使用|利用|選択|保管)(?:する|します)[。\s]*$|(?:使|選)(?:う|います|びます)[。\s]*$"
)
_ALLOWS = re.compile(
    r"\bmay\s+(?:be\s+)?used?\b|\bis\s+(?:allowed|permitted|approved|fine|enough|acceptable)\b|\bare\s+(?:allowed|permitted|approved|fine|enough|acceptable)\b"
    r"|てよい|てもよい|てかまわない|ことができる|認める|許可する|可とする|差し支えない|で足り|十分です"
)
_BEGINS = re.compile(
    r"^\s*(?:[-*]\s+|\d+[.)]\s+)?(?:then\s+|first,?\s+|always\s+)?(?:use|take|load|choose|pick|prefer|pin|keep|store|set|send|run|rent|require"
    r"|allow|try|start|adopt|follow|fine-tune|quanti[sz]e|upgrade|update|install|host|let|limit)\b"
)
"""A sentence that begins like this asks for what it names."""
_WITHOUT = re.compile(r"(?:\bwithout|\black(?:s|ing)|\bmissing|\bno)\s+(?:an?\s+|any\s+|the\s+|its\s+)?(?:\w+\s+)?$")
_LACKED = re.compile(r"^(?:が|の|を|も|は)?(?:確認でき|書かれてい|添えられてい|付いてい|含まれてい|示されてい)?(?:ない|無い|なし|欠く|持たない)")  # fmt: skip
_INSTEAD = re.compile(r"(?:\binstead\s+of|\brather\s+than)\s+(?:\w+\s+){0,2}$")
_NOT_THAT = re.compile(r"^(?:では|で(?=は))?(?:はなく|なく)")


class Subject(NamedTuple):
    """A matter that can be ruled on."""

    id: str
    forms: tuple[str, ...]
    group: str
    against: frozenset[str]
    limited: frozenset[str]


class Stance(NamedTuple):
    """What a sentence rules on one matter."""

    subject: Subject
    force: Force | None
    """None where it only sets a limit."""
    only: bool
    """Whether nothing else of the subject's group is allowed."""
    conditional: bool
    """Whether it holds under a condition only."""
    limits: tuple[Limit, ...]
    sentence: str
    """Word by word."""


def stances_of(text: str) -> list[Stance]:
    """What the sentences of a text rule."""
    return [stance for sentence in sentences(text) if sentence.strip() for stance in _of_sentence(sentence.strip())]


@lru_cache(maxsize=2_048)
def _of_sentence(sentence: str) -> tuple[Stance, ...]:
    # A sentence about a tool says what that does, and rules nothing.
    return () if _OF_A_TOOL.search(sentence) else tuple(_stances(sentence))


def _stances(sentence: str) -> Iterator[Stance]:
    plain = unicodedata.normalize("NFKC", sentence).lower()
    for subject in subjects():
        found = _pattern(subject.id).search(plain)
        if found is None:
            continue
        start, clause = _clause_at(plain, found.start())
        force = _force(clause, found.start() - start, found.end() - start)
        limits = tuple(limit for limit in limits_in(plain) if limit.unit in subject.limited)
        only = bool(subject.group) and force != "forbids" and bool(_ONLY.search(clause))
        if force or only or limits:
            conditional = bool(_CONDITION.search(plain) or (force == "forbids" and _NOT_YET.search(plain)))
            yield Stance(subject, "asks" if only else force, only, conditional, limits, sentence)


def _clause_at(text: str, position: int) -> tuple[int, str]:
    """The clause around a position, up to the end of the sentence where Japanese has its verb."""
    for clause in _CLAUSE.finditer(text):
        if clause.start() <= position < clause.end():
            end = len(text) if not text.isascii() else clause.end()
            return clause.start(), text[clause.start() : end]
    return 0, text


def _force(clause: str, start: int, end: int) -> Force | None:
    before, after = clause[:start], clause[end:].lstrip()
    lacking = bool(_WITHOUT.search(before) or _LACKED.match(after))
    if _INSTEAD.search(before) or _NOT_THAT.match(after):
        return "forbids"
    if _FORBIDS.search(clause):
        return "asks" if lacking else "forbids"
    if lacking:
        return None
    if _ASKS.search(clause) or _BEGINS.match(clause):
        return "asks"
    if _ALLOWS.search(clause):
        return "allows"
    return "asks" if _ALWAYS.search(clause) else None


@cache
def subjects() -> tuple[Subject, ...]:
    """All matters that can be ruled on."""
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))["subject"]
    return tuple(
        Subject(
            id=row["id"],
            forms=tuple(row["forms"]),
            group=row.get("group", ""),
            against=frozenset(row.get("against", ())),
            limited=frozenset(row.get("limited", ())),
        )
        for row in rows
    )


@cache
def _pattern(id: str) -> re.Pattern[str]:
    forms = next(subject.forms for subject in subjects() if subject.id == id)
    return re.compile(
        "|".join(rf"(?<![a-z]){re.escape(f)}" if f[0].isalpha() and f.isascii() else re.escape(f) for f in forms)
    )
