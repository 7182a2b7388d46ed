"""Money in any currency, and load per day, in a sentence about cost."""

from __future__ import annotations

import re

from assistant.llm.quantities import AN_HOUR, BARE, Kind, Quantity, Spans, overlaps, read_number

_CURRENCIES = {
    r"swiss francs?|francs?|スイス・?フラン|(?<![ァ-ヶー])フラン": "CHF",
    r"(?:australian|aussie) dollars?|A\$|豪ドル|オーストラリア・?ドル": "AUD",
    r"canadian dollars?|CA\$|C\$|カナダ・?ドル|加ドル": "CAD",
    r"singapore dollars?|S\$|シンガポール・?ドル": "SGD",
    r"hong ?kong dollars?|HK\$|香港ドル": "HKD",
    r"taiwan(?:ese)? dollars?|NT\$|台湾(?:ドル|元)|新台湾ドル": "TWD",
    r"new zealand dollars?|NZ\$|NZドル|ニュージーランド・?ドル": "NZD",
    r"(?:us|u\.s\.|american) dollars?|US\$|米ドル|アメリカ・?ドル": "USD",
    r"pounds? sterling|sterling|(?:british|uk) pounds?|(?:英|イギリス・?)?ポンド": "GBP",
    r"(?:south )?korean won|(?<=\d )won|(?<=\din )won|韓国・?ウォン|(?<![ァ-ヶー])ウォン": "KRW",
    r"(?:chinese )?yuan|renminbi|rmb|人民元|中国元": "CNY",
    r"(?:indian )?rupees?|(?:インド・?)?ルピー": "INR",
    r"swedish (?:kronor|krona|crowns?)|kronor|スウェーデン・?クローナ|クローナ": "SEK",
    r"norwegian (?:kroner?|crowns?)|ノルウェー・?クローネ": "NOK",
    r"danish (?:kroner?|crowns?)|デンマーク・?クローネ": "DKK",
    r"(?:polish )?z[lł]otys?|ズウォティ|ズロチ": "PLN",
    r"(?:thai )?baht|(?<![ァ-ヶー])バーツ": "THB",
    r"日本円": "JPY",
}
# As capitals, so that words are left alone; CAD is also what engineers draw with.
_CODES = (
    r"AUD|BRL|CAD(?!\s*(?:drawing|file|model|software|data|design|system|user|図|データ|ソフト))|CHF|CNY|CZK|DKK|HKD|HUF|IDR|ILS|"
    r"INR|KRW|MXN|MYR|NOK|NZD|PHP(?=\s*\d)|PLN|SEK|SGD|THB|TWD|VND|ZAR"
)
_CURRENCY = re.compile(
    rf"(?<![A-Za-z$])(?P<code>{_CODES})(?![A-Za-z])|"
    + "|".join(rf"(?P<{code}>(?i:(?<![a-z$])(?:{names})(?![a-zァ-ヶ])))" for names, code in _CURRENCIES.items())
)
_RENTED = re.compile(r"rent(?:ed|ing|al)?\s*(?:it|one|that|them)?\s*(?:at|for)?\s*$", re.IGNORECASE)


def with_money(text: str, quantities: list[Quantity], names: Spans) -> list[Quantity]:
    """With currencies beyond the commonest, and with amounts in them."""
    words: list[Quantity] = []
    for m in _CURRENCY.finditer(text):
        if overlaps(m.start(), m.end(), names):
            continue
        code = m["code"] or str(m.lastgroup)
        words.append(Quantity(kind="currency", values=(code,), text=m[0], start=m.start(), end=m.end(), currency=code))
    amounts: list[Quantity] = []
    for quantity in quantities:
        if quantity.kind in {"money", "other"} and _no_price(text, quantity):
            continue
        number = re.match(r"[\d,.]*\d", quantity.text)
        word = next(
            (w for w in words if number and _beside(text, quantity.start, quantity.start + number.end(), w)), None
        )
        if word is not None and number is not None and len(quantity.values) == 1:
            end = max(quantity.start + number.end(), word.end)
            value = read_number(number[0])
            kind: Kind = "price_per_hour" if _is_hourly(text, min(quantity.start, word.start), end) else "money"
            changed = {"kind": kind, "values": (value,), "currency": word.currency}
            amounts.append(quantity.model_copy(update=changed))
        elif quantity.kind == "other" and (
            _RENTED.search(text[max(0, quantity.start - 24) : quantity.start])
            or re.match(r"\s*で(?:借り|レンタル)", text[quantity.end :])
        ):
            amounts.append(quantity.model_copy(update={"kind": "price_per_hour"}))
        elif quantity.kind != "currency" or not overlaps(*quantity.span, [w.span for w in words]):
            amounts.append(quantity)
    return [*amounts, *words]


def _no_price(text: str, quantity: Quantity) -> bool:
    """Whether it is no amount, as in "how many bucks 4 it", or no load but what one can pay."""
    if quantity.kind == "money":
        return bool(re.match(r"(?:dollars?|bucks|euros?|pounds?|yen|cents?)\s", quantity.text, re.IGNORECASE))
    return bool(re.match(r"\s*(?:まで|しか|以内で?|くらい)?\s*(?:出せ|払え)", text[quantity.end :]))


def _beside(text: str, start: int, end: int, word: Quantity) -> bool:
    return (word.end <= start and not text[word.end : start].strip()) or (
        end <= word.start and not text[end : word.start].strip()
    )


def _is_hourly(text: str, start: int, end: int) -> bool:
    right, left = text[end : end + 26].lower(), text[max(0, start - 14) : start].lower()
    return bool(re.match(rf"\s*(?:{AN_HOUR})", right) or re.search(rf"(?:{AN_HOUR})\W*$", left))


_SPENT = (
    r"budgets?|spend(?:ing)?|afford|allowance|cap(?:ped)?|ceiling|limit|at most|up to|no more than|under|below|within|"
    r"max(?:imum)?|have|got|予算|上限|最大|手持ち|月に?|月々|毎月|月額|年に?|年間|年額"
)
_BUDGET_BEFORE = re.compile(
    rf"(?:{_SPENT})(?:\s*(?:of|is|at|to|for|に|は|が|で|:|about|around|only|約|about))*\s*$", re.IGNORECASE
)
_BUDGET_AFTER = re.compile(
    r"\s*(?:(?:a|per|each|every)\s+(?:month|year|week|day)|/\s*(?:mo|month|year|月|年)|monthly|yearly|annually|budget|"
    r"(?:の予算|以内|以下|まで|しか|出せ|/月|/年|予算))",
    re.IGNORECASE,
)
_MONTHLY = re.compile(r"budget|per month|a month|monthly|予算|月に|月額|年間", re.IGNORECASE)
_DEAREST_HOUR = {"JPY": 3000.0, "KRW": 30_000.0, "INR": 2000.0, "TWD": 700.0, "THB": 700.0, "SEK": 250.0, "NOK": 250.0}


def is_budget(text: str, amount: Quantity) -> bool:
    """Whether an amount is what may be spent rather than what an hour of a machine costs."""
    left, right = text[max(0, amount.start - 24) : amount.start], text[amount.end : amount.end + 16]
    right = re.sub(rf"^\s*(?:{_CURRENCY.pattern})", "", right)
    if _BUDGET_BEFORE.search(left) or _BUDGET_AFTER.match(right):
        return True
    dear = any(isinstance(v, int | float) and v > _DEAREST_HOUR.get(amount.currency, 25.0) for v in amount.values)
    return dear and bool(_MONTHLY.search(text))


_ASKED = (
    r"requests?|questions?|queries|[ei]nquiries|calls?|tickets?|e-?mails?|mails?|messages?|letters?|orders?|(?:support )?cases?|"
    r"searches|lookups?"
)
_ASKED_JA = r"(?:件|通|問|リクエスト|問い合わせ|質問)(?!(?:の|もの)?(?:データ|文書|資料|契約|過去))"
_PER_DAY = re.compile(
    r"\s+(?!(?:hours?|minutes?|seconds?|days?|weeks?|months?|years?|times?|employees|staff|colleagues|people|persons?|percent|"
    r"dollars?|euros?|cents?|pounds?|tokens?|words?|gigs?|gb)\b)[a-z-]{3,}[^\d.!?;。]{0,40}?"
    r"\b(?:(?:each|every|per|a)\s+(?:single\s+|working\s+|business\s+)?day|daily)\b",
    re.IGNORECASE,
)
_DAY_BEFORE = re.compile(
    r"(?<![\d曜本今昨明翌祝休初期当先平\u4e00-\u9fff])(?:一日|平日|日)(?:に|あたり|当たり|平均)?\s*(?:約|およそ|だいたい)?\s*$"
)
_LOAD_BEFORE = re.compile(
    r"\b(?:traffic|load|volume|throughput needed|daily)\b\s*(?:is|of|at|around|about|:|=|will be|would be|could be)*\s*$"
    r"|(?:件数|負荷|トラフィック|アクセス数|問い合わせ数)\s*(?:は|が|を|:|約)*\s*$",
    re.IGNORECASE,
)
_KANJI_COUNT = re.compile(
    r"(?<![\d一-龥])(?:(?:一日|1日|毎日|日)(?:あたり|当たり|に|平均)?\s*)?(?P<n>[一二三四五六七八九十百千万]{2,})(?=[件通問回]|リクエスト)"
)
_LEAST_ASKED = 10


def with_loads(text: str, quantities: list[Quantity]) -> list[Quantity]:
    """With what comes in each day, also in kanji, and with counts of what is asked."""
    found: list[Quantity] = []
    for quantity in quantities:
        first = quantity.values[0]
        if quantity.kind in BARE and isinstance(first, int) and first > 0 and _is_load(text, quantity, first):
            quantity = quantity.model_copy(update={"kind": "requests_per_day"})
        found.append(quantity)
    for m in _KANJI_COUNT.finditer(text):
        start, end = m.span("n")
        per_head = re.search(r"[一1]人(?:が|あたり|当たり|につき)?$", text[max(0, m.start() - 8) : m.start()])
        if not per_head and not overlaps(start, end, [q.span for q in found]):
            value = _kanji_number(m["n"])
            found.append(Quantity(kind="requests_per_day", values=(value,), text=m["n"], start=start, end=end))
    return found


def _is_load(text: str, quantity: Quantity, first: int) -> bool:
    left, right = text[max(0, quantity.start - 30) : quantity.start], text[quantity.end :]
    if _DAY_BEFORE.search(left) and re.match(r"\s*(?:件|通|問|回|人|本|リクエスト|問い合わせ|質問)", right):
        return True
    if _PER_DAY.match(right) or _LOAD_BEFORE.search(left):
        return True
    asked = re.match(rf"\s*(?:[a-z]+\s+)?(?:{_ASKED})\b|\s*{_ASKED_JA}", right, re.IGNORECASE)
    on_a_date = re.search(r"(?<!\d)(?:[2-9]|[12]\d|3[01])日\s*$", left)
    return first >= _LEAST_ASKED and asked is not None and not on_a_date


_KANJI_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")}
_KANJI_UNITS = {"十": 10, "百": 100, "千": 1000}


def _kanji_number(text: str) -> int:
    total = part = digit = 0
    for c in text:
        if c in _KANJI_DIGITS:
            digit = _KANJI_DIGITS[c]
        elif c == "万":
            total, part, digit = total + (part + digit or 1) * 10_000, 0, 0
        else:
            part, digit = part + (digit or 1) * _KANJI_UNITS[c], 0
    return total + part + digit
