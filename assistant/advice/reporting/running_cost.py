"""The estimated running cost within a report."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from assistant.advice.cost_records import CostEstimate
from assistant.advice.reporting.content import Block, Column, Listing, Paragraph, Row, Section, Table, cite
from assistant.advice.reporting.material import Material
from assistant.languages import Language
from assistant.money import currency_word
from assistant.phrases import say
from assistant.rendering.cost_tables import between, count, money


def cost_sections(material: Material) -> Iterator[Section]:
    """The estimate of the cost with its assumptions; nothing without one."""
    found, language = material.newest("estimate_cost"), material.language
    if found is None:
        return
    record: CostEstimate = found.record
    rows = tuple(
        Row(
            cells=(
                f"{100 * option.utilisation:.0f} %",
                between(option.devices_range.low, option.devices_range.high, count, language)
                if option.devices_range
                else count(option.devices),
                _money_range(option.cost_per_month, option.cost_per_month_range, record.currency, language),
                money(option.cost_per_thousand_requests, record.currency),
            )
        )
        for option in record.options
    )
    blocks: list[Block] = []
    if rows:
        titles = ("utilisation", "devices", "month", "thousand")
        blocks.append(
            Table(
                caption=say(
                    "report.measured.cost_caption",
                    language,
                    currency=currency_word(record.currency, language),
                    id=cite(found.id),
                ),
                columns=tuple(Column(title=say(f"report.column.{title}", language), numeric=True) for title in titles),
                rows=rows,
            )
        )
    if record.assumptions:
        blocks.append(Paragraph(text=say("report.measured.cost_assumes", language)))
        blocks.append(Listing(items=tuple(material.told(each) for each in record.assumptions)))
    yield Section(id="cost", title=say("report.measured.cost", language), blocks=tuple(blocks))


def _money_range(amount: float | None, interval: Any, currency: str, language: Language) -> str:
    if amount is None:
        return ""
    written = partial(money, currency=currency)
    return between(interval.low, interval.high, written, language) if interval else written(amount)
