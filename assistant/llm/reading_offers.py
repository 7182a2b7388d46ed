"""What somebody else asks for the same work, the busiest hour, and the response time, in a sentence about cost."""

from __future__ import annotations

import re

from assistant.llm.quantities import BARE, Kind, Quantity, overlaps, read_number

_MILLION = r"(?:(?:1|one|an?)\s?)?(?:million|mio\.?|m)|1,?000,?000|100万|百万"
_THOUSAND = r"(?:(?:1|one|an?)\s?)?(?:thousand|k)|1,?000|1?千"
_TOKENS = r"\s*-?\s*(?:(?:input|output)\s+)?(?:tokens?|toks?|トークン)"
_REQUESTS = (
    r"\s*(?:(?:api|inference)\s+)?(?:requests?|calls?|queries|query|questions?|search(?:es)?|documents?|docs?|texts?|inputs?|"
    r"images?|inferences?|e?-?mails?|messages?|lookups?|リクエスト|コール|文書|件|回|通|問|枚)"
)
_UNIT = (
    rf"(?:(?P<million_tokens>{_MILLION}){_TOKENS}|(?P<thousand_tokens>{_THOUSAND}){_TOKENS}|"
    rf"(?P<thousand_requests>{_THOUSAND}){_REQUESTS}|(?P<request>(?:1|one|an?)?){_REQUESTS})(?![A-Za-z])"
)
_PER_UNIT: dict[str, tuple[Kind, float]] = {
    "million_tokens": ("price_per_million_tokens", 1),
    "thousand_tokens": ("price_per_million_tokens", 1000),
    "thousand_requests": ("price_per_thousand_requests", 1),
    "request": ("price_per_thousand_requests", 1000),
}
_AMOUNT = r"(?<![\d.,])(?P<amount>\d+(?:,\d{3})*(?:\.\d+)?)"
_PRICED = (
    # "$2 per million tokens", "2円/件"
    re.compile(
        rf"{_AMOUNT}\s*(?:[A-Za-z]{{3,10}}|円|ドル|ユーロ|ポンド|[$€£¥])?\s*"
        rf"(?:per|/|for(?:\s+(?:each|every))?|each|every|an?(?=\s))\s*{_UNIT}",
        re.IGNORECASE,
    ),
    # "100万トークンあたり2ドル", "a million tokens cost $2"
    re.compile(
        rf"{_UNIT}\s*(?:あたり|当たり|につき|ごとに|ごと|で|が|は|:|=|costs?|is|are|at|for)*\s*(?:約|およそ|about\s|around\s)?\s*"
        rf"(?P<sign>[$€£¥]|[A-Z]{{3}}(?=\s?\d))?\s*{_AMOUNT}\s*"
        rf"(?P<word>円|ドル|ユーロ|ポンド|フラン|ウォン|元|(?i:usd|eur|jpy|gbp|dollars?|cents?|euros?|yen|pounds?)(?![a-z]))?"
    ),
)
_OTHERS = re.compile(
    r"\bapis?\b|\b(?:provider|vendor|supplier|competitor|offer|quote|saas|hosted|managed|service)s?\b|\binstead\b|\bagainst\b|\bvs\b|"
    r"\bversus\b|\bcompared?\b|\bthan\b|\bbreak[\s-]?even\b|\bpay(?:ing|s)? off\b|\bcharg(?:es?|ing)\b|\bcheaper\b|"
    r"他社|外部|サービス|比べ|比較|より|損益|元が取れ|課金|業者|ベンダー|競合|API|今は|現在は|乗り換え",
    re.IGNORECASE,
)
_PEAK = re.compile(
    r"(?:\bpeaks?\b|\bbusiest hour\b|\brush hour\b|\bspikes?\b|ピーク|繁忙|最も混む)[^.。!?\d]{0,24}?"
    r"(?P<after>\d+(?:\.\d+)?)\s*(?:x\b|×|times\b|[- ]?fold\b|倍)"
    r"|\bpeak[\s_-]*factor\b[^\d.]{0,8}(?P<factor>\d+(?:\.\d+)?)|ピーク係数[^\d。]{0,4}(?P<keisuu>\d+(?:\.\d+)?)"
    r"|(?P<before>\d+(?:\.\d+)?)\s*(?:x|×|times|倍の?)\s*(?:peaks?\b|spikes?\b|ピーク)",
    re.IGNORECASE,
)
_TARGET_BEFORE = re.compile(
    r"(?:p95|p-95|p99|95\s?%|latency|response(?:\s+times?)?|answers?|respond|within|under|below|less than|at most|max(?:imum)?|"
    r"no more than|target|応答(?:時間)?|レイテンシ|遅延|目標|返答)\W*(?:\w+\W+){0,3}$",
    re.IGNORECASE,
)
_TARGET_AFTER = re.compile(
    r"\s*(?:以内|以下|未満|までに|で(?:返|応答|答)|p95|or (?:less|faster)|latency|response)", re.IGNORECASE
)
_EACH_BEFORE = re.compile(r"(?:\bper|\bfor every|/)\s*$", re.IGNORECASE)
_EACH_AFTER = re.compile(r"\s*(?:件|回|通|問|枚|リクエスト|文書)?\s*(?:あたり|当たり|につき|ごと)")


def with_offers(text: str, quantities: list[Quantity]) -> list[Quantity]:
    """With the price of another offer, the busiest hour and a response time; what only prices a unit is no load.

    A price for requests is another's where the sentence speaks of somebody else; one for tokens always is.
    """
    found = [q for q in quantities if not _is_each(text, q) and (q.kind != "latency_ms" or _is_target(text, q))]
    for m in _PEAK.finditer(text):
        value = float(m["after"] or m["factor"] or m["keisuu"] or m["before"])
        found = _replaced(found, Quantity(kind="peak_factor", values=(value,), text=m[0], start=m.start(), end=m.end()))
    for offer in _offers(text, found):
        found = _replaced(found, offer)
    return found


def _is_each(text: str, quantity: Quantity) -> bool:
    """Whether a number says for how many something is asked, as in "cost per 1,000 documents"."""
    if quantity.kind not in {*BARE, "requests_per_day"}:
        return False
    return bool(_EACH_BEFORE.search(text[: quantity.start]) or _EACH_AFTER.match(text[quantity.end :]))


def _is_target(text: str, quantity: Quantity) -> bool:
    left = text[max(0, quantity.start - 40) : quantity.start]
    return bool(_TARGET_BEFORE.search(left) or _TARGET_AFTER.match(text[quantity.end :]))


def _offers(text: str, quantities: list[Quantity]) -> list[Quantity]:
    hourly = {q.currency for q in quantities if q.kind == "price_per_hour" and q.currency}
    offers = []
    for pattern in _PRICED:
        for m in pattern.finditer(text):
            unit = next(name for name in _PER_UNIT if m[name] is not None)
            if pattern is _PRICED[1] and not (m["sign"] or m["word"]):
                continue
            offer = _offer(text, m, unit, quantities)
            if offer and not overlaps(*offer.span, [o.span for o in offers]):
                offers.append(offer)
    # Nobody here knows rates of exchange.
    return [o for o in offers if not (o.currency and hourly and o.currency not in hourly)]


def _offer(text: str, m: re.Match[str], unit: str, quantities: list[Quantity]) -> Quantity | None:
    amount = next((q for q in quantities if q.start <= m.start("amount") < q.end and q.currency), None)
    kind, factor = _PER_UNIT[unit]
    in_requests = kind == "price_per_thousand_requests"
    if in_requests and amount is None:
        return None
    value = amount.values[0] if amount else read_number(m["amount"])
    start = min(m.start(), amount.start) if amount else m.start()
    end = max(m.end(), amount.end) if amount else m.end()
    currency = amount.currency if amount else ""
    if in_requests and not _OTHERS.search(text):
        # A price of a unit that is nobody's: a margin, a budget. It is neither an hour's price nor an offer.
        return Quantity(
            kind="currency", values=(currency,), text=text[start:end], start=start, end=end, currency=currency
        )
    exact = round(float(value) * factor, 9)
    return Quantity(kind=kind, values=(exact,), text=text[start:end], start=start, end=end, currency=currency)


def _replaced(quantities: list[Quantity], found: Quantity) -> list[Quantity]:
    return [*(q for q in quantities if not overlaps(*q.span, [found.span])), found]
