"""A card's text as statements: what it says of the model itself, and not of other models or of training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from tools.cards.attribution import OwnNames, goes_on, speaks_of_another
from tools.cards.blocks import Block
from tools.cards.prose import Paragraph, paragraphs_of, plain_text
from tools.cards.quantities import Counted, counted_in
from tools.cards.units import Quantity
from tools.cards.words import WordList, spaced_words

_LONGEST_CLAUSE = 400
_CLAUSE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)|(?<=[。;])|(?:、|,)?(?:一方|ただし|なお)(?:で)?(?:、|,)")
# What stands under such a heading is about how the model came about, or what it was held against.
_ELSEWHERE = WordList(
    "train|provenance|origin| data | dataset| corpus |evaluat| result|benchmark| compar|leaderboard|ablation|sampling| faq |questions",
    " tips | performance |history|change| versions |release notes|what s new|whats new|limitation| risk| bias|caveat|known problem",
    "known issue| weak|cannot|out of scope| serving | quant | quants | quantized | gguf | was made |deploy| setup | set up |background",
    "citation|related|hyperparameter|hyper parameter|environment|recommend",
    "学習|訓練|データ|コーパス|評価|結果|性能|比較|違い|ベンチマーク|履歴|更新|変更|改訂|制限|限界|注意|リスク|倫理|バイアス|問題|背景|引用|環境|設定",
    "できない|先行|前身|関係|経緯|試作|苦手|不得意|量子化|質問|作り方|メモ",
)
_ITSELF = WordList(
    "model detail|model summary|model size|model description|model spec|architecture|specification|key facts|overview",
    "モデル詳細|モデルの詳細|モデル概要|モデルの概要|モデル情報|モデルの情報|仕様|諸元|基本情報|構造|このモデル|トークナイザ",
)
_NOT_ITSELF = WordList("compar|比較|train|学習")
_OF_DATA = WordList(
    "train|data|corpus| code |citation|related|compar|background|学習|訓練|データ|コーパス|比較|背景|引用|先行"
)
_LICENCE = WordList("licens|licenc|ライセンス")


@dataclass(frozen=True)
class Statement:
    """One clause of a card that speaks of the model itself."""

    text: str
    """The clause without markup, with full-width letters and figures made plain."""
    places: tuple[tuple[int, int, str], ...]
    """Where in the clause each line of the card begins, its number, and the line itself. Untrusted text."""
    names_another: bool = False
    """Whether it names another model, so that its figures can be the other's."""
    aside: bool = False
    """Whether it stands under a heading about something else, such as questions, where only a licence counts."""

    @cached_property
    def small(self) -> str:
        """The clause in small letters, each at its place."""
        return small_letters(self.text)

    @cached_property
    def counted(self) -> dict[Quantity, Counted]:
        """What the figures of the clause count."""
        return counted_in(self.small)

    def at(self, position: int) -> tuple[int, str]:
        """Number and text of the line that a position of the clause stands in."""
        _, number, line = next((each for each in reversed(self.places) if each[0] <= position), self.places[0])
        return number, line


def small_letters(text: str) -> str:
    """A text in small letters and of the same length."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(each.lower()[:1] for each in text)


def statements_of(blocks: list[Block], own_names: tuple[str, ...]) -> tuple[Statement, ...]:
    """The clauses of a card that speak of the model itself.

    Left out are code, what tables say of other models, sections about training, data, results and limits, and what a
    clause says of a model that it compares with; clauses that name another model are marked.

    Args:
        blocks: The card, cut at its headings.
        own_names: Names of this model, which do not count as those of another.

    Returns:
        The statements in their order.
    """
    names = OwnNames(own_names)
    return tuple(
        statement
        for block, about_itself in _whether_about_itself(blocks)
        for statement in _statements_of_block(block, names, about_itself=about_itself)
    )


def _statements_of_block(block: Block, names: OwnNames, *, about_itself: bool) -> Iterator[Statement]:
    for paragraph in paragraphs_of(block, names.are_in_cell, about_itself=about_itself):
        yield from _statements(paragraph, names)
    if not about_itself and not _OF_DATA.are_in(spaced_words(block.plain_heading)):
        lines = [each for each in block.body if _LICENCE.are_in(each[1].lower()) and each[1].count("|") < 2]
        for paragraph in (
            paragraphs_of(replace(block, body=lines), names.are_in_cell, about_itself=True) if lines else ()
        ):
            yield from (replace(statement, aside=True) for statement in _statements(paragraph, names))


def _statements(paragraph: Paragraph, names: OwnNames) -> Iterator[Statement]:
    of_another = False
    for text, places in _clauses(paragraph):
        small = small_letters(text)
        if of_another and goes_on(small):
            continue
        place = 0 if names.is_about_another(text) else names.name_of_another(small)
        of_another = speaks_of_another(small, place)
        end = names.own_part(small)
        if end:
            yield Statement(text[:end], places, place is not None and place < end)


def _whether_about_itself(blocks: list[Block]) -> Iterator[tuple[Block, bool]]:
    """Blocks, and whether they are about the model; one under a smaller heading that says nothing of it goes with the larger."""
    headings = [(0, False)]
    for block in blocks:
        if block.level:
            _enter(headings, block)
        yield block, not headings[-1][1]


def _enter(headings: list[tuple[int, bool]], block: Block) -> None:
    while len(headings) > 1 and headings[-1][0] >= block.level:
        headings.pop()
    title = spaced_words(plain_text(block.heading).lower()).replace("データ型", "型")
    elsewhere = headings[-1][1] or _ELSEWHERE.are_in(title)
    if _ITSELF.are_in(title) and not _NOT_ITSELF.are_in(title):
        elsewhere = False
    headings.append((block.level, elsewhere and block.level > 1))


def _clauses(paragraph: Paragraph) -> Iterator[tuple[str, tuple[tuple[int, int, str], ...]]]:
    start = 0
    ends = [(found.start(), found.end()) for found in _CLAUSE_END.finditer(paragraph.text)]
    for end, following in (*ends, (len(paragraph.text), 0)):
        text = paragraph.text[start:end][:_LONGEST_CLAUSE]
        if text.strip():
            yield text, tuple((max(0, at - start), number, line) for at, number, line in paragraph.places if at < end)
        start = following
