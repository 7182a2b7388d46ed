"""The tables behind a cost: by utilisation, at capacity, what moves it, response times, break-even."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from assistant.languages import Language
from assistant.money import WITHOUT_MINOR_UNIT, currency_word
from assistant.phrases import say
from assistant.rendering.style import plain, table

_NO_FIGURE = "–"


def money(amount: float | None, currency: str) -> str:
    """An amount with as many figures as one reads: from one up cents where the currency has them, three figures below."""
    if amount is None:
        return _NO_FIGURE
    if amount == 0 or abs(amount) >= 1:
        whole = currency in WITHOUT_MINOR_UNIT or abs(amount) >= 10_000
        return f"{amount:,.0f}" if whole else f"{amount:,.2f}"
    return f"{amount:.{min(12, 2 - math.floor(math.log10(abs(amount))))}f}"


def count(value: float) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,.0f}"


def between(low: float, high: float, written: Any, language: Language) -> str:
    """Both ends of a range, or the one figure that they are."""
    ends = written(low), written(high)
    return ends[0] if ends[0] == ends[1] else say("cost.range", language, low=ends[0], high=ends[1])


def _with_range(value: float | None, interval: Any, written: Any) -> str:
    """A figure, and the range of the measurement behind it where that makes a difference."""
    if value is None:
        return _NO_FIGURE
    if interval is None or written(interval.low) == written(interval.high):
        return written(value)
    return f"{written(value)} ({written(interval.low)}–{written(interval.high)})"


def options_table(record: Any, language: Language) -> str:
    """The cost of the load by utilisation."""
    written = partial(money, currency=record.currency)
    rows = [
        [
            f"{100 * o.utilisation:.0f} %",
            _with_range(o.devices, o.devices_range, count),
            written(o.cost_per_day),
            _with_range(o.cost_per_month, o.cost_per_month_range, written),
            written(o.cost_per_thousand_requests),
            written(o.cost_per_million_tokens),
        ]
        for o in record.options
    ]
    return _table("columns", rows, language)


def _table(header: str, rows: list[list[str]], language: Language) -> str:
    """A table without the columns of which nothing is known, such as amounts before a price was told."""
    titles = [title.strip() for title in say(f"cost.{header}", language).strip("|").split("|")]
    known = [i for i in range(len(titles)) if any(row[i] != _NO_FIGURE for row in rows)]
    return table(f"| {' | '.join(titles[i] for i in known)} |", [[row[i] for i in known] for row in rows])


def capacity_table(record: Any, language: Language) -> str:
    """What requests and tokens cost on devices that are used to capacity."""
    written = partial(money, currency=record.currency)
    rows = [
        [
            f"{100 * each.utilisation:.0f} %",
            _with_range(each.requests_per_day, each.requests_per_day_range, count),
            _with_range(each.cost_per_thousand_requests, each.cost_per_thousand_requests_range, written),
            _with_range(each.cost_per_million_tokens, each.cost_per_million_tokens_range, written),
        ]
        for each in record.at_capacity
    ]
    title = say("cost.capacity_title", language)
    return f"{title}\n\n{_table('capacity_columns', rows, language)}" if rows else ""


def sensitivity_table(record: Any, language: Language) -> str:
    """What each input does to the result; empty when there is no result."""
    rows = [
        [
            say(f"cost.input.{s.input}", language),
            _value(s, s.value, record),
            f"{_value(s, s.cheap_value, record)} → {s.cheap_percent:+.0f} %" if s.cheap_percent else _NO_FIGURE,
            f"{_value(s, s.dear_value, record)} → {s.dear_percent:+.0f} %" if s.dear_percent else _NO_FIGURE,
            say(f"cost.range_from.{s.basis}", language),
        ]
        for s in record.sensitivity
    ]
    if not rows:
        return ""
    title = say("cost.sensitivity_title", language, result=say(f"cost.result.{record.sensitivity_of}", language))
    return f"{title}\n\n{table(say('cost.sensitivity_columns', language), rows)}"


def _value(sensitivity: Any, value: float, record: Any) -> str:
    if sensitivity.input == "utilisation":
        return f"{100 * value:.0f} %"
    if sensitivity.input == "price":
        return money(value, record.currency)
    return f"{value:,.1f}" if sensitivity.input == "throughput" and value < 1000 else f"{value:,.0f}"


def response_times_table(record: Any, language: Language) -> str:
    """The busiest hour by number of devices; empty without a load."""
    queueing = record.queueing
    if queueing is None:
        return ""
    rows = [
        [
            f"{each.devices:,}",
            _percent(each.busy_percent),
            *(
                [_percent(each.wait_percent), f"{each.response_p95_ms:,.1f}"]
                if each.response_p95_ms is not None
                else [_NO_FIGURE, say("cost.overloaded", language)]
            ),
            money(each.cost_per_month, record.currency),
        ]
        for each in queueing.at
    ]
    title = say(
        "cost.queue_title",
        language,
        peak=queueing.peak_factor,
        arrivals=f"{queueing.arrivals_per_s:.3g}",
        service=f"{queueing.service_p50_ms:,.1f}",
        batch=queueing.batch_size,
    )
    parts = [title, table(say("cost.queue_columns", language), rows), _batching(queueing, language)]
    return "\n\n".join(p for p in parts if p)


def _percent(value: float) -> str:
    return "< 0.1 %" if value < 0.1 else f"{value:,.1f} %" if value < 10 else f"{value:,.0f} %"


def _batching(queueing: Any, language: Language) -> str:
    if queueing.batch_within_target is None or queueing.batch_within_target <= queueing.batch_size:
        return ""
    alone = 1000 * queueing.batch_size / queueing.service_p50_ms
    return say(
        "cost.batching",
        language,
        batch=queueing.batch_within_target,
        gain=f"{queueing.batch_requests_per_s / alone:.1f}",
        latency=f"{queueing.batch_latency_p50_ms:,.1f}",
    )


def break_even_table(record: Any, language: Language) -> str:
    """From which load own devices are cheaper; empty without another offer."""
    if record.break_even is None:
        return ""
    rows = [
        [
            f"{100 * each.utilisation:.0f} %",
            count(each.capacity_per_day),
            *(
                say("cost.never", language) if load is None else count(math.ceil(load))
                for load in (each.from_requests_per_day, each.always_from_requests_per_day)
            ),
        ]
        for each in record.break_even.at
    ]
    price = money(record.break_even.price_per_thousand_requests, record.currency)
    title = say(
        "cost.break_even_title", language, currency=currency_word(plain(record.currency), language), price=price
    )
    return f"{title}\n\n{table(say('cost.break_even_columns', language), rows)}"
