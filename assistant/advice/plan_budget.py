"""What the devices of each stage cost, as a range drawn from the stored estimate."""

from __future__ import annotations

from typing import Any

from assistant.advice.decision_records import StageName
from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_records import StageBudget
from assistant.advice.serving import DAYS_PER_MONTH

_HOURS_PER_WEEK = 24 * 7
_WORKING_HOURS_PER_WEEK = 40
_DAYS_PER_WEEK = 7


def monthly_range(cost: dict[str, Any]) -> tuple[float, float]:
    """Lowest and highest cost a month of an estimate, over its utilisations and the spread of the measurement.

    Args:
        cost: The record of `estimate_cost`, with amounts.
    """
    lows, highs = [], []
    for option in cost["options"]:
        spread = option.get("cost_per_month_range") or {}
        lows.append(spread.get("low") or option["cost_per_month"])
        highs.append(spread.get("high") or option["cost_per_month"])
    needed = for_response_time(cost)
    return max(min(lows), needed), max(*highs, needed)


def for_response_time(cost: dict[str, Any]) -> float:
    """Cost a month of the devices that keep the response time; 0 without such a target."""
    queueing = cost.get("queueing") or {}
    rows = {row["devices"]: row["cost_per_month"] for row in queueing.get("at", ())}
    return rows.get(queueing.get("devices_for_target")) or 0.0


def stage_budget(stage: StageName, weeks: int, facts: PlanFacts) -> StageBudget:
    """The budget of a stage, or why there is none.

    Args:
        stage: The stage.
        weeks: Its time box in weeks.
        facts: What is known.
    """
    if stage == "desk_check":
        return StageBudget(reason="nothing_runs")
    cost = facts.cost
    if cost is None:
        return StageBudget(reason=_why_unknown(facts), per="month" if stage == "production" else "stage")
    low, high = monthly_range(cost.record)
    known = {"currency": cost.record["currency"], "evidence": cost.id}
    if stage == "production":
        return StageBudget(low=round(low, 2), high=round(high, 2), per="month", basis="full_load", **known)
    if stage == "pilot":
        share = weeks * _DAYS_PER_WEEK / DAYS_PER_MONTH
        return StageBudget(low=round(low * share, 2), high=round(high * share, 2), basis="share_of_month", **known)
    hourly = cost.record["price_per_hour"] * weeks
    return StageBudget(low=hourly * _WORKING_HOURS_PER_WEEK, high=hourly * _HOURS_PER_WEEK, basis="one_device", **known)


def _why_unknown(facts: PlanFacts) -> str:
    if facts.latency_p95_ms is None and facts.record_of("profile_model") is None:
        return "not_measured"
    told = {"requests_per_day", "price_per_hour"} <= facts.targets.keys()
    return "not_estimated" if told else "not_told"
