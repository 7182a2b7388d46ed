"""Quantities in a user's sentence: numbers with their kind, found by code so that no model has to copy digits.

A number's kind is judged by the words beside it, in English and Japanese: `batch 1, 8 and 32`, `24 GB`, `3万件/日`,
`0.5 dollars an hour`, `8k context`, `p95 200 ms`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.reference_search import FAMILIES

Kind = Literal[
    "batch", "length", "new_tokens", "memory_gib", "requests_per_day", "price_per_hour", "latency_ms",
    "dtype", "device", "revision", "money", "currency", "count", "other",
    "price_per_million_tokens", "price_per_thousand_requests", "peak_factor",
]  # fmt: skip


BARE: tuple[Kind, ...] = ("other", "count")
"""Kinds of numbers that no word beside them explains."""
Spans = Sequence[tuple[int, int]]
"""Pieces of a sentence as (first, after the last) offsets."""


class Quantity(BaseModel):
    """One quantity, or a list of quantities of one kind, as the user wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    values: tuple[float | int | str, ...]
    """Values in the kind's unit: GiB, per day, per hour, milliseconds, counts; words for dtype, device, revision."""
    text: str
    """The words as written."""
    start: int
    """Offset of the first character in the normalised sentence."""
    end: int
    """Offset after the last character."""
    currency: str = ""
    """ISO code, for a price."""

    @property
    def span(self) -> tuple[int, int]:
        """Offsets of the first character and after the last."""
        return self.start, self.end


_SCALE = {"k": 1e3, "thousand": 1e3, "千": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6, "百万": 1e6, "万": 1e4, "億": 1e8}
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.\-])(?P<sign>[-−])?(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<fraction>\.\d+)?"
    r"(?:\s?(?P<scale>thousand|million|mio|百万|万|千|億|[kK](?![a-zA-Z])))?"
)
_KANJI = {c: i for i, c in enumerate("〇一二三四五六七八九")}
_KANJI_NUMBER = re.compile(
    # Not the second half of "2万" or "百万", which would be read as a number of its own.
    r"(?<![\d.百千万億])(?P<head>[一二三四五六七八九]?)(?P<ten>十)?(?P<scale>百万|万|千)(?=[件回人問リ]|リクエスト)"
)
_JOINT = re.compile(r"\s*(?:,|、|/|・|and|&|と|や|or|to|then|,\s*and|および)\s*|\s+")
_CURRENCY = {
    "$": "USD", "usd": "USD", "dollar": "USD", "ドル": "USD", "bucks": "USD", "cent": "USD", "¥": "JPY", "円": "JPY",
    "jpy": "JPY", "yen": "JPY", "€": "EUR", "eur": "EUR", "ユーロ": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP",
}  # fmt: skip
_MONEY = r"[$¥€£]|usd|dollars?|bucks|cents?|jpy|yen|euros?|eur|gbp|pounds?|円|ドル|ユーロ"
AN_HOUR = r"(?:an?|per|/|each|every)\s*(?:gpu[\s-]?)?(?:h(?:ou)?rs?|h)\b|hourly|毎時|/\s*時間?|時間(?:あたり|当たり|単価)?|時給"
_DAILY = r"(?:an?|per|/|each|every)\s*(?:single\s+)?(?:business\s+|working\s+)?day\b|daily|/d\b|/日|毎日|1日|一日|日(?:あたり|に|量)|日次|on an? (?:average|normal|typical|ordinary|busy) day"
_PER = {  # other rates, as days
    r"(?:an?|per|/|each|every)\s*sec(?:ond)?\b|/s\b|毎秒|秒間|/秒|qps|rps|req/s": 1 / 86400,
    r"(?:an?|per|/|each|every)\s*min(?:ute)?\b|毎分|/分": 1 / 1440,
    r"(?:an?|per|/|each|every)\s*(?:week|wk)\b|weekly|週に|毎週|/週|1週間|週あたり|週間?で?": 7.0,
    r"(?:an?|per|/|each|every)\s*(?:month|mo)\b|monthly|毎月|/月|月に|月間|ひと月|1か月|1ヶ月|月あたり|月": 30.0,
}
_REQUEST_WORDS = (
    r"requests?|reqs?|questions?|queries|query|calls?|inferences?|searches|hits|lookups?|tickets?|users?|messages?|docs?|documents?|"
    r"emails?|mails?|texts?|inquiries|records?|件|回|リクエスト|問い合わせ|クエリ|アクセス|通|呼び出し|質問|人|本|問"
)
_OWN_UNIT = re.compile(rf"\s?-?(?:[gmt]i?b|gigs?|g|ms|ギガ|メガ|ミリ秒|{_MONEY})(?![a-z])", re.IGNORECASE)
_TOKENS = re.compile(r"\s*-?\s*(?:tokens?|トークン)", re.IGNORECASE)
_BATCH_BEFORE = re.compile(
    r"(?:batch(?:es|[\s-]*sizes?)?|\bbs|バッチ(?:サイズ)?)(?:\s*(?:of|at|is|=|:|を|は|が|で|to|,|の|サイズ))?\s*$"
)
COUNT_UNITS = "件|行|人|通|文|本|個|枚"
"""Japanese words that count things."""
COUNT_WORDS = re.compile(
    r"\s*(?:[a-z]+\s+){0,2}?(?:texts?|documents?|docs?|rows?|messages?|users?|people|requests?|queries|sentences?|items?|inputs?|images?|"
    r"prompts?|samples?|tickets?|emails?|件|行|人|通|文|本|個|枚|並列|同時)"
)
_GIB = {"gb": 1.0, "gib": 1.0, "gig": 1.0, "gigs": 1.0, "g": 1.0, "ギガ": 1.0, "ギガバイト": 1.0, "mb": 1 / 1024,
        "mib": 1 / 1024, "メガ": 1 / 1024, "tb": 1024.0, "gigabytes": 1.0, "gigabyte": 1.0}  # fmt: skip
_DTYPE = {
    "fp32": "float32", "float32": "float32", "full precision": "float32", "単精度": "float32", "fp16": "float16",
    "float16": "float16", "half precision": "float16", "半精度": "float16", "bf16": "bfloat16", "bfloat16": "bfloat16",
    "int8": "int8", "8-bit": "int8", "8bit": "int8", "8ビット": "int8", "int4": "int4", "4-bit": "int4", "4bit": "int4",
    "4ビット": "int4", "nf4": "int4", "fp8": "float8",
}  # fmt: skip
_DEVICE = {"cpu": "cpu", "gpu": "cuda", "cuda": "cuda", "グラボ": "cuda"}
_WORDS = re.compile(
    r"(?P<dtype>" + "|".join(sorted(map(re.escape, _DTYPE), key=len, reverse=True)) + r")(?![a-z0-9])",
    re.IGNORECASE,
)
_DEVICE_WORDS = re.compile(
    r"(?:\b(?:on|using|with|via)\s+(?:the\s+|our\s+|a\s+|my\s+)?|--?device[ =]?|device\s*[:=]?\s*)(cpu|gpu|cuda)(?![a-z0-9])"
    r"|(?<![a-z0-9])(cpu|gpu|cuda|グラボ)(?:\s*(?:only|で|上で|だけで|のみで?|のみ|でも))|(?<![a-z0-9])(cpu|cuda)(?![a-z0-9])",
    re.IGNORECASE,
)
NO_BRANCH = frozenset(
    """
    office offices manager managers library line lines name names price licence license safetensors says said too his her gets got from at exists exist has have
    had was were does did we you they with ging es s as by been will would can who html ai pt tf apache-2.0 now here there today still
    """.split()  # noqa: SIM905 (a long list reads better so)
)
"""What follows or precedes "branch" or "tag" in everyday speech."""
_NO_REVISION = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "which",
        "other",
        "right",
        "wrong",
        "same",
        "new",
        "newest",
        "latest",
        "main-line",
        "our",
        "your",
        "its",
        "of",
        "is",
        "it",
        "and",
        "or",
        "to",
        "for",
        "in",
        "on",
    ]
)
_BRANCH_WORDS = frozenset(
    {"release", "rc", "beta", "alpha", "preview", "build", "paper", "snapshot", "hotfix", "stable"}
)
"""First words of revisions, which may begin a sentence."""
_SERIES = frozenset({*FAMILIES, "gpt", "chatgpt", "claude", "gemini", "grok"})
"""First words of the names of models, of the hub and of services."""
_CURRENCY_WORDS = re.compile(
    r"(?<![a-z\d$])(?:usd|dollars?|eur|euros?|jpy|yen|gbp|pounds?)(?![a-z])|(?<![\d,万千億.\s一-龥])(?:円|ドル|ユーロ)(?=\s*(?:建て|表記|表示|換算|で))|(?<=\s)(?:円|ドル|ユーロ)(?=\s)",
    re.IGNORECASE,
)
_REVISION = re.compile(
    r"(?:\b(?:revision|rev|commit|branch|tag|version|ref)(?![a-z])\s*[:=]?\s*|リビジョン\s*|コミット\s*|タグ\s*|ブランチ\s*|バージョン\s*)"
    r"[`'\"「]?(?P<a>(?=[\w.\-/]*\d)[A-Za-z0-9][\w.\-/]*\w|main|master)|(?<![\w/.-])(?P<b>v\d+(?:\.\d+)*|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40})(?![\w/-]|\.\w)"
    r"|(?<![\w/.-])(?P<d>(?:refs/heads/)?[a-z][a-z_-]*[a-z])(?=\s*(?:branch|tag|ブランチ|タグ|版)(?![a-z]))"
    r"|(?:\bbranch(?![a-z])|\btag(?![a-z])|ブランチ|タグ)\s*(?P<e>[a-z][\w.-]*[a-z])"
    r"|(?<![\w/.-])(?P<f>[a-z]+-\d[\w.]*|v\d[\w.-]*|\d{4}-\d{2}(?:-\w+)?|refs/(?:heads|pr|tags)/[\w.-]+)(?![\w/-])"
    r"|@(?P<g>[0-9a-f]{7,40})(?!\w)|(?<![\w/.-])(?P<c>main|master)(?=\s*(?:branch|ブランチ|of\b|and\b|と|から|より|の|を|に|は|\?|$))",
    re.IGNORECASE | re.ASCII,
)


def normalise(text: str) -> str:
    """The sentence with full-width digits, letters and signs in their plain form.

    Around a wide slash between two names, and behind an ellipsis, a space keeps what follows a word of its own.
    """
    text = re.sub(r"(?<=[A-Za-z0-9])／(?=[A-Za-z0-9.~/])", " / ", text)
    return re.sub(r"\.{3,}(?=[A-Za-z0-9])", "... ", unicodedata.normalize("NFKC", text))


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """All quantities of a normalised sentence, in order; numbers without a known kind are `other`."""
    found = [*_find_words(text), *_find_numbers(text)]
    kept: list[Quantity] = []
    for quantity in sorted(found, key=lambda q: (q.start, -(q.end - q.start))):
        if not kept or quantity.start >= kept[-1].end:
            kept.append(quantity)
    return tuple(kept)


def names_product(word: str) -> bool:
    """Whether a word such as GPT-4 is the name of another model or product; branches and tags begin in lower case.

    Args:
        word: A word with a hyphen and a number.
    """
    head = word.partition("-")[0]
    series = head.lower() in _SERIES or word.lower().startswith(tuple(f"{each}-" for each in _SERIES if "-" in each))
    return "-" in word and (series or (head.isalpha() and head[0].isupper() and head.lower() not in _BRANCH_WORDS))


def overlaps(start: int, end: int, spans: Spans) -> bool:
    """Whether a piece of a sentence shares a character with one of these."""
    return any(s < end and start < e for s, e in spans)


def read_number(text: str) -> float | int:
    """The first number of a text that has one."""
    return _numbers(text)[0][0]


def _find_words(text: str) -> list[Quantity]:
    words = [
        Quantity(kind="dtype", values=(_DTYPE[m["dtype"].lower()],), text=m[0], start=m.start(), end=m.end())
        for m in _WORDS.finditer(text)
        if m.start() == 0 or not text[m.start() - 1].isascii() or not text[m.start() - 1].isalnum()
    ]
    for m in _DEVICE_WORDS.finditer(text):
        group = 1 if m[1] else 2 if m[2] else 3
        words.append(
            Quantity(
                kind="device",
                values=(_DEVICE[m[group].lower()],),
                text=m[group],
                start=m.start(group),
                end=m.end(group),
            )
        )
    for m in _CURRENCY_WORDS.finditer(text):
        code = _currency_of(m[0].lower())
        words.append(Quantity(kind="currency", values=(code,), text=m[0], start=m.start(), end=m.end(), currency=code))
    for m in _REVISION.finditer(text):
        name = next(n for n in "abcdefg" if m[n])
        if m[name].lower() in _NO_REVISION | NO_BRANCH or (name == "f" and names_product(m[name])):
            continue
        word = m[name].rstrip(".-")
        start = m.start(name)
        words.append(Quantity(kind="revision", values=(word,), text=word, start=start, end=start + len(word)))
    return words


def _find_numbers(text: str) -> list[Quantity]:
    groups: list[list[tuple[float | int, int, int]]] = []
    for value, start, end in _numbers(text):
        # A number with a unit of its own begins anew: "batch 4, 11 GB" is two things, and so is "batch 8 and 64 tokens".
        joined = groups and _JOINT.fullmatch(text[groups[-1][-1][2] : start])
        tokens_behind_batch = (
            joined and _TOKENS.match(text[end:]) and _BATCH_BEFORE.search(text[: groups[-1][0][1]].lower())
        )
        if joined and not _OWN_UNIT.match(text[end:]) and not tokens_behind_batch:
            groups[-1].append((value, start, end))
        else:
            groups.append([(value, start, end)])
    found: list[Quantity] = []
    for i, group in enumerate(groups):
        start, end = group[0][1], group[-1][2]
        left = text[max(0, start - 34) : start]
        right = text[end : min(groups[i + 1][0][1] if i + 1 < len(groups) else len(text), end + 44)]
        found.append(_classify(tuple(v for v, _, _ in group), text, start, end, left, right))
    return found


def _numbers(text: str) -> list[tuple[float | int, int, int]]:
    numbers: list[tuple[float | int, int, int]] = []
    for m in _NUMBER.finditer(text):
        value = float(m["digits"].replace(",", "") + (m["fraction"] or "")) * _SCALE.get((m["scale"] or "").lower(), 1)
        if (m["scale"] or "").lower() == "k" and re.match(
            r"\s*(?:context|tokens?|コンテキスト|トークン|文脈)", text[m.end() :]
        ):
            value = float(m["digits"] + (m["fraction"] or "")) * 1024
        value = -value if m["sign"] else value
        numbers.append((int(value) if value == int(value) and abs(value) < 1e15 else value, m.start(), m.end()))
    for m in _KANJI_NUMBER.finditer(text):
        head = _KANJI.get(m["head"], 1) * (10 if m["ten"] else 1)
        numbers.append((int(head * _SCALE[m["scale"]]), m.start(), m.end()))
    return sorted(numbers, key=lambda n: n[1])


def _classify(values: tuple[float | int, ...], text: str, start: int, end: int, left: str, right: str) -> Quantity:
    lower_left, lower_right = left.lower(), right.lower()
    for rule in (_memory, _latency, _price, _requests, _batch, _new_tokens, _length, _count):
        result = rule(values, lower_left, lower_right)
        if result is not None:
            kind, converted, extra_left, extra_right, currency = result
            start, end = start - extra_left, end + extra_right
            return Quantity(kind=kind, values=converted, text=text[start:end], start=start, end=end, currency=currency)
    return Quantity(kind="other", values=values, text=text[start:end], start=start, end=end)


_Result = tuple[Kind, tuple[float | int, ...], int, int, str]


def _memory(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:  # noqa: ARG001 (one signature for all rules)
    m = re.match(r"\s*-?(" + "|".join(sorted(_GIB, key=len, reverse=True)) + r")(?![a-z0-9])", right)
    if not m:
        return None
    factor = _GIB[m[1]]
    return "memory_gib", tuple(_plain(v * factor) for v in values), 0, m.end(), ""


def _latency(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:  # noqa: ARG001
    m = re.match(r"\s*(?:(ms|millis(?:econds?)?|msec|ミリ秒)(?![a-z])|(seconds?|secs?|s(?![a-z])|秒(?!間)))", right)
    return ("latency_ms", tuple(_plain(v * (1 if m[1] else 1000)) for v in values), 0, m.end(), "") if m else None


def _price(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:
    before = re.search(rf"({_MONEY})\s*$", left)
    after = re.match(rf"\s*({_MONEY})", right)
    word = (before or after)[1] if (before or after) else ""  # type: ignore[index]
    currency = _currency_of(word)
    tail = re.match(rf"\s*(?:{_MONEY})?\s*(?:{AN_HOUR})?", right)
    hourly = re.search(AN_HOUR, right[:26]) or re.search(AN_HOUR, left[-14:])
    if not word and not re.match(r"\s*(?:(?:an?|per|/|each)\s*h(?:ou)?r?\b|/\s*時間)", right):
        return None
    factor = 0.01 if word.startswith("cent") else 1
    kind: Kind = "price_per_hour" if hourly else "money"
    extra = tail.end() if tail else 0
    return kind, tuple(_plain(v * factor) for v in values), len(before[0]) if before else 0, extra, currency


def _currency_of(word: str) -> str:
    return next((code for sign, code in _CURRENCY.items() if word and word.startswith(sign)), "")


def _requests(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:
    word = re.match(rf"\s*(?:[a-z-]+\s+){{0,2}}?(?:{_REQUEST_WORDS})", right)
    near = left[-16:] + " " + right
    rates = {_DAILY: 1.0, **_PER}
    rate = next(
        (
            d
            for pattern, d in rates.items()
            if re.match(rf"\s*(?:[a-z-]+\s+){{0,2}}?(?:{_REQUEST_WORDS})?\s*(?:{pattern})", right)
        ),
        None,
    )
    if rate is None and word:
        rate = next((d for pattern, d in rates.items() if re.search(pattern, near)), None)
    if rate is None:
        rate = next(
            (
                d
                for pattern, d in rates.items()
                if re.search(
                    rf"(?:{pattern})\s*(?:に|で|about|around|roughly|約|ざっと|およそ|だいたい)?\s*$", left[-14:]
                )
            ),
            None,
        )
    if rate is None or (not word and _is_small_and_bare(values, right)):
        return None
    return "requests_per_day", tuple(_plain(v / rate) for v in values), 0, word.end() if word else 0, ""


def _is_small_and_bare(values: tuple[float | int, ...], right: str) -> bool:
    return max(values) < 10 or bool(re.match(r"\s*(?:円|ドル|tokens?|トークン|時間|hours?)", right))


def _batch(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:
    before = _BATCH_BEFORE.search(left)
    after = re.match(
        r"\s*(?:(?:件|つ|個)?ずつ|at (?:a time|once)|in (?:one|a) batch|(?:件|個)?(?:の)?(?:バッチ|まとめ)|-?\s?batch|同時)",
        right,
    )
    return ("batch", values, 0, 0, "") if (before or after) and all(isinstance(v, int) for v in values) else None


def _new_tokens(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:
    tokens = re.match(r"\s*-?\s*(?:(?:new|output|generated)\s+)?(?:tokens?|トークン)", right)
    writing = re.search(
        r"(?:generat\w*|output\w*|produc\w*|writ\w*|new tokens?|decode|生成|出力|新規)[^,.。、]{0,14}$", left
    )
    said = tokens and re.match(
        r"\s*(?:new|output|generated)|\s*(?:tokens?|トークン)\s*(?:の?(?:of )?(?:output|出力|生成|を?生成|を?出力)|out\b)",
        right,
    )
    named = re.search(r"(?:new[_\s]?tokens?|max[_\s]new[_\s]tokens?)\s*[:=]?\s*$", left)
    return ("new_tokens", values, 0, 0, "") if (tokens and writing) or said or named else None


def _length(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:
    before = re.search(
        r"(?:sequence|seq|context|input|prompt|text)?[\s-]*(?:lengths?|len|context|window|系列長|長さ|コンテキスト(?:長)?|入力長|文脈長?|シーケンス(?:長)?)"
        r"(?:\s*(?:of|at|is|=|:|を|は|が|で|to|window))?\s*$",
        left,
    )
    after = re.match(
        r"\s*-?\s*(?:tokens?|トークン|context|ctx|コンテキスト|の?文脈|の?長さ|の?系列|(?:token )?sequences?)", right
    )
    return ("length", values, 0, 0, "") if before or after else None


def _count(values: tuple[float | int, ...], left: str, right: str) -> _Result | None:  # noqa: ARG001
    named = COUNT_WORDS.match(right) and all(isinstance(v, int) and v > 0 for v in values)
    return ("count", values, 0, 0, "") if named else None


def _plain(value: float) -> float | int:
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
