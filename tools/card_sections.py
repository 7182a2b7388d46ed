"""The sections of the annotated model card template, found under English and Japanese headings."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict


class CardSection(BaseModel):
    """One section of the annotated model card template and its state in this card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the section in the template, in English, for example `Bias, risks and limitations`."""
    state: Literal["filled", "unfilled", "missing"]
    """filled: has content · unfilled: the heading is there, the content is not · missing: no such heading."""
    lines: tuple[str, ...]
    """Up to three lines quoted from the section, the heading first; empty when missing. Untrusted text."""
    line_numbers: tuple[int, ...]
    """Line numbers of the quoted lines in the card, from 1."""


class _Expected(NamedTuple):
    name: str
    weight: float
    headings: str


class _Block(NamedTuple):
    level: int
    heading: str
    line: int
    body: list[tuple[int, str]]


LIMITATIONS = "Bias, risks and limitations"
"""The section whose absence matters most when nothing else is known."""

# Weights: what a reuser decides by counts most.
_EXPECTED = (
    _Expected("Model details", 2, r"(?:model|key|technical)? ?(?:details|description|summary|overview|information|introduction|card|facts)|introduction|overview|"
              r"about(?: (?:this model|the model))?|at a glance|background|highlights|モデル(?:の)?(?:詳細|概要|説明|情報|紹介)|概要|はじめに|基本情報|"
              r"(?:この|本)モデルについて"),
    _Expected("Direct use", 4, r"(?:intended|direct) uses?(?: (?:&|and) limitations)?|what it (?:is|can be used) for|primary (?:intended )?uses?|できること.*|(?:主な|直接の|想定する)?用途(?:と限界)?|利用目的|uses?|use cases?|intended (?:use|uses|usage).*|applications?|用途|想定(?:される)?(?:用途|利用)|"
              r"直接(?:的な)?利用|ユースケース"),
    _Expected("Downstream use", 1, r"downstream uses?|fine-?tuning (?:guide|this model)|secondary uses?|下流.*|応用.*|組み込んでの用途"),
    _Expected("Out-of-scope use", 3, r"out[- ]of[- ]scope.*|misuse.*|prohibited.*|(?:uses? )?not (?:intended|recommended|supported).*|what it (?:cannot|can't|should not) .*|"
              r"(?:対象|想定|範囲|適用)外.*|禁止.*|してはいけない.*|使うべきでない.*"),
    _Expected(LIMITATIONS, 5, r".*\b(?:limitations?|biases|bias|risks?|limits)\b.*|.*\b(?:safety|caveats|ethical|weaknesses|fairness)\b.*|"
              r"known (?:problems?|issues?|weaknesses)|weak points|failure modes?|.*(?:制限|限界|バイアス|リスク|注意(?:点|事項)|"
              r"倫理|安全性).*"),
    _Expected("Recommendations", 1, r"recommendations?|best practices|推奨(?:事項|設定)?|おすすめ.*"),
    _Expected("How to get started", 2, r"how to (?:get started|use|run).*|(?:quick ?start|getting started|usage|get started|example).*|inference.*|"
              r"使い方.*|使い始め方|使用(?:方法|例).*|利用(?:方法|例).*|実行(?:方法|例).*|推論.*|クイックスタート|コード例|サンプルコード"),
    _Expected("Training data", 4, r"(?:pre-?|post-?|fine-?tuning )?(?:training)? ?(?:data|datasets?|corpus|corpora)(?: (?:used|sources?|mix(?:ture)?))?|where the data came from|(?:学習|訓練|事前学習)(?:用)?(?:データ|コーパス).*|"
              r"(?:使用)?データ(?:セット)?|コーパス"),
    _Expected("Training procedure", 2, r"training(?: (?:procedure|details|process|regime|hyperparameters))?|(?:pre|post)-?training|fine-?tuning|"
              r"hyper-?\s?parameters?|how (?:we|it was) trained.*|(?:事前|追加)?(?:学習|訓練)(?:手順|方法|設定|(?:の)?(?:詳細|手順|方法|設定|概要))?|ハイパーパラメータ"),
    _Expected("Testing data and metrics", 2, r"testing data.*|test(?:ing)? (?:set|data)|metrics|factors|evaluation (?:data|setup|protocol|metrics)|"
              r"評価(?:の)?(?:データ|指標|方法|条件).*|テストデータ.*"),
    _Expected("Evaluation results", 4, r"(?:evaluation|results?|benchmarks?|performance|model performance|accuracy|scores?)(?: results?)?.*|評価(?:結果|スコア)?|結果|ベンチマーク.*|性能.*|精度.*"),
    _Expected("Model examination", 1, r"model examination|interpretability|explainability|モデルの検証|説明可能性"),
    _Expected("Environmental impact", 1, r"environmental impact|carbon.*|co2.*|energy.*|環境(?:への)?(?:影響|負荷)|炭素.*"),
    _Expected("Technical specifications", 1, r"technical spec.*|(?:model )?architecture.*|full model architecture|specifications?|model (?:specs?|configuration)|技術仕様|(?:モデル)?(?:の)?(?:構造|アーキテクチャ|仕様|構成)|諸元"),
    _Expected("Citation", 1, r"citations?.*|citing.*|references?|bibtex.*|引用.*|参考文献"),
    _Expected("Glossary", 0.5, r"glossary|用語(?:集)?"),
    _Expected("More information", 0.5, r"more information|further information|links|resources|詳細情報|関連情報|リンク"),
    _Expected("Model card authors", 1, r"(?:model card )?authors?|acknowledge?ments?|(?:モデル)?(?:カード)?(?:の)?(?:著者|作成者|開発者|執筆者)|謝辞"),
    _Expected("Model card contact", 1, r"(?:model card )?contacts?(?: us)?|feedback|support|(?:お)?問い?合わ?せ.*|連絡先"),
)  # fmt: skip
SECTION_WEIGHTS: dict[str, float] = {each.name: each.weight for each in _EXPECTED}
"""The template's sections in its order, each with its weight when nothing is known of the use."""
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*\Z")
_BOLD_HEADING = re.compile(
    r"\s{0,3}(?:<)?(\*\*|__|h[1-6](?=[ >]))(?:[^>*]*>)?\s*([^*_<>]{2,60}?)[:：]?\s*(?:\*\*|__|</h[1-6]>)[:：]?\s*\Z"
)
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_DECORATION = re.compile(r"[*_`#:\[\]]|\([^)]*\)|<[^>]*>|[^\w\s,&/.\-+()\u3040-\u30ff\u4e00-\u9fff]")
_NUMBERING = re.compile(r"^[\d.]+\s+")
_PLACEHOLDER = re.compile(
    r"\[?\s*(?:more information needed|needs? more information|to be (?:added|completed|determined|filled).*|todo|tbd|coming soon|n/?a|fill (?:this|me).*|"
    r"記載予定|準備中|未記入|未定|追記予定|要追記|more details needed|information needed)\s*\]?\.?|\{\{.*?\}\}|\[optional\]|\.\.\.",
    re.IGNORECASE,
)
_FIELD = re.compile(r"^\s*[-*+]?\s*\*{0,2}[^:*]{1,60}:\*{0,2}\s*")
_QUOTED_LINES = 3
_QUOTED_CHARACTERS = 240


def find_sections(text: str, first_line: int = 1) -> tuple[CardSection, ...]:
    """Find the template's sections in a card.

    Args:
        text: The card without its front matter.
        first_line: Line number of its first line in the file.

    Returns:
        All sections of the template, in its order.
    """
    blocks = _blocks(text, first_line)
    return tuple(_section(expected, blocks) for expected in _EXPECTED)


def completeness(sections: tuple[CardSection, ...]) -> float:
    """Weighted share of filled sections, 0 to 1."""
    filled = sum(SECTION_WEIGHTS[section.name] for section in sections if section.state == "filled")
    return round(filled / sum(SECTION_WEIGHTS.values()), 3)


def _blocks(text: str, first_line: int) -> list[_Block]:
    """The card cut at its headings; headings inside code and comments are text."""
    blocks = [_Block(0, "", first_line, [])]
    fence = ""
    lines = _without_comments(text).split("\n")
    for offset, line in enumerate(lines):
        number = first_line + offset
        mark = _FENCE.match(line)
        if mark is not None and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)[:3]
        heading = (_HEADING.match(line) or _BOLD_HEADING.match(line)) if not fence else None
        underlined = re.fullmatch(r"\s{0,3}(=+|-{3,})\s*", line) is not None and not fence
        if heading is not None:
            blocks.append(_Block(_level(heading.group(1)), heading.group(2), number, []))
        elif (
            underlined
            and blocks[-1].body
            and blocks[-1].body[-1][1].strip()
            and blocks[-1].body[-1][0] == number - 1
            and "|" not in blocks[-1].body[-1][1]
        ):
            above = blocks[-1].body.pop()
            blocks.append(_Block(1 if "=" in line else 2, above[1].strip(), above[0], []))
        else:
            blocks[-1].body.append((number, line))
    return blocks


def _level(mark: str) -> int:
    """Level of a heading; a line in bold letters stands below all others."""
    return len(mark) if mark.startswith("#") else int(mark[1]) if mark.startswith("h") else 7


def _without_comments(text: str) -> str:
    return re.sub(r"<!--.*?-->", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL)


def _section(expected: _Expected, blocks: list[_Block]) -> CardSection:
    matches = [index for index, block in enumerate(blocks) if block.heading and _is_about(block.heading, expected)]
    states = [(index, _content(blocks, index)) for index in matches]
    filled = next(((index, content) for index, content in states if content), None)
    if filled is None and expected.name == "Model details":
        filled = _title_text(blocks)
    if filled is not None:
        return _found(expected.name, "filled", blocks[filled[0]], filled[1])
    if states:
        return _found(expected.name, "unfilled", blocks[states[0][0]], _written(blocks[states[0][0]].body))
    return CardSection(name=expected.name, state="missing", lines=(), line_numbers=())


def _is_about(heading: str, expected: _Expected) -> bool:
    plain = _NUMBERING.sub("", " ".join(_DECORATION.sub(" ", heading).split())).casefold()
    return re.fullmatch(expected.headings, plain) is not None


def _title_text(blocks: list[_Block]) -> tuple[int, list[tuple[int, str]]] | None:
    """A card that starts with a title and some sentences describes the model there."""
    index = 1 if len(blocks) > 1 and blocks[1].level == 1 else 0
    content = [line for line in _filled_lines(blocks[index].body) if len(line[1].strip()) >= 40]
    return (index, content) if content else None


def _content(blocks: list[_Block], index: int) -> list[tuple[int, str]]:
    """Filled lines of a block and of the smaller headings below it."""
    content = _filled_lines(blocks[index].body)
    for block in blocks[index + 1 :]:
        if block.level <= blocks[index].level:
            break
        content += _filled_lines(block.body)
    return content


def _filled_lines(body: list[tuple[int, str]]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for number, line in body:
        without = _PLACEHOLDER.sub("", line)
        said = _FIELD.sub("", without) if without != line else without
        if len(re.sub(r"[\W_]", "", said)) >= 2:
            found.append((number, line))
    return found


def _written(body: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(number, line) for number, line in body if line.strip()]


def _found(
    name: str, state: Literal["filled", "unfilled"], block: _Block, content: list[tuple[int, str]]
) -> CardSection:
    quoted = [(block.line, block.heading)] if block.heading else []
    quoted = (quoted + [each for each in content if not each[1].lstrip().startswith(("```", "~~~"))])[:_QUOTED_LINES]
    return CardSection(
        name=name,
        state=state,
        lines=tuple(quote_line(line) for _number, line in quoted),
        line_numbers=tuple(number for number, _line in quoted),
    )


def quote_line(line: str) -> str:
    """A line of the card made safe to show."""
    shown = "".join(each if each.isprintable() else " " for each in line).strip()
    return shown if len(shown) <= _QUOTED_CHARACTERS else shown[:_QUOTED_CHARACTERS] + "…"
