"""What an intended use asks of a card: which sections weigh more, which lines must be there, and why."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.cards.concerns import CONCERN_NEEDS, Concern, ConcernNeed
from tools.cards.prose import without_code
from tools.cards.sections import SECTION_WEIGHTS, CardSection, quote_line

_I = re.IGNORECASE


class CardNeed(BaseModel):
    """One thing that the intended use needs to read in the card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concern: Concern
    """What about the use asks for it."""
    because: str
    """Words of the use case that say so, quoted. Untrusted text."""
    wants: str
    """What the card should say."""
    reason: str
    """Why that matters for this use."""
    line: int | None
    """Line of the card that says something about it, from 1; absent when there is none."""
    quote: str | None
    """That line, quoted; absent when there is none. Untrusted text."""


_OTHER_LANGUAGES = {
    "chinese": "chinese|中国語|zh", "korean": "korean|韓国語|ko", "french": "french|フランス語|fr", "german": "german|ドイツ語|de",
    "spanish": "spanish|スペイン語|es", "vietnamese": "vietnamese|ベトナム語|vi", "thai": "thai|タイ語|th", "portuguese": "portuguese|ポルトガル語|pt",
    "indonesian": "indonesian|インドネシア語|id", "arabic": "arabic|アラビア語|ar", "hindi": "hindi|ヒンディー語|hi", "russian": "russian|ロシア語|ru",
}  # fmt: skip
_ENGLISH = re.compile(r"\benglish\b|英語|英文", _I)
_JAPANESE = re.compile(r"日本語|japanese|和文|和訳|翻訳", _I)
"""A use that is written in Japanese and asks for a translation has Japanese on one side."""
_TASKS = frozenset[Concern]({"translation", "code", "search", "classification", "conversation"})
_OTHER_LANGUAGE_WEIGHT = 13.0
_GAIN_OF_FIRST = 1.0
_GAIN = 0.5
_LONGEST_USE_CASE = 4_000
_LONGEST_LINE = 2_000


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, _I)


def needs_of(use_case: str | None, card: str, body_at: int, languages: tuple[str, ...]) -> tuple[CardNeed, ...]:
    """What an intended use needs to read in a card, and whether it is there.

    Args:
        use_case: What the model is meant for, in the user's words.
        card: The whole card.
        body_at: Where its text begins, after the front matter.
        languages: Language codes of the front matter.

    Returns:
        The needs, the weightiest first; none without a use case.
    """
    if not use_case:
        return ()
    text = use_case[:_LONGEST_USE_CASE]
    read = _Card(_without_code(card, body_at), body_at, languages)
    others = _language_needs(text, read)
    wanted = [(need, found.group()) for need in CONCERN_NEEDS if (found := _pattern(need.use).search(text))]
    needs = [
        _need(need, because, read)
        for need, because in wanted
        # A use case that is written in Japanese is about Japanese texts, unless it names another language.
        if need.concern != "japanese" or not (others or _ENGLISH.search(text)) or _JAPANESE.search(text)
    ]
    return tuple(sorted((*needs, *others), key=lambda each: -weight_of(each)))


def names_task(words: str) -> bool:
    """Whether words name something that a model is set to do, such as search or translation.

    Args:
        words: A few words of the user.
    """
    return any(need.concern in _TASKS and _pattern(need.use).search(words) for need in CONCERN_NEEDS)


def asks_of_card(words: str) -> bool:
    """Whether a card has to answer for a use that is put in these words, beyond their being Japanese.

    Args:
        words: A few words of the user.
    """
    if _JAPANESE.search(words) or _language_needs(words, _Card("", 0, ())):
        return True
    return any(need.concern != "japanese" and _pattern(need.use).search(words) for need in CONCERN_NEEDS)


def weights_for(use_case: str | None) -> dict[str, float]:
    """The sections' weights for an intended use: each reason for a section adds to it, most to the first it names."""
    weights = dict(SECTION_WEIGHTS)
    if not use_case:
        return weights
    for need in CONCERN_NEEDS:
        if _pattern(need.use).search(use_case[:_LONGEST_USE_CASE]):
            for place, section in enumerate(need.sections):
                weights[section] += SECTION_WEIGHTS[section] * (_GAIN if place else _GAIN_OF_FIRST)
    return weights


def weight_of(need: CardNeed) -> float:
    """How much a missing line weighs beside the sections."""
    return next((each.weight for each in CONCERN_NEEDS if each.concern == need.concern), _OTHER_LANGUAGE_WEIGHT)


def sections_of(concern: Concern) -> tuple[str, ...]:
    """The sections that a concern rests on."""
    return next((each.sections for each in CONCERN_NEEDS if each.concern == concern), ())


def use_score(sections: tuple[CardSection, ...], needs: tuple[CardNeed, ...], use_case: str | None) -> float:
    """Share of what an intended use asks for that the card says, 0 to 1.

    Args:
        sections: The card's sections.
        needs: What the use needs to read.
        use_case: The use.

    Returns:
        The weighted share over sections and needed lines.
    """
    weights = weights_for(use_case)
    filled = sum(weights[section.name] for section in sections if section.state == "filled")
    said = sum(weight_of(need) for need in needs if need.quote is not None)
    return round((filled + said) / (sum(weights.values()) + sum(map(weight_of, needs))), 3)


def _without_code(card: str, body_at: int) -> str:
    """The card with its code blocks blanked, every line in its place: a comment in an example says nothing of a use."""
    lines = card[body_at:].split("\n")
    prose = dict(without_code(enumerate(lines)))
    return card[:body_at] + "\n".join(prose.get(number, "") for number in range(len(lines)))


class _Card(NamedTuple):
    """A card's text without its code, for finding the line that something stands in."""

    text: str
    body_at: int
    languages: tuple[str, ...]

    def line_with(self, pattern: re.Pattern[str], *, front_matter: bool = False) -> tuple[int, str] | None:
        """Number and text of the first line that has the pattern."""
        found = pattern.search(self.text, 0 if front_matter else self.body_at)
        if found is None:
            return None
        start = self.text.rfind("\n", 0, found.start()) + 1
        line = self.text[start : start + _LONGEST_LINE].split("\n", 1)[0]
        return 1 + self.text.count("\n", 0, start), line

    def names_language(self, *codes: str) -> tuple[int, str] | None:
        """The front matter's languages, when one of these is among them."""
        if not {"multilingual", *codes} & {each.casefold() for each in self.languages}:
            return None
        return 1, f"language: {', '.join(self.languages)[:80]}"


def _need(need: ConcernNeed, because: str, card: _Card) -> CardNeed:
    line = card.line_with(_pattern(need.line), front_matter=need.concern == "commercial")
    if need.concern == "japanese":
        line = line or card.names_language("ja", "jpn", "japanese")
    return _card_need(need.concern, because, need.wants, need.reason, line)


def _language_needs(text: str, card: _Card) -> list[CardNeed]:
    found: list[CardNeed] = []
    for name, words in _OTHER_LANGUAGES.items():
        latin, japanese, code = words.split("|")
        pattern = re.compile(rf"\b{latin}\b|{japanese}", _I)
        asked = pattern.search(text)
        if asked is not None:
            line = card.line_with(pattern) or card.names_language(code, name)
            wants = f"Languages: the card does not name `{name.capitalize()}`, which the use case needs"
            reason = "A language that is not named was most likely not tested."
            found.append(_card_need("other_language", asked.group(), wants, reason, line))
    return found


def _card_need(concern: Concern, because: str, wants: str, reason: str, line: tuple[int, str] | None) -> CardNeed:
    number, quote = (line[0], quote_line(line[1])) if line is not None else (None, None)
    return CardNeed(concern=concern, because=quote_line(because), wants=wants, reason=reason, line=number, quote=quote)
