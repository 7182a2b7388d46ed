"""Amounts of money as plans, policies and reports write them."""

from __future__ import annotations

import re

from assistant.languages import Language
from assistant.phrases import has, say

WITHOUT_MINOR_UNIT = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
"""Currencies that have no smaller unit in use (ISO 4217, exponent 0)."""
_AMOUNT = re.compile(r"([A-Z]{3}) (\d[\d,.]*)(?:–(\d[\d,.]*))?")


def pattern_of(currency: str) -> str:
    """The format of an amount in a currency, the currency's code before it.

    Args:
        currency: ISO 4217 code; an amount without one is written alone.
    """
    return f"{currency} {_number_of(currency)}".strip()


def money_text(currency: str, low: float, high: float | None = None) -> str:
    """An amount, or a range where both ends are written differently.

    Args:
        currency: ISO 4217 code, or empty.
        low: The amount, or the lower end.
        high: The upper end.
    """
    number = _number_of(currency)
    ends = list(dict.fromkeys(number.format(each) for each in (low, low if high is None else high)))
    return f"{currency} {'–'.join(ends)}".strip()


def currency_word(currency: str, language: Language) -> str:
    """The currency as the language calls it; its code where it has no word for it.

    Args:
        currency: ISO 4217 code.
        language: Of the reader.
    """
    return say(f"currency.{currency}", language) if has(f"currency.{currency}") else currency


def spoken_amount(text: str, language: Language) -> str:
    """An amount of `money_text` as the language writes it, such as 4,800 円; any other text as it is.

    Args:
        text: A value or threshold of a record.
        language: Of the reader.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return text
    low, high = found[2], found[3]
    amount = say("currency.range", language, low=low, high=high) if high else low
    return say("currency.amount", language, amount=amount, currency=currency_word(found[1], language))


def _number_of(currency: str) -> str:
    return "{:,.0f}" if currency in WITHOUT_MINOR_UNIT else "{:,.2f}"
