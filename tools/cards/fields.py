"""What a field of a card is about, by its name: `Params: 22.7M`, `ctx: 8192`, `語彙サイズ: 32,768`."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.cards.units import Quantity
from tools.cards.words import WordList

_FIELD = re.compile(r"\W*([^:=]{1,48}?)\s*[:=]")
_WORD = re.compile(r"[a-z][a-z_'-]*")
_SCALE = re.compile(r"\(\D{0,8}?(?:(m|million|millions)|(b|billion|billions)|(k|thousand|thousands))\)")
_JAPANESE = "\u3040"
_OF_TRAINING = WordList("学習|訓練|バッチ|平均|推奨|生成|ファイル|件数|時間|速度|層数|ヘッド|出力長|出力トークン")
_JAPANESE_NAMES: tuple[tuple[WordList, Quantity], ...] = (
    (WordList("語彙"), "vocabulary"),
    (WordList("パラメータ|規模|モデルサイズ"), "parameters"),
    (WordList("クラス数|ラベル数|カテゴリ数|カテゴリー数|分類数"), "labels"),
    (WordList("次元|隠れ層の幅|隠れ層幅|隠れ層のサイズ|隠れ層サイズ"), "width"),
    (WordList("コンテキスト|文脈|系列長|シーケンス|入力|最大長|トークン長|トークン数"), "length"),
)
_NAMES: dict[Quantity, str] = {
    "parameters": "params|param|parameters|parameter|num_params|n_params|num_parameters|weights",
    "length": "context|ctx|seq|sequence|seqlen|seq_len|max_position_embeddings|n_ctx|n_positions|max_seq_length|max_length|"
    "max_seq_len|window|input|length|len|prompt",
    "width": "hidden|hidden_size|dim|dims|dimension|dimensions|dimensionality|d_model|n_embd|width|embedding|embeddings|vector|"
    "vectors",
    "vocabulary": "vocab|vocabulary|vocab_size",
    "labels": "labels|classes|categories|num_labels|tags",
}
_QUANTITY_OF: dict[str, Quantity] = {word: quantity for quantity, words in _NAMES.items() for word in words.split("|")}
_NEUTRAL_WORDS = (
    "a|an|and|approx|approximate|at|b|checkpoint|count|d|entries|exact|full|in|is|its|k|learnable|learned|limit|long|longest|m|max|"
    "maximum|model|most|native|no|num|number|of|our|output|overall|per|pieces|quantity|size|supported|text|the|this|to|token|"
    "tokens|total|trainable|unique|up|wordpieces"
)
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split("|"))
_SIZE_WORDS = frozenset({"size", "model", "total", "of", "the"})


class Field(NamedTuple):
    """A name with the place where its value begins."""

    quantity: Quantity
    """What the value counts."""
    start: int
    """Where the value begins."""
    scale: float
    """What the value is counted in, such as a million for `Params (M)`."""
    needs_scale: bool
    """Whether the name could stand for bytes as well, so that a value without `M` or `B` is none."""


def field_of(text: str) -> Field | None:
    """The field that a line is, by its name.

    Args:
        text: The line in small letters.

    Returns:
        The field; None when the line is none, or its name has a word that is not known.
    """
    found = _FIELD.match(text)
    if found is None:
        return None
    name = found.group(1)
    scaled = _SCALE.search(name)
    scale = (1e6, 1e9, 1e3)[(scaled.lastindex or 1) - 1] if scaled is not None else 1.0
    quantity = _in_japanese(name) if max(name) >= _JAPANESE else _in_english(name)
    if quantity is None:
        return None
    return Field(
        quantity, found.end(), scale, quantity == "parameters" and "param" not in name and "パラメ" not in name
    )


def _in_japanese(name: str) -> Quantity | None:
    if _OF_TRAINING.are_in(name.replace("学習可能", "")):
        return None
    for words, quantity in _JAPANESE_NAMES:
        if words.are_in(name):
            return quantity
    return "parameters" if name.strip() == "サイズ" else None


def _in_english(name: str) -> Quantity | None:
    words = _WORD.findall(name)
    if any(word not in _QUANTITY_OF and word not in _NEUTRAL for word in words):
        return None
    quantities: set[Quantity] = {_QUANTITY_OF[word] for word in words if word in _QUANTITY_OF}
    if "vocabulary" in quantities:
        return "vocabulary"
    if not quantities and "size" in words and _SIZE_WORDS.issuperset(words):
        return "parameters"
    if len(quantities) != 1 or ("length" in quantities and "output" in words):
        return None
    return quantities.pop()
