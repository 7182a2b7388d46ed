"""A card's text as statements: what it says of the model itself, and not of other models or of training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tools.cards.blocks import Block
from tools.cards.prose import Paragraph, paragraphs_of, plain_text

_LONGEST_CLAUSE = 400
_CLAUSE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)|(?<=[。;])|(?:、|,)?(?:一方|ただし|なお)(?:で)?(?:、|,)")
# What stands under such a heading is about how the model came about, or what it was held against.
_ELSEWHERE = re.compile(
    r"train(?!able)|provenance|origin|\bdata\b|\bdatasets?\b|\bcorpus\b|evaluat|\bresults?\b|benchmark|\bcompar|"
    r"leaderboard|ablation|sampling|\bfaq\b|\btips\b|\bperformance\b|history|changelog|"
    r"release notes|what'?s new|limitation|\brisks?\b|\bbias|caveat|known (?:problem|issue)|\bweak|cannot|"
    r"out[- ]of[- ]scope|\bserving\b|"
    r"deploy|set-?up\b|background|citation|related|hyper-?parameters|environment|recommend|"
    r"学習|訓練|データ(?!型)|コーパス|評価|結果|性能|比較|違い|ベンチマーク|履歴|更新|制限|限界|注意|リスク|倫理|バイアス|問題|背景|引用|環境|設定|できない|先行|前身|関係|経緯|試作|苦手|不得意|"
    r"メモ",
    re.IGNORECASE,
)
_ITSELF = re.compile(
    r"model (?:details?|summary|size|architecture|description|spec)|architecture|specification|key facts|overview|"
    r"モデル(?:の)?(?:詳細|概要|情報|仕様)|仕様|諸元|基本情報|構造|このモデル|トークナイザ",
    re.IGNORECASE,
)
_NOT_ITSELF = re.compile(r"compar|比較|train|学習", re.IGNORECASE)
_OTHERS = re.compile(
    r"\bunlike\b|\bcompar(?:ed|ing|ison)\b|\bversus\b|\bvs\b|\bthan\b|\bwhereas\b|\b(?:larg|bigg)(?:er|est)\b|"
    r"\bsiblings?\b|\bteacher\b|"
    r"\b(?:other|another|last|previous|earlier|original|older|full-size)(?:\s+\w+)?\s+(?:models?|versions?|checkpoints?|"
    r"releases?|variants?)\b|"
    r"\bbaselines?\b|\b(?:a|another|one) (?:\w+ )?variant\b|\bharness\b|\bevaluated?\b|\bfilter(?:s|ed|ing)?\b|"
    r"\b(?:reviewer|judge|reward|annotat\w+)\b|\binitiali[sz]ed\b|\bdistill(?:ed|ation)\b|"
    r"教師|試作|初期の|最初の|先行モデル|前身|旧モデル|他の|ほかの|他社|別の|前の版|旧版|以前の|元のモデルは\s*[0-9]|より(?:も)?(?:小さ|大き|低|高)|と比べ|に比べ|とは異な|大きなモデル|"
    r"同じ系列",
    re.IGNORECASE,
)
_FAMILIES = (
    "bert|roberta|electra|deberta|albert|gpt|llama|qwen|mistral|mixtral|gemma|phi|falcon|starcoder|labse|e5|bge|gte|mpnet|minilm|"
    "t5|bart|bloom|opt|vit|clip|whisper|mamba|deepseek|yi|olmo|command-r|xlm|distilbert|modernbert"
)
_OTHER_MODEL = re.compile(
    rf"(?<![\w/.-])(?:[\w.-]+/)?(?:[a-z]{{0,8}}-)?(?:{_FAMILIES})[\w.]*(?:[- ](?:v?\d[\w.]*|base|large|small|tiny|"
    rf"mini|xl|medium)\b)+",
    re.IGNORECASE,
)
_LONGER_INPUT = re.compile(r"\b(?:longer|more) than\b.{0,40}(?:tokens?|pieces)", re.IGNORECASE)
_UNNAMED = {"labse", "gpt-2", "mpnet", "distilbert"}


@dataclass(frozen=True)
class Statement:
    """One clause of a card that speaks of the model itself."""

    text: str
    """The clause without markup, with full-width letters and figures made plain."""
    places: tuple[tuple[int, int, str], ...]
    """Where in the clause each line of the card begins, its number, and the line itself. Untrusted text."""
    names_another: bool = False
    """Whether it names another model, so that its figures can be the other's."""

    def at(self, position: int) -> tuple[int, str]:
        """Number and text of the line that a position of the clause stands in."""
        _, number, line = next((each for each in reversed(self.places) if each[0] <= position), self.places[0])
        return number, line


def statements_of(blocks: list[Block], own_names: tuple[str, ...]) -> tuple[Statement, ...]:
    """The clauses of a card that speak of the model itself.

    Left out are code, tables that compare models, sections about training, data, results and limits, and clauses
    that compare; clauses that name another model are marked.

    Args:
        blocks: The card, cut at its headings.
        own_names: Names of this model, which do not count as those of another.

    Returns:
        The statements in their order.
    """
    own = {_letters(name) for name in own_names if name}
    return tuple(
        Statement(text, places, _names_another(text, own))
        for block in _about_itself(blocks)
        for paragraph in paragraphs_of(block)
        for text, places in _clauses(paragraph)
        if not _compares(text)
    )


def _about_itself(blocks: list[Block]) -> Iterator[Block]:
    """Blocks about the model; one under a smaller heading that says nothing of it goes with the larger."""
    headings = [(0, False)]
    for block in blocks:
        if block.level:
            _enter(headings, block)
        if not headings[-1][1]:
            yield block


def _enter(headings: list[tuple[int, bool]], block: Block) -> None:
    while len(headings) > 1 and headings[-1][0] >= block.level:
        headings.pop()
    title = plain_text(block.heading)
    elsewhere = headings[-1][1] or _ELSEWHERE.search(title) is not None
    if _ITSELF.search(title) and not _NOT_ITSELF.search(title):
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


def _compares(clause: str) -> bool:
    return _OTHERS.search(clause) is not None and _LONGER_INPUT.search(clause) is None


def _names_another(clause: str, own: set[str]) -> bool:
    if any(_word(name).search(clause) for name in _UNNAMED - own):
        return True
    named = [_letters(found.group()) for found in _OTHER_MODEL.finditer(clause)]
    return any(not any(name in each or each in name for each in own) for name in named)


@cache
def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){name}(?![\w-])", re.IGNORECASE)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold().rpartition("/")[2])
