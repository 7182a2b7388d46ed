"""Which settings a question wants varied beside the measurement, read off the user's own words."""

from __future__ import annotations

import re

_FORMATS = r"(?:fp32|float ?32|bf16|bfloat ?16|fp16|float ?16|half[- ]precision|single[- ]precision|半精度|単精度)"
_WANTED: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "dtype": r"number formats|data ?types|\bdtypes\b|\bprecisions\b|数値形式|データ型|精度の違い|"
        rf"{_FORMATS}.{{0,24}}(?:\b(?:and|or|vs\.?|versus|against|than)\b|と|か|より|対).{{0,16}}{_FORMATS}|"
        rf"faster in {_FORMATS}|{_FORMATS}\s*(?:なら|だと|にすると|にしたら)",
        "attention": r"attention (?:implementation|kernel|variant)s?|\bsdpa\b|\beager\b|アテンションの?(?:実装|方式)|注意機構の(?:実装|方式)",
        "compile": r"\bcompil(?:e|ed|ing|ation)\b|コンパイル",
        "quantization": r"\bquanti[sz]|\b(?:8|4)[- ]bits?\b|\bint[48]\b|量子化|(?:8|4) ?ビット",
        "batch_size": r"(?:largest|biggest|max(?:imum)?|highest) batch|how (?:large|big) (?:a|the) batch|batch size .{0,20}(?:fits?|limit)|"
        r"(?:最大|上限)の?バッチ|バッチ(?:サイズ)?(?:は|を|の)?(?:最大|上限|どこまで)",
        "sequence_length": r"(?:longest|max(?:imum)?) (?:context|sequence|input|prompt)|how long (?:a|an|the) (?:context|sequence|input|prompt)|"
        r"最長|(?:長さ|文脈|コンテキスト|入力)(?:長)?(?:は|を|の)?(?:最大|上限|どこまで)|どこまで長",
    }.items()
}


def read_variants(text: str) -> list[str]:
    """Settings to vary, in the order in which the tool knows them.

    Args:
        text: The normalised sentence.
    """
    return [name for name, pattern in _WANTED.items() if pattern.search(text)]
