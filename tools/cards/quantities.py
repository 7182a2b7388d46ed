"""What each figure of a clause counts: parameters, tokens of the input, dimensions or pieces of a vocabulary."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.cards.fields import Field, Quantity, field_of
from tools.cards.figures import Figure, figures_in

# What stands right behind a figure says what it counts.
_UNIT = re.compile(
    r"[\s-]*(?:個の?)?(?:学習可能な)?(?:(?:trainable|total|model|learnable|unique|consecutive|input)\s+){0,2}(?:"
    r"(?P<parameters>param(?:eter)?s?\b|weights\b|の?パラメータ)|"
    r"(?P<vocabulary>(?:entry |word |token |piece )?vocab|entry\b|entries|pieces|types\b(?! of)|語)|"
    r"(?P<length>word ?-?pieces?|sub-?words?|tokens?|positions\b|トークン|context\b)|"
    r"(?P<width>(?<=-)d\b|dims?\b|dimension|hidden\b|次元|float(?:s|ing)\b)|"
    r"(?P<other>[gkmt]i?b\b|bytes?\b(?![ -](?:level|pair))|bits?\b|ビット|layers?\b|層|heads?\b|%|x\b|px|pixels?|ms\b|seconds?|hours?|epochs?|文|"
    r"characters?|words?\b|[件枚年月日円本冊秒]|gpus?\b))"
)
# A figure without a unit is what the name before it stands for.
_NAME = re.compile(
    r"(?:(?P<parameters>\bparam(?:eter)?s?(?: (?:count|size))?|\bmodel size|パラメータ(?:ー)?(?:の)?(?:数|規模|サイズ)?|規模|モデルサイズ)|"
    r"(?P<vocabulary>vocab(?:ulary)?(?:[ _]size)?|語彙(?:数|サイズ|の大きさ)?)|"
    r"(?P<width>(?:embedding|output|vector)s? (?:size|length)|hidden (?:size|dim)|dim(?:ension)?(?:s|ality)?\b|d_model|\bwidth|次元(?:数)?|"
    r"隠れ層(?:の)?(?:サイズ|幅)|(?:埋め込み|出力|ベクトル)(?:の)?サイズ|(?:embeddings?|vectors?) (?:of|with|is|are|has|have)(?: size| length)?)|"
    r"(?P<length>\bcontext(?: (?:length|window|size))?|(?:sequence|input|prompt) (?:length|size|limit)|max_position_embeddings|"
    r"max_seq_length|max(?:imum|\.)? (?:\w+ )?(?:length|tokens?|window|positions?|embeddings|seq(?:uence)?[ _]len(?:gth)?)|"
    r"(?:コンテキスト|文脈|系列|シーケンス|入力|トークン)(?:の)?(?:最大)?(?:長さ?|ウィンドウ|上限|数|サイズ)(?:の上限|の最大)?|最大長|最大コンテキスト)|"
    r"(?P<labels>number of (?:labels|classes|categories)|num_labels|(?:クラス|ラベル|カテゴリー?|分類)数))"
    r"(?:\s*\((?:total|合計|tokens?)\))?"
    r"(?:[\s:=|~≈*は約がをも、の(]|is|are|was|of|to|at|about|approximately|roughly|around|only|just|some|nearly|really|exactly|the|usual|"
    r"same|total|full|in|with|contains?|holds|has|counts|comprises|有し|持つ|およそ|全部で|合計で?|合わせて)*\Z"
)
_NAME_WITHIN = 60
_BEFORE_VALUE = re.compile(
    r"[\s~≈約(<=]*(?:about|approx\w*\.?|roughly|up to|around|only|最大|合計|全体で|およそ)?\s*\Z"
)
_BECAME = re.compile(r"[^\d、。,;]{0,14}?(?:から|→|->|\bto\b)\s*約?\s*\Z")
_ABOUT_TOKENIZER = re.compile(r"token|vocab|トークナイ|トークン化|語彙|sentence-?piece|word-?piece|sub-?word")
_STANDS_FOR: dict[Quantity, frozenset[str | None]] = {
    "parameters": frozenset({None, "parameters"}), "length": frozenset({None, "length"}), "width": frozenset({None, "width"}),
    "vocabulary": frozenset({None, "vocabulary", "length"}), "labels": frozenset({None}),
}  # fmt: skip


class Counted(NamedTuple):
    """A figure and what it counts."""

    quantity: Quantity
    """What it counts."""
    figure: Figure
    """The figure."""
    value: float
    """Its value, in the scale of its field."""
    by_unit: bool
    """Whether only the word behind it says so, and no name before it."""


def counted_in(text: str) -> dict[Quantity, Counted]:
    """What the figures of a clause count; those that count something else are left out.

    Args:
        text: The clause in small letters.

    Returns:
        One figure of a quantity: the first, or what that one became.
    """
    figures = figures_in(text)
    field = field_of(text) if figures else None
    found: dict[Quantity, Counted] = {}
    last: Counted | None = None
    for figure in figures:
        unit = _UNIT.match(text, figure.end)
        kind = unit.lastgroup if unit is not None else None
        if kind == "other":
            continue
        counted = _by_field(text, figure, field, kind) or _by_words(text, figure, kind)
        if last is not None and _BECAME.match(text[last.figure.end : figure.start]):
            counted = Counted(last.quantity, figure, figure.value, last.by_unit)
            found.pop(last.quantity, None)
        if counted is not None:
            found.setdefault(counted.quantity, counted)
        last = counted
    return found


def _by_field(text: str, figure: Figure, field: Field | None, kind: str | None) -> Counted | None:
    if field is None or kind not in _STANDS_FOR[field.quantity]:
        return None
    if figure.start < field.start or not _BEFORE_VALUE.match(text[field.start : figure.start]):
        return None
    if field.needs_scale and not figure.rounded and kind is None and field.scale == 1.0:
        return None
    return Counted(field.quantity, figure, figure.value * (1.0 if figure.rounded else field.scale), by_unit=False)


def _by_words(text: str, figure: Figure, kind: str | None) -> Counted | None:
    named = _NAME.search(text[max(0, figure.start - _NAME_WITHIN) : figure.start])
    name = named.lastgroup if named is not None else None
    if figure.in_words and name != "labels":
        return None
    if name is not None and kind in _STANDS_FOR[_QUANTITIES[name]]:
        return Counted(_QUANTITIES[name], figure, figure.value, by_unit=False)
    if kind is None or (kind == "vocabulary" and not _ABOUT_TOKENIZER.search(text)):
        return None
    return Counted(_QUANTITIES[kind], figure, figure.value, by_unit=True)


_QUANTITIES: dict[str, Quantity] = {
    "parameters": "parameters",
    "length": "length",
    "width": "width",
    "vocabulary": "vocabulary",
    "labels": "labels",
}
