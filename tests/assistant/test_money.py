"""Amounts of money as the reader's language writes them."""

from __future__ import annotations

import pytest

from assistant.money import money_text, spoken_amount
from assistant.rendering.cost_tables import money


@pytest.mark.parametrize(
    ("amount", "en", "ja"),
    [
        (("JPY", 4800.0), "JPY 4,800", "4,800 円"),
        (("JPY", 4800.0, 6100.4), "JPY 4,800–6,100", "4,800〜6,100 円"),
        (("USD", 1234.5), "USD 1,234.50", "1,234.50 ドル"),
        (("SEK", 12.0), "SEK 12.00", "12.00 SEK"),
        (("", 300.0), "300.00", "300.00"),
    ],
)
def test_an_amount_carries_the_currency_s_own_word(amount, en, ja):
    written = money_text(*amount)
    assert (spoken_amount(written, "en"), spoken_amount(written, "ja")) == (en, ja)


@pytest.mark.parametrize("text", ["512 MiB", "budget", "JPY", "JPY 4,800 a month", "ABCD 12", ""])
def test_what_is_no_amount_stays_as_it_is(text):
    assert spoken_amount(text, "ja") == text


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (4800.0, "JPY", "4,800"),
        (12.345, "JPY", "12"),
        (72.0, "JPY", "72"),
        (72.0, "USD", "72.00"),
        (0.01234, "JPY", "0.0123"),
        (4800.0, "USD", "4,800.00"),
        (None, "JPY", "–"),
    ],
)
def test_an_amount_has_cents_only_where_there_are_any(amount, currency, written):
    assert money(amount, currency) == written
