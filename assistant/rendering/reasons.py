"""Why a result is as it is, and what comes next, from its record: the answers to a short follow-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.advice.serving import DAYS_PER_MONTH
from assistant.languages import Language
from assistant.money import currency_word
from assistant.phrases import say
from assistant.rendering.advice import next_of_plan
from assistant.rendering.cost import basis_text, needed_devices
from assistant.rendering.cost_tables import money
from assistant.rendering.plan_parts import before_text, reasons_text, verdict_text
from assistant.rendering.results import rendered
from assistant.rendering.style import plain

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult


def why(result: TurnResult, language: Language) -> str:
    """What a result rests on: a cost's formula with its figures, a plan's decisive rules, else the points of a tool.

    Args:
        result: The result that is asked about.
        language: Language of the text.
    """
    if result.tool == "plan_adoption":
        plan: Any = result.record
        return "\n\n".join([_verdict(result, language), reasons_text(plan, language), next_of_plan(plan, language)[0]])
    shown = rendered(result, language, [result])
    if result.tool == "estimate_cost":
        parts = [shown.headline, _formula(result.record, language), _basis(result.record, language), shown.points]
    else:
        parts = [shown.headline, shown.points or shown.details]
    return "\n\n".join(part for part in parts if part)


def what_next(result: TurnResult, language: Language) -> str:
    """The next step that a result leads to; empty when it leads to none.

    Args:
        result: The result that is asked about.
        language: Language of the text.
    """
    if result.tool != "plan_adoption":
        shown = rendered(result, language, [result])
        return f"{shown.headline}\n\n{shown.advice}" if shown.advice else ""
    plan: Any = result.record
    # The next step of a plan that cannot go on is to settle its reasons; one that can has a stage to prepare.
    before = [] if plan.may_go_on else [reasons_text(plan, language)]
    after = before_text(plan.stage(plan.next_stage), language) if plan.may_go_on else []
    return "\n\n".join([_verdict(result, language), *before, *next_of_plan(plan, language), *after])


def _verdict(result: TurnResult, language: Language) -> str:
    plan: Any = result.record
    return f"{verdict_text(plan, language)} [{result.evidence_id}]"


def _formula(record: Any, language: Language) -> str:
    """The amounts a month as price x hours x days x devices; empty without a load or a price."""
    if not record.options or record.price_per_hour is None:
        return ""
    by_devices: dict[int, list[str]] = {}
    for option in record.options:
        by_devices.setdefault(option.devices, []).append(f"{100 * option.utilisation:.0f}")
    cases = {
        devices: say("explained.at_utilisation", language, utilisation=" / ".join(shares))
        for devices, shares in by_devices.items()
    }
    lines = [_product(record, devices, case, language) for devices, case in cases.items()]
    if (needed := needed_devices(record)) is not None:
        case = say("explained.within_target", language, target=f"{record.queueing.target_p95_ms:,.0f}")
        lines.insert(0, _product(record, needed.devices, case, language))
    return "\n".join([say("explained.formula", language), *lines])


def _product(record: Any, devices: int, case: str, language: Language) -> str:
    return say(
        "explained.product",
        language,
        case=case,
        price=f"{record.price_per_hour:g}",
        days=DAYS_PER_MONTH,
        devices=f"{devices:,}",
        amount=money(record.price_per_hour * 24 * DAYS_PER_MONTH * devices, record.currency),
        currency=currency_word(plain(record.currency), language),
    )


def _basis(record: Any, language: Language) -> str:
    basis = basis_text(record, language)
    return basis + say("explained.devices", language) if record.busy_percent is not None else basis
