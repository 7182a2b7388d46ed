"""Claims about the classes that a model tells apart: how many there are, and their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.figures import figures_in
from tools.cards.text import Statement
from tools.model_facts import Fact, ModelFacts

_NOUN = r"(?:labels?|class(?:es)?|categor(?:y|ies)|tags|kinds?|types? of)\b"
_BEHIND = rf"[\s-]+(?:\w+\s+)?{_NOUN}|-?way\b|\s*(?:つの)?\s*(?:クラス|段階|種類?の(?:クラス|ラベル|カテゴリ)|種類|種に|カテゴリ|値分類|ラベル|個のラベル)"
_TELLS_APART = (
    r"\b(?:recogni[sz]es?|distinguish(?:es)?|classif(?:y|ies)|detects?|predicts?|tells? apart|sorts? \w+ into|one of|into|between|among)"
    r"(?: one)?(?: of)?(?: the)?\s*\Z"
)
_BINARY = r"\bbinary (?:\w+ )?(?:classif|sentiment|label)|\b(?:二値|2値)分類"
_LISTED = r"(?:\b(?:labels?|classes|categories|tags|outputs)(?:\s+names?)?\s*(?::|are\b|=)|(?:ラベル|クラス|カテゴリー?)(?:名|一覧)?\s*[:は=])\s*(.+)"
_LISTED_AFTER_COUNT = r"\blabels?\s*[:(]\s*([^()]+)|(?:ラベル|クラス)数[^()]{0,12}\((.+)\)"
_MAPPED = r"(?:\blabel_)?\d{1,3}\s*(?:→|->|=>|=|:)\s*([^,、;|/→=]{1,40})"
_COUNT_FIRST = r"\W*(?:\d[\d,]*|[a-z]+)?\s*(?:種|つ|個|クラス|段階|classes|labels|kinds|types|as follows)"
_ENTITIES = r"\bentit(?:y|ies)\b|固有表現"
_LABELS = r"\blabels?\b|\btags\b|\bclass|ラベル|クラス|タグ"
_OF_DATA = r"\bpre-?train|\bdata ?sets?\b|データセット|事前学習"
_EARLIER = r"at first|originally|merged|collapsed|formerly|当初|統合|もともと|まとめ|丸め"
_SEPARATORS = r"\s*(?:,\s*(?:and|or)\b|,|、|・|;|/|\band\b|\bor\b|および|と(?=\s))\s*"


def label_claims(statements: tuple[Statement, ...], facts: ModelFacts) -> Iterator[Claim]:
    """Claims about number and names of the classes; only of a model that has some.

    Args:
        statements: What the card says of the model itself.
        facts: What the files say.

    Yields:
        The claims.
    """
    if facts.label_count is None:
        return
    for said in statements:
        if not re.search(_EARLIER, said.small):
            yield from _count(said, facts.label_count)
            yield from _names(said, facts)


def _count(said: Statement, count: Fact) -> Iterator[Claim]:
    if re.search(_OF_DATA, said.small) or (re.search(_ENTITIES, said.small) and not re.search(_LABELS, said.small)):
        return
    named = said.counted.get("labels")
    if named is not None:
        figure = named.figure
    else:
        figure = next(
            (
                each
                for each in figures_in(said.small)
                if each.value >= 2
                and (re.match(_BEHIND, said.small[each.end :]) or re.search(_TELLS_APART, said.small[: each.start]))
            ),
            None,
        )
    if figure is not None:
        yield claim_of("labels", *said.at(figure.start), count, figure.value == count.value)
    elif (binary := re.search(_BINARY, said.small)) is not None:
        yield claim_of("labels", *said.at(binary.start()), count, count.value == 2)


def _names(said: Statement, facts: ModelFacts) -> Iterator[Claim]:
    listed, start = _list_in(said.small)
    names = [name for each in re.split(_SEPARATORS, listed.split("。")[0]) if (name := _bare(each))]
    if not 2 <= len(names) <= 200 or any(len(name) > 40 or name.isdigit() for name in names):
        return
    own = {_bare(label.casefold()) for label in facts.labels}
    own |= {_bare(label.casefold().partition("-")[2]) for label in facts.labels}
    fact = Fact(value=", ".join(facts.labels)[:200], file="config.json") if facts.labels else None
    yield claim_of("labels", *said.at(start), fact, all(name in own for name in names))


def _list_in(text: str) -> tuple[str, int]:
    """The names of the classes where a statement lists them, with commas between them, and where they begin."""
    mapped = list(re.finditer(_MAPPED, text))
    if len(mapped) > 1:
        return ",".join(each.group(1) for each in mapped), mapped[0].start(1)
    match = re.search(_LISTED_AFTER_COUNT, text) or re.search(_LISTED, text)
    if match is None or re.match(_COUNT_FIRST, match.group(match.lastindex or 0)):
        return "", 0
    return match.group(match.lastindex or 0), match.start(match.lastindex or 0)


def _bare(name: str) -> str:
    return re.sub(r"(?:です|ます)$", "", name.strip(" .。`'\"()「」")).strip(" 「」")
