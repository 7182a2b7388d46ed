"""The model, targets and day of the plans that are tested here, and what speaks against their next stage."""

from __future__ import annotations

import datetime as dt

MODEL = "org/model"
TODAY = dt.date(2026, 11, 27)
TARGETS = {"requests_per_day": 10_000.0, "price_per_hour": 1.0, "currency": "USD"}


def effects(plan):
    """What speaks against the next stage, by rule."""
    return {rule.rule: rule.effect for rule in plan.rules if rule.effect not in {"supports", "silent"}}
