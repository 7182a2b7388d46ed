"""Claims about the number type that the weights are stored in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.text import Statement
from tools.cards.words import WordList, spaced_words
from tools.model_facts import ModelFacts

_NAME = re.compile(
    r"(?<![a-z0-9-])(?:(?P<BF16>bfloat-?16|bf16)|(?P<F16>fp16|float16|f16|half[- ]precision|half\Z|半精度)|"
    r"(?P<F32>fp32|float32|f32|(?:single|full)[- ]precision|単精度|32[- ]?(?:bit |ビット)(?:float|浮動小数点))|(?P<I8>int8)|(?P<F8_E4M3>fp8)|"
    r"(?P<F16_or_BF16>16[- ]?(?:bit |ビット)(?:float|浮動小数点)))(?![a-z0-9])"
)
_STORED = WordList(
    "tensor type| type | types | dtype |torch_dtype|precision| weight | weights | weighs | weighing | format |checkpoint|stored|saved",
    "published|released|shipped|distributed|uploaded| params | parameters |データ型|データタイプ|数値型|の型|精度|形式|重み|保存|配布|公開",
)
_BEFORE, _BEHIND = 40, 24
_AT_RUN_TIME = WordList(
    "train|mixed| mixture|inference|quantiz|quantis|optimizer|optimiser| run | runs | running |convert| cast | load | loaded | loading ",
    "gradient|activations|compute|学習|訓練|混合|推論|量子化|実行|変換|読み込|更新|計算",
)
_PART_ENDS = re.compile(r"[,、;(]\s*|\b(?:because|cuz|since|but|so)\b")


def dtype_claims(statements: tuple[Statement, ...], facts: ModelFacts) -> Iterator[Claim]:
    """Claims about the type of the weights, in the order of the card.

    Args:
        statements: What the card says of the model itself.
        facts: What the files say.

    Yields:
        The claims.
    """
    for said in statements:
        for name in _NAME.finditer(said.small):
            if _is_of_weights(said.small, name):
                types = (name.lastgroup or "").split("_or_")
                holds = facts.dtype is not None and facts.dtype.value in types
                yield claim_of("dtype", *said.at(name.start()), facts.dtype, holds)
                break


def _is_of_weights(text: str, name: re.Match[str]) -> bool:
    """Whether a type is said to be that of the stored weights, and not of training or of a run."""
    around = text[max(0, name.start() - _BEFORE) : name.start()], text[name.end() : name.end() + _BEHIND]
    if not any(_STORED.are_in(spaced_words(part.replace("半精度", "").replace("単精度", ""))) for part in around):
        return False
    starts = [found.end() for found in _PART_ENDS.finditer(text, 0, name.start())]
    end = _PART_ENDS.search(text, name.end())
    part = text[starts[-1] if starts else 0 : end.start() if end is not None else len(text)]
    return "--" not in part and not _AT_RUN_TIME.are_in(spaced_words(part))
