"""The cost of serving as Markdown: three points for a manager, tables and the command for an engineer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.money import currency_word
from assistant.phrases import say
from assistant.rendering.cost_tables import (
    between,
    break_even_table,
    capacity_table,
    count,
    money,
    options_table,
    response_times_table,
    sensitivity_table,
)
from assistant.rendering.style import Rendered, code, next_step, plain
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

_ASKED = {(False, False): "cost.ask", (False, True): "cost.ask_load", (True, False): "cost.ask_price"}
"""What is asked for, by whether load and price are known."""


def render_cost(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `estimate_cost`."""
    record: Any = result.record
    known = (record.requests_per_day is not None, record.price_per_hour is not None)
    points = [
        p
        for p in (
            _depends(record, language),
            _target(record, language),
            _alternative(record, language),
            say("cost.noisy", language) if record.noise == "noisy" else "",
        )
        if p
    ]
    # Of a load that whole devices carry with room, the table by utilisation has no ranges to explain.
    ranged = not record.options or any(
        o.devices_range and o.devices_range.low < o.devices_range.high for o in record.options
    )
    details = [
        options_table(record, language) if record.options else capacity_table(record, language),
        *points,
        basis_text(record, language) + (_spread(record, language) if ranged else ""),
    ]
    deeper = [
        capacity_table(record, language) if record.options else "",
        "" if ranged else _spread(record, language).strip(),
        sensitivity_table(record, language),
        response_times_table(record, language),
        break_even_table(record, language),
        _assumptions(record, language),
        say("common.reproduce", language, text=code(_command(record), 400)),
    ]
    step = say(_ASKED[known], language) if known in _ASKED else _next_step(record, language)
    return Rendered(
        _headline(result, language),
        "\n\n".join(p for p in details if p),
        next_step(step, language),
        choices=(say("reading.plan_adoption", language, model=record.model),) if all(known) else (),
        points="\n".join(f"- {p}" for p in points),
        deeper="\n\n".join(p for p in deeper if p),
    )


def _headline(result: TurnResult, language: Language) -> str:
    record: Any = result.record
    middle = record.at_capacity[len(record.at_capacity) // 2] if record.at_capacity else None
    if (needed := needed_devices(record)) is not None and needed.cost_per_month is not None:
        return say(
            "cost.headline_target",
            language,
            currency=currency_word(plain(record.currency), language),
            amount=money(needed.cost_per_month, record.currency),
            target=f"{record.queueing.target_p95_ms:,.0f}",
            requests=record.requests_per_day,
            price=record.price_per_hour,
            id=result.evidence_id,
        )
    if record.options and record.price_per_hour is not None:
        months = [o.cost_per_month for o in record.options]
        return say(
            "cost.headline",
            language,
            currency=currency_word(plain(record.currency), language),
            amount=between(min(months), max(months), partial(money, currency=record.currency), language),
            requests=record.requests_per_day,
            price=record.price_per_hour,
            id=result.evidence_id,
        )
    if record.options:
        devices = [o.devices for o in record.options]
        amount = between(min(devices), max(devices), count, language)
        return say("cost.devices", language, devices=amount, requests=record.requests_per_day, id=result.evidence_id)
    if middle is not None and middle.cost_per_thousand_requests is not None:
        return say(
            "cost.at_capacity",
            language,
            currency=currency_word(plain(record.currency), language),
            amount=money(middle.cost_per_thousand_requests, record.currency),
            utilisation=100 * middle.utilisation,
            capacity=middle.requests_per_day,
            id=result.evidence_id,
        )
    return say(
        "cost.missing", language, capacity=record.capacity_per_day, utilisation=40, profile=record.profile_evidence
    )


def basis_text(record: Any, language: Language) -> str:
    """The measured throughput behind a cost, and how busy the load keeps a device."""
    basis = say(
        "cost.basis",
        language,
        throughput=record.throughput_per_s,
        unit=translate(record.unit, language),
        batch=record.batch_size,
        profile=record.profile_evidence,
    )
    if record.busy_percent is not None:
        basis += say("cost.busy", language, busy=f"{record.busy_percent:.3g}")
    return basis


def _spread(record: Any, language: Language) -> str:
    """What the ranges in brackets are."""
    return "" if record.spread_basis == "unknown" else say(f"cost.spread.{record.spread_basis}", language)


def _depends(record: Any, language: Language) -> str:
    most = next((s for s in record.sensitivity if s.input == record.moves_most), None)
    if most is None:
        return say("cost.depends_on_nothing", language) if record.sensitivity else ""
    if most.input == "price":
        return say("cost.depends_on_price", language)
    return say(
        "cost.depends",
        language,
        input=say(f"cost.input.{most.input}", language),
        cheap=f"{most.cheap_percent:+.0f}",
        dear=f"{most.dear_percent:+.0f}",
    )


def _next_step(record: Any, language: Language) -> str:
    most = "throughput" if record.noise == "noisy" else record.moves_most or "price"
    return say(f"cost.next.{most}", language, batch=record.batch_size)


def _target(record: Any, language: Language) -> str:
    """How many devices keep the response time that was asked for."""
    queueing = record.queueing
    if queueing is None or queueing.target_p95_ms is None:
        return ""
    target = f"{queueing.target_p95_ms:,.0f}"
    if queueing.devices_for_target is None:
        service = f"{queueing.service_p95_ms or queueing.service_p50_ms:,.1f}"
        return say("cost.target_out_of_reach", language, target=target, service=service)
    needed = needed_devices(record)
    met = say(
        "cost.target_met",
        language,
        target=target,
        peak=queueing.peak_factor,
        devices=f"{needed.devices:,}",
        p95=f"{needed.response_p95_ms:,.1f}",
    )
    months = [o.cost_per_month for o in record.options if o.cost_per_month is not None]
    if not months or min(months) >= needed.cost_per_month:
        return met
    amount = between(min(months), max(months), partial(money, currency=record.currency), language)
    return met + say(
        "cost.target_batches", language, currency=currency_word(plain(record.currency), language), amount=amount
    )


def needed_devices(record: Any) -> Any:
    """The row of the devices that keep the response time; None without a target or when none do."""
    queueing = record.queueing
    if queueing is None or queueing.devices_for_target is None:
        return None
    return next(each for each in queueing.at if each.devices == queueing.devices_for_target)


def _alternative(record: Any, language: Language) -> str:
    """Whether own devices are cheaper than the price that was named, and from which load on."""
    if record.break_even is None:
        return ""
    middle = len(record.break_even.at) // 2
    at = record.break_even.at[middle]
    if at.from_requests_per_day is None:
        verdict = say("cost.never_cheaper", language, load=at.capacity_per_day, utilisation=100 * at.utilisation)
    else:
        verdict = say(
            "cost.cheaper_from", language, load=math.ceil(at.from_requests_per_day), utilisation=100 * at.utilisation
        )
    if at.cheaper_here is None:
        return verdict
    return verdict + say(
        "cost.here.never" if at.from_requests_per_day is None else f"cost.here.{at.cheaper_here}",
        language,
        currency=currency_word(plain(record.currency), language),
        own=money(record.options[middle].cost_per_month, record.currency),
        other=money(record.break_even.alternative_cost_per_month, record.currency),
    )


def _assumptions(record: Any, language: Language) -> str:
    lines = [translate(each, language) for each in record.assumptions]
    return "\n".join([say("cost.assumptions", language), *(f"- {line}" for line in lines)])


def _command(record: Any) -> str:
    given: dict[str, Any] = {
        "requests-per-day": record.requests_per_day,
        "price-per-hour": record.price_per_hour,
        "currency": record.currency if record.price_per_hour is not None else None,
        "latency-p95-target-ms": record.queueing.target_p95_ms if record.queueing else None,
        "peak-factor": record.queueing.peak_factor if record.queueing else None,
    }
    if record.break_even is not None:
        name = record.break_even.given_as
        given[f"alternative-price-per-{name.replace('_', '-')}"] = getattr(record.break_even, f"price_per_{name}")
    options = (
        f" --{name} {value:.10g}" if isinstance(value, int | float) else f" --{name} {value}"
        for name, value in given.items()
        if value is not None
    )
    return f"tameshi estimate-cost {record.model}" + "".join(options)
