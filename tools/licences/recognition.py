"""Recognises a licence by its text, and finds what was added to or taken from it.

A text counts as a licence only when its words are the licence's words: each run of four words of one is looked for in
the other. Words that no common run covers were added or left out. Names of holders and dates differ from copy to copy; words
that forbid, allow or limit do not.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.licences.terms import LicenceTerms, all_licences, licence_text

_RUN = 4
_MOST_CHARACTERS = 200_000
_LEAST_SHARE = 0.6
_HARMLESS_WORDS = 8
_MOST_CANDIDATES = 4
_LONGEST_NOTICE = 200
_TITLE_WITHIN = 40
_MOST_QUOTES = 5
_QUOTED_CHARACTERS = 240
_WORD = re.compile(r"[a-z0-9]+(?:[.,][a-z0-9]+)*|[\u3040-\u30ff\u4e00-\u9fff]+")
_HOLDER = re.compile(
    r"^\W*(?:copyright\b(?!\s+(?:and|holder|license|notice|owner)).*|all rights reserved\.?|.{0,20}\(c\) ?\d{4}.*|"
    r".*©\s*\d{4}.*)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://(?:www\.)?|www\.")
_DECISIVE = re.compile(
    r"(?:non-?)?commercial(?:ly)?|compet(?:e|es|ing|itors?|ition)|prohibit\w*|restrict\w*|must|shall|may|not|except|"
    r"excluding|only|unless|revenue|"
    r"users?|military|weapons?|research|academic|educational|fees?|royalt\w+|permission|permitted|consent|forbidden|"
    r"allowed|provided|"
    r"however|additional\w*|rider|sell|sale|internal|approval|approved|without|require[sd]?|million|exclusive\w*|"
    r"revoc\w+|irrevocable|"
    r"sublicense|modify|distribute|hosted|services?|attribution|\d*[1-9]\d{2,}(?<!19\d\d)(?<!20\d\d)|[\d.]+,[\d,]+|"
    r".*(?:禁止|制限|限り|限る|のみ|許可|許諾|商用|営利|必要|除く|できません|不可|競合|研究|教育|条件).*"
)


class _Word(NamedTuple):
    text: str
    line: int


class _Original(NamedTuple):
    words: list[_Word]
    """Without its appendix, which copies may leave out."""
    runs: frozenset[tuple[str, ...]]
    all_runs: frozenset[tuple[str, ...]]
    """Those of the appendix as well."""


class RecognisedLicence(BaseModel):
    """Which licence a text is, and how it differs from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spdx: str
    """The licence whose words these are."""
    modified: bool
    """Whether words were added or left out that can change what is allowed."""
    similarity: float
    """Share of the licence's runs of four words that the text has, 0 to 1."""
    added: tuple[str, ...]
    """Up to five lines with words that the licence does not have. Untrusted text."""
    removed: tuple[str, ...]
    """Up to five passages of the licence that the text lacks."""
    other_words: int
    """Number of words that only one of the two texts has."""
    compared: bool
    """Whether the whole text is there; False for a notice that only names the licence."""


def recognise_licence(text: str) -> RecognisedLicence | None:
    """Recognise a licence by its words.

    Args:
        text: The content of a licence file. Untrusted.

    Returns:
        The licence that fits best; None when none does.
    """
    words = _words(text[:_MOST_CHARACTERS])
    found = [
        compared
        for licence in _candidates(" ".join(word.text for word in words))
        if (compared := _compare(words, text.split("\n"), licence)) is not None
    ]
    return min(found, key=lambda each: (each.modified, each.other_words, -each.similarity), default=None)


def _candidates(plain: str) -> list[LicenceTerms]:
    """Licences of whose phrases the text has some, those with the longest ones first."""
    scored = [
        (sum(len(phrase) for phrase in phrases if phrase in plain), licence)
        for licence in all_licences()
        if (phrases := [_plain(each) for each in licence.phrases])
    ]
    fitting = sorted((each for each in scored if each[0]), key=lambda each: -each[0])
    return [licence for _, licence in fitting[:_MOST_CANDIDATES]]


def _plain(phrase: str) -> str:
    return " ".join(word.text for word in _words(phrase))


def _compare(words: list[_Word], lines: list[str], licence: LicenceTerms) -> RecognisedLicence | None:
    original = _original(licence.spdx, licence.appendix)
    if original is None:
        return None
    runs = _runs(words)
    similarity = len(original.runs & runs) / max(1, len(original.runs))
    whole = similarity >= _LEAST_SHARE
    if not whole and (len(words) > _LONGEST_NOTICE or not _begins_with_title(words, licence)):
        return None
    added = _uncovered(words, original.all_runs)
    removed = _uncovered(original.words, runs) if whole else []
    decisive = [run for run in added if _matters(run, inside=_is_inside(run, words))]
    left_out = [run for run in removed if _matters(run, inside=True)]
    return RecognisedLicence(
        spdx=licence.spdx,
        modified=bool(decisive or left_out),
        similarity=round(similarity, 3),
        added=tuple(dict.fromkeys(_line(lines, run) for run in decisive))[:_MOST_QUOTES],
        removed=tuple(" ".join(word.text for word in run)[:_QUOTED_CHARACTERS] for run in left_out)[:_MOST_QUOTES],
        other_words=sum(map(len, added)) + sum(map(len, removed)),
        compared=whole,
    )


def _begins_with_title(words: list[_Word], licence: LicenceTerms) -> bool:
    """Whether a short notice names the licence in its first words."""
    return _plain(licence.phrases[0]) in " ".join(word.text for word in words[:_TITLE_WITHIN])


def _words(text: str) -> list[_Word]:
    found: list[_Word] = []
    for number, line in enumerate(text.split("\n")):
        plain = unicodedata.normalize("NFKC", line).casefold().replace("\u2019", "'")
        if _HOLDER.match(plain):
            continue
        words = _WORD.findall(_ADDRESS.sub("", plain).replace("licence", "license"))
        while words and _is_numbering(words[0]):
            words = words[1:]
        found += [_Word(word, number) for word in words]
    return found


def _is_numbering(word: str) -> bool:
    """Whether a word only numbers a clause: copies number them differently, or not at all."""
    return re.fullmatch(r"[ivx]{1,4}|[a-hj-z]|\d(?:\.\d)*", word) is not None


@lru_cache(maxsize=64)
def _original(spdx: str, appendix: str) -> _Original | None:
    text = licence_text(spdx)
    if text is None:
        return None
    everything = _words(text)
    words = _without_appendix(everything, appendix)
    return _Original(words, _runs(words), _runs(everything))


def _without_appendix(words: list[_Word], appendix: str) -> list[_Word]:
    """The words up to the appendix, when what follows it is nothing but that."""
    if not appendix:
        return words
    marks = tuple(appendix.split())
    texts = [word.text for word in words]
    for start in range(len(texts) - len(marks) + 1):
        if texts[start] == marks[0] and tuple(texts[start : start + len(marks)]) == marks:
            return words[:start]
    return words


def _runs(words: list[_Word]) -> frozenset[tuple[str, ...]]:
    texts = [word.text for word in words]
    return frozenset(zip(*(texts[offset:] for offset in range(_RUN)), strict=False))


def _uncovered(words: list[_Word], known: frozenset[tuple[str, ...]]) -> list[list[_Word]]:
    """Stretches of words that lie in no run of the other text."""
    texts = [word.text for word in words]
    covered = bytearray(len(texts))
    for start, run in enumerate(zip(*(texts[offset:] for offset in range(_RUN)), strict=False)):
        if run in known:
            covered[start : start + _RUN] = b"\1" * _RUN
    stretches: list[list[_Word]] = []
    for index, word in enumerate(words):
        if not covered[index]:
            if index and not covered[index - 1] and stretches:
                stretches[-1].append(word)
            else:
                stretches.append([word])
    return stretches


def _is_inside(stretch: list[_Word], words: list[_Word]) -> bool:
    """Whether a stretch stands neither before nor after all the rest."""
    return stretch[0] is not words[0] and stretch[-1] is not words[-1]


def _matters(stretch: list[_Word], *, inside: bool) -> bool:
    return inside and len(stretch) >= _HARMLESS_WORDS or any(_DECISIVE.fullmatch(word.text) for word in stretch)


def _line(lines: list[str], stretch: list[_Word]) -> str:
    first, last = stretch[0].line, min(stretch[-1].line, stretch[0].line + 3)
    return " ".join(" ".join(lines[first : last + 1]).split())[:_QUOTED_CHARACTERS]
