"""Amounts of money as plans, policies and reports write them."""

from __future__ import annotations

_WITHOUT_MINOR_UNIT = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
"""Currencies that have no smaller unit in use (ISO 4217, exponent 0)."""


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


def _number_of(currency: str) -> str:
    return "{:,.0f}" if currency in _WITHOUT_MINOR_UNIT else "{:,.2f}"
