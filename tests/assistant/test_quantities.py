"""Numbers in a user's sentence get their kind from the words beside them, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.llm.quantities import find_quantities, normalise


@pytest.mark.parametrize(
    ("said", "kind", "values"),
    [
        ("Profile it with batch 1, 8 and 32", "batch", (1, 8, 32)),
        ("batch 1,8,32 on CPU", "batch", (1, 8, 32)),
        ("バッチ1、8、32で測って", "batch", (1, 8, 32)),
        ("is 2 GB of memory enough", "memory_gib", (2,)),
        ("GPUが24GBあれば足りる?", "memory_gib", (24,)),
        ("20,000 questions a day", "requests_per_day", (20000,)),
        ("1日3万件くらい", "requests_per_day", (30000,)),
        ("50k req/day", "requests_per_day", (50000,)),
        ("三万件/日", "requests_per_day", (30000,)),
        ("3万件/日", "requests_per_day", (30000,)),
        ("p95 200 ms、2.5万件/日", "requests_per_day", (25000,)),
        ("千件/日", "requests_per_day", (1000,)),
        ("0.5 dollars an hour", "price_per_hour", (0.5,)),
        ("about $1.20/hr", "price_per_hour", (1.2,)),
        ("1時間500円だと", "price_per_hour", (500,)),
        ("8k context", "length", (8192,)),
        ("512 tokens", "length", (512,)),
        ("長さ512トークンで", "length", (512,)),
        ("generate 200 tokens", "new_tokens", (200,)),
        ("p95 under 200 ms", "latency_ms", (200,)),
        ("in bf16 please", "dtype", ("bfloat16",)),
        ("run it on the GPU", "device", ("cuda",)),
        ("revision v1.2 please", "revision", ("v1.2",)),
    ],
)
def test_kind_and_values(said, kind, values):
    found = [(q.kind, q.values) for q in find_quantities(normalise(said))]
    assert (kind, values) in found


def test_currency_goes_with_the_price():
    (price,) = [q for q in find_quantities(normalise("1時間500円")) if q.kind == "price_per_hour"]
    assert price.currency == "JPY"


def test_full_width_digits_are_read():
    assert find_quantities(normalise("バッチ8"))[0].values == (8,)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_T30_any_text_is_read_without_failing(text):
    quantities = find_quantities(normalise(text))
    assert all(q.start < q.end <= len(normalise(text)) for q in quantities)
