"""What the words around a figure say it counts: the unit behind it, or the name before it."""

from __future__ import annotations

from itertools import product
from string import punctuation
from typing import Literal

Quantity = Literal["parameters", "length", "width", "vocabulary", "labels"]
Unit = Quantity | Literal["other", "none"]


def _table(*rows: tuple[Unit, str]) -> dict[str, Unit]:
    return {word: unit for unit, words in rows for word in words.split("|")}


_UNITS = _table(
    ("parameters", "param|params|parameter|parameters|weights"),
    ("vocabulary", "vocab|vocabulary|word vocabulary|token vocabulary|piece vocabulary|entry vocabulary|entry|entries|pieces|types"),
    ("length", "wordpiece|wordpieces|word piece|word pieces|subword|subwords|sub word|sub words|token|tokens|positions|context"),
    ("width", "dim|dims|dimension|dimensions|dimensional|hidden|float|floats|floating"),
    ("other", "kb|mb|gb|tb|kib|mib|gib|tib|byte|bytes|bit|bits|layer|layers|head|heads|x|px|pixel|pixels|ms|second|seconds|hour|hours"),
    ("other", "epoch|epochs|character|characters|word|words|gpu|gpus"),
    ("none", "byte level|byte pair|types of"),
)  # fmt: skip
_JAPANESE_UNITS = _table(
    ("parameters", "パラメータ"), ("vocabulary", "語"), ("length", "トークン"), ("width", "次元"),
    ("other", "ビット|層|文|件|枚|年|月|日|円|本|冊|秒"),
)  # fmt: skip
_BEFORE_UNIT = frozenset({"trainable", "total", "model", "learnable", "unique", "consecutive", "input"})
_BEFORE_JAPANESE_UNIT = ("個の", "個", "学習可能な", "の")
_WITHIN = 60

_NAMES = _table(
    ("parameters", "param|params|parameter|parameters|param count|params count|parameter count|parameters count|parameter size|model size"),
    ("vocabulary", "vocab|vocabulary|vocab size|vocabulary size|vocab_size"),
    ("width", "embedding size|embeddings size|output size|vector size|embedding length|vector length|hidden size|hidden_size|hidden dim"),
    ("width", "dim|dims|dimension|dimensions|dimensionality|d_model|width"),
    ("length", "context|context length|context window|context size|sequence length|seq length|seq len|input length|input size|input limit"),
    ("length", "prompt length|token length|input tokens|max_position_embeddings|max_seq_length|max_seq_len|max_length|n_ctx|n_positions"),
    ("labels", "of labels|of classes|of categories|num_labels"),
)  # fmt: skip
_LIMITED = frozenset({"length", "len", "token", "tokens", "window", "position", "positions", "embeddings"})
_VECTORS = frozenset({"embedding", "embeddings", "vector", "vectors"})
_EXTENTS = frozenset({"size", "length"})
_JAPANESE_NAMES: tuple[tuple[Quantity, tuple[str, ...]], ...] = (
    ("vocabulary", ("語彙数", "語彙サイズ", "語彙の大きさ", "語彙")),
    ("parameters", (*(a + b for a, b in product(("パラメータ", "パラメーター"), ("", "数", "の数", "サイズ", "規模"))), "規模", "モデルサイズ")),
    ("labels", tuple(f"{each}数" for each in ("クラス", "ラベル", "カテゴリ", "カテゴリー", "分類"))),
    ("width", ("次元", "次元数", *(a + b for a, b in product(("隠れ層", "埋め込み", "ベクトル", "出力"), ("サイズ", "のサイズ", "幅", "の幅"))))),
    ("length", ("最大長", "最大コンテキスト", *("".join(each) for each in product(
        ("コンテキスト", "文脈", "系列", "シーケンス", "入力", "トークン"), ("", "の", "の最大", "最大"),
        ("長", "長さ", "ウィンドウ", "上限", "数", "サイズ"), ("", "の上限", "の最大"))))),
)  # fmt: skip
_SIGNS = " \t:=|~≈*は約がをも、の(<>≤"
_FILLER_WORDS = (
    "is|are|was|of|to|at|about|approx|approximately|roughly|around|only|just|some|nearly|really|exactly|the|usual|same|total|full|in|"
    "with|contain|contains|hold|holds|has|have|counts|comprises|up"
)
_FILLERS = frozenset(_FILLER_WORDS.split("|"))
_JAPANESE_FILLERS = ("有し", "持つ", "およそ", "全部で", "全体で", "合計で", "合計", "合わせて", "最大")
_AROUND_WORDS = punctuation.replace("_", "")
_IN_BRACKETS = ("(total)", "(tokens)", "(合計)")


def unit_behind(text: str, end: int) -> Unit | None:
    """What the word behind a figure says that it counts.

    Args:
        text: A clause in small letters.
        end: Where the figure ends.

    Returns:
        The quantity; `other` for one that is of no interest here; None when there is no unit.
    """
    rest = text[end : end + _WITHIN].lstrip(" -")
    if rest.startswith("%"):
        return "other"
    if not rest[:1].isascii():
        for prefix in _BEFORE_JAPANESE_UNIT:
            rest = rest.removeprefix(prefix)
        return next((unit for word, unit in _JAPANESE_UNITS.items() if rest.startswith(word)), None)
    if not rest[:1].isalpha():
        return None
    words = [each.strip(punctuation) for each in _ascii_part(rest).replace("-", " ").split()[:4]]
    while len(words) > 1 and words[0] in _BEFORE_UNIT:
        words = words[1:]
    if words[:1] == ["d"] and text[end : end + 1] == "-":
        return "width"
    unit = _UNITS.get(" ".join(words[:2])) or (_UNITS.get(words[0]) if words else None)
    return None if unit == "none" else unit


def name_before(text: str, start: int) -> Quantity | None:
    """What the name before a figure says that it counts, with nothing but `is`, `of` and the like between.

    Args:
        text: A clause in small letters.
        start: Where the figure begins.

    Returns:
        The quantity; None when no name is there.
    """
    before = text[max(0, start - _WITHIN) : start]
    name = without_fillers(before)
    for quantity, names in _JAPANESE_NAMES:
        if name.endswith(names):
            return quantity
    words = [each.strip(_AROUND_WORDS) for each in name.split()[-5:]]
    if not words:
        return None
    found = _NAMES.get(" ".join(words[-2:])) or _NAMES.get(words[-1])
    if found is None and words[-1] in _LIMITED and any(each.startswith("max") for each in words[:-1]):
        found = "length"
    if found is None and words[-2:-1] == ["of"] and words[-1] in _EXTENTS and words[-3:-2] and words[-3] in _VECTORS:
        found = "width"
    if found is None and words[-1] in _VECTORS and before.rstrip()[-1:].isalpha() and len(before) > len(name) + 2:
        found = "width"
    return None if found in ("other", "none") else found


def without_fillers(text: str) -> str:
    """A text without the `is`, `of`, `about` and the like at its end."""
    for _ in range(8):
        shorter = text.rstrip(_SIGNS)
        for each in (*_IN_BRACKETS, *_JAPANESE_FILLERS):
            shorter = shorter.removesuffix(each)
        word = shorter.rpartition(" ")[2]
        if word.rstrip(".") in _FILLERS:
            shorter = shorter[: len(shorter) - len(word)]
        if shorter == text:
            break
        text = shorter
    return text


def _ascii_part(text: str) -> str:
    """The beginning of a text, up to the first letter that is not ASCII."""
    return text if text.isascii() else text[: next(n for n, each in enumerate(text) if not each.isascii())]
