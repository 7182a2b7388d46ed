"""A card's text as statements: what it says of the model itself, apart from what it says of others, of training and in code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tools.card_blocks import LONGEST_LINE

_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*\Z")
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-{3,})\s*\Z")
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\Z")
_LONGEST_CLAUSE = 400
_NO_FIGURE = re.compile(r"\d{20,}")  # more digits than any size has, and slow to search
_MARKUP = re.compile(r"[*`]+|</?[a-zA-Z][^>]{0,200}>|(?<=\])\([^)]*\)|[\[\]]|\b__|__\b")
_CLAUSE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)|(?<=[。;])|(?:、|,)?(?:一方|ただし|なお)(?:で)?(?:、|,)")
# What stands under such a heading is about other things than the model as it is: how it came about, or what it was held against.
_ELSEWHERE = re.compile(
    r"\btrain|\bdata\b|\bdatasets?\b|\bcorpus\b|evaluat|\bresults?\b|benchmark|\bcompar|leaderboard|\bperformance\b|history|changelog|"
    r"release notes|what'?s new|limitation|\brisks?\b|\bbias|caveat|known (?:problem|issue)|\bweak|cannot|out[- ]of[- ]scope|\bserving\b|"
    r"deploy|set-?up\b|background|citation|related|hyper-?parameters|environment|recommend|"
    r"学習|訓練|データ(?!型)|コーパス|評価|結果|性能|比較|違い|ベンチマーク|履歴|更新|制限|限界|注意|リスク|倫理|バイアス|問題|背景|引用|環境|設定|できない|先行|前身|関係",
    re.IGNORECASE,
)
_ITSELF = re.compile(
    r"model (?:details?|summary|size|architecture|description|spec)|architecture|specification|key facts|overview|"
    r"モデル(?:の)?(?:詳細|概要|情報|仕様)|仕様|諸元|基本情報|構造|このモデル|トークナイザ",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\bunlike\b|\bcompar(?:ed|ing|ison)\b|\bversus\b|\bvs\b|\bthan\b|\bwhereas\b|\b(?:larg|bigg)(?:er|est)\b|\bsiblings?\b|\bteacher\b|"
    r"\b(?:other|another|previous|earlier|original|older|full-size)(?:\s+\w+)?\s+(?:models?|versions?|checkpoints?|releases?|variants?)\b|"
    r"\bbaselines?\b|\binitiali[sz]ed\b|\bdistill(?:ed|ation)\b|"
    r"教師|先行モデル|前身|旧モデル|他の|ほかの|他社|別の|前の版|旧版|以前の|元のモデルは\s*[0-9]|より(?:も)?(?:小さ|大き|低|高)|と比べ|に比べ|とは異な|大きなモデル|同じ系列",
    re.IGNORECASE,
)
_FAMILIES = (
    "bert|roberta|electra|deberta|albert|gpt|llama|qwen|mistral|mixtral|gemma|phi|falcon|starcoder|labse|e5|bge|gte|mpnet|minilm|"
    "t5|bart|bloom|opt|vit|clip|whisper|mamba|deepseek|yi|olmo|command-r|xlm|distilbert|modernbert"
)
_OTHER_MODEL = re.compile(
    rf"(?<![\w/.-])(?:[\w.-]+/)?(?:[a-z]{{0,8}}-)?(?:{_FAMILIES})[\w.]*(?:[- ](?:v?\d[\w.]*|base|large|small|tiny|mini|xl|medium)\b)+",
    re.IGNORECASE,
)
_LONGER_INPUT = re.compile(r"\b(?:longer|more) than\b.{0,40}(?:tokens?|pieces)", re.IGNORECASE)
_UNNAMED = {"labse", "gpt-2", "mpnet", "distilbert"}


@dataclass(frozen=True)
class Statement:
    """One clause of a card that speaks of the model itself."""

    line: int
    """Line of the card, from 1."""
    quote: str
    """The line as it is written. Untrusted text."""
    text: str
    """The clause without markup, with full-width letters and figures made plain."""
    names_another: bool = False
    """Whether it names another model, so that its figures can be the other's."""


def statements_of(lines: list[tuple[int, str]], own_names: tuple[str, ...]) -> tuple[Statement, ...]:
    """The clauses of a card that speak of the model itself.

    Left out are code, tables that compare several models, sections about training, data, results and limits, and clauses
    that compare; clauses that name another model are marked.

    Args:
        lines: The card's text with line numbers.
        own_names: Names of this model, which do not count as those of another.

    Returns:
        The statements in their order.
    """
    own = {_letters(name) for name in own_names if name}
    return tuple(
        Statement(number, line, clause, _names_another(clause, own))
        for number, line, plain in _prose(lines)
        for clause in _clauses(plain)
        if not _compares(clause)
    )


def plain_text(line: str) -> str:
    """A line without markup, its full-width letters and figures made plain."""
    plain = _MARKUP.sub("", unicodedata.normalize("NFKC", line[:LONGEST_LINE]))
    return " ".join(_NO_FIGURE.sub("", plain).split())


def _prose(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """Lines outside of code that stand in a section about the model; rows of two columns as `name: value`."""
    fence, headings = "", [(0, False)]
    columns, comment = 0, False
    for index, (number, line) in enumerate(lines):
        line = line[:LONGEST_LINE]
        mark = _FENCE.match(line)
        if mark is not None and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)[:3]
            continue
        comment = "<!--" in line if not comment else "-->" not in line
        if fence or comment or line.startswith(("    ", "\t")) and not line.lstrip().startswith(("-", "*", "+")):
            continue
        level, title = _heading(lines, index)
        if level:
            _enter(headings, level, title)
            columns = 0
        elif not headings[-1][1]:
            columns, text = _row(line, columns)
            if text:
                yield number, line, text


def _heading(lines: list[tuple[int, str]], index: int) -> tuple[int, str]:
    """Level and title of a heading; level 0 for other lines."""
    line = lines[index][1][:LONGEST_LINE]
    found = _HEADING.match(line)
    if found is not None:
        return len(found.group(1)), found.group(2)
    below = lines[index + 1][1] if index + 1 < len(lines) else ""
    if line.strip() and "|" not in line and len(line) < 80 and _UNDERLINE.match(below):
        return (1 if "=" in below else 2), line.strip()
    return 0, ""


def _enter(headings: list[tuple[int, bool]], level: int, title: str) -> None:
    """Note whether what follows is about the model; a smaller heading that says nothing of it inherits."""
    while len(headings) > 1 and headings[-1][0] >= level:
        headings.pop()
    plain = plain_text(title)
    elsewhere = headings[-1][1]
    if _ELSEWHERE.search(plain):
        elsewhere = True
    if _ITSELF.search(plain) and not re.search(r"compar|比較|train|学習", plain, re.IGNORECASE):
        elsewhere = False
    headings.append((level, elsewhere and level > 1))


def _row(line: str, columns: int) -> tuple[int, str]:
    """Columns of the table the line stands in, 0 outside of one, and what the line says."""
    if line.count("|") < 2:
        return 0, plain_text(line)
    cells = [plain_text(cell) for cell in line.strip().strip("|").split("|")]
    columns = columns or len(cells)
    if columns != 2 or len(cells) != 2 or _TABLE_RULE.match(line):
        return columns, ""
    return columns, f"{cells[0]}: {cells[1]}"


def _clauses(text: str) -> list[str]:
    return [clause.strip()[:_LONGEST_CLAUSE] for clause in _CLAUSE_END.split(text) if clause and clause.strip()]


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
