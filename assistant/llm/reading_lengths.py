"""Batch, lengths, new tokens, devices and memory in a sentence about memory or speed."""

from __future__ import annotations

import re

from assistant.llm.quantities import BARE, COUNT_UNITS, Kind, Quantity, Spans, overlaps

_BIGGEST_BATCH = 127
"""A bare number up to here is a batch beside a longer one."""
_LIST_OF_LENGTHS = 512
"""A list that reaches this is one of lengths."""
_BIGGEST_COUNT = 4096
"""More things than this are a collection, not a batch."""
_BIGGEST_LENGTH = 1 << 20

_INPUT_WORDS = r"times?|inputs?|prompts?|questions?|texts?|documents?|contexts?|batch\w*|入力|文書|プロンプト|長さ|対象|バッチ|質問|時間"
_MORE = r"(?:くらい|ぐらい|ほど|程度|まで|だけ|ずつ|分)*"
_WRITTEN_BEFORE = re.compile(
    rf"(?:\b(?:answers?|repl(?:y|ies)|responses?|completions?|summar(?:y|ies)|outputs?)\b(?:(?!\b(?:{_INPUT_WORDS})\b)[^.。;!?\d]){{0,20}}"
    r"|\b(?:writ(?:e|es|ing)|generat(?:e|es|ing)|produc(?:e|es|ing)|asked for)\s*(?:about|around|roughly|up to|some|say)?\s*"
    rf"|(?:回答|返答|返事|応答|答え|要約|出力|生成)(?:(?!{_INPUT_WORDS})[^。、;!?\d]){{0,6}})$",
    re.IGNORECASE,
)
_WRITTEN_AFTER = re.compile(
    r"\s*tokens?\s+(?:to write|out\b|of (?:output|answer|reply)|(?:long\s+)?(?:answers?|repl(?:y|ies)|responses?|summar(?:y|ies)))"
    rf"|\s*(?:tokens?\s*)?\bout\b(?!\s+of)|\s*(?:トークン|字|文字)?{_MORE}(?:の|を|に)?\s*(?:書か|書く|書き|出力|生成|回答|返答|返事|伸ば)(?!.{{0,3}}(?:入力|対象))",
    re.IGNORECASE,
)
_READ_BEFORE = re.compile(
    r"(?:\b(?:inputs?|prompts?|contexts?|lengths?)\b[^.。;!?\d]{0,12}|\b(?:short|long)(?:er)? (?:ones|texts)\b[^.。;!?\d]{0,6}"
    r"|(?:入力|プロンプト|文章の長さ|長さ)(?:が|は|を|に|も|:|\s)*)$",
    re.IGNORECASE,
)
_READ_AFTER = re.compile(r"\s*(?:tokens?\s*)?\bin\b\s*(?=[,.;)]|$|and\b)", re.IGNORECASE)
_TOGETHER_BEFORE = re.compile(
    r"(?:同時(?:に|接続|実行|アクセス|リクエスト|処理)?(?:数)?|並列(?:数|度)?|まとめて|一度に|一括で?|\bconcurrency|\bbatched)\s*(?:は|が|で|:|=|of|at)?\s*$",
    re.IGNORECASE,
)
_TOGETHER_AFTER = re.compile(
    r"\s*(?:[a-z-]+\s+)?(?:at a time|at once|per (?:call|batch|pass|request)|in parallel|in one go|concurrent(?:ly)?|simultaneous(?:ly)?|"
    r"at the same time|side by side)\b|\s*(?:件|個|つ|本|文|行|通|リクエスト)?\s*(?:ずつ|並列|同時|をまとめて|を?一度に)",
    re.IGNORECASE,
)
_THINGS = (
    r"invoices|headlines|conversations|chats|letters|reviews|articles|questions|comments|contracts|reports|posts|tweets|orders|"
    r"snippets|paragraphs|passages|abstracts|records|entries|forms|complaints|descriptions|titles|sessions|enquiries|calls"
)
_SOME_THINGS = re.compile(rf"\s+(?:[a-z]+\s+)?(?:{_THINGS})\b", re.IGNORECASE)
_END_OF_BARE = re.compile(
    r"\s*(?:$|[,.;:?!)、。)「」]|(?:at|in|with|and|on|for|of|then|or|as|to)\b|\d|で|は|を|に|が|と|なら|だと|の|から|まで|でも|も)",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"(?<![\w./-])(?:mps(?![\w/])|(?:gpu|cuda)(?:\s*[:#]\s?|\s)(?P<n>\d)(?!\d|[.,]\d|[\s,、]*\d|\s?(?:g|枚|台|cards?))"
    r"|(?:gpu|cuda)(?=\s\d+(?:[\s,、]+\d)))",
    re.IGNORECASE,
)
_TIMES_MEMORY = re.compile(r"(?<!\w)\d{1,2}\s?[x×]\s?(?P<n>\d{1,4})\s?(?P<unit>gi?b)\b", re.IGNORECASE)


def with_devices(text: str, quantities: list[Quantity], names: Spans) -> list[Quantity]:
    """With devices by number (GPU 0) and with `mps`."""
    found: list[Quantity] = []
    for m in _DEVICE.finditer(text):
        if not overlaps(*m.span(), names):
            value = "mps" if m[0].lower() == "mps" else f"cuda:{m['n']}" if m["n"] else "cuda"
            found.append(Quantity(kind="device", values=(value,), text=m[0], start=m.start(), end=m.end()))
    return [*found, *_beside(quantities, found)]


def with_memory(text: str, quantities: list[Quantity]) -> list[Quantity]:
    """With the memory of one card in "2x24gb"."""
    found = [
        Quantity(kind="memory_gib", values=(int(m["n"]),), text=m[0], start=m.start(), end=m.end())
        for m in _TIMES_MEMORY.finditer(text)
    ]
    return [*found, *_beside(quantities, found)]


def _beside(quantities: list[Quantity], found: list[Quantity]) -> list[Quantity]:
    spans = [q.span for q in found]
    return [q for q in quantities if not overlaps(*q.span, spans)]


def with_lengths(tool: str, text: str, quantities: list[Quantity]) -> list[Quantity]:
    """With batch, length and new tokens told apart by what the sentence says of them."""
    found: list[Quantity] = []
    for quantity in quantities:
        kind = quantity.kind
        if kind in {*BARE, "length"} and all(isinstance(v, int) and v > 0 for v in quantity.values):
            kind = _kind_of_length(text, quantity)
        biggest = {"count": _BIGGEST_COUNT, "other": _BIGGEST_LENGTH}.get(kind)
        if biggest is None or all(isinstance(v, int | float) and v <= biggest for v in quantity.values):
            found.append(quantity.model_copy(update={"kind": kind}))
    return _in_pairs(tool, text, found)


def _kind_of_length(text: str, quantity: Quantity) -> Kind:
    left, right = text[max(0, quantity.start - 44) : quantity.start], text[quantity.end : quantity.end + 44]
    bare = quantity.kind != "count" and not re.match(rf"\s+(?!tokens?\b)[a-z]{{3,}}s\b|\s*(?:{COUNT_UNITS})", right)
    if _WRITTEN_AFTER.match(right) or (bare and _WRITTEN_BEFORE.search(left)):
        return "new_tokens"
    if quantity.kind == "length":
        return "length"
    if _TOGETHER_AFTER.match(right) or _TOGETHER_BEFORE.search(left):
        return "batch"
    if _READ_AFTER.match(right) or (bare and _READ_BEFORE.search(left)):
        return "length"
    if quantity.kind == "other" and _SOME_THINGS.match(right):
        return "batch" if max(quantity.values) <= 1024 else "count"  # type: ignore[type-var]
    return quantity.kind


def _in_pairs(tool: str, text: str, quantities: list[Quantity]) -> list[Quantity]:
    """A small and a large bare number side by side are batch and length; three or more up to 512 are lengths."""
    found: list[Quantity] = []
    known = {q.kind for q in quantities}
    for quantity in quantities:
        values = [v for v in quantity.values if isinstance(v, int)]
        small, large = [v for v in values if v <= _BIGGEST_BATCH], [v for v in values if v > _BIGGEST_BATCH]
        if quantity.kind != "other" or len(values) < len(quantity.values) or not large or "batch" in known:
            found.append(quantity)
        elif len(values) == 2 and len(small) == 1 and "length" not in known:
            found.append(quantity.model_copy(update={"kind": "batch", "values": tuple(small)}))
            found.append(quantity.model_copy(update={"kind": "length", "values": tuple(large)}))
        elif len(values) >= 3 and max(values) >= _LIST_OF_LENGTHS:
            found.append(quantity.model_copy(update={"kind": "length"}))
        else:
            found.append(quantity)
    kinds = [q.kind for q in found]
    if tool == "estimate_memory" and "batch" not in kinds and ("length" in kinds or any(map(_is_long, found))):
        for i, quantity in enumerate(found):
            first = quantity.values[0]
            small = quantity.kind == "other" and isinstance(first, int) and 0 < first <= _BIGGEST_BATCH
            if small and len(quantity.values) == 1 and _END_OF_BARE.match(text[quantity.end :]):
                found[i] = quantity.model_copy(update={"kind": "batch"})
                break
    return found


def _is_long(quantity: Quantity) -> bool:
    return quantity.kind == "other" and all(isinstance(v, int) and v > _BIGGEST_BATCH for v in quantity.values)
