"""The plan of the bundled model that the tests of this folder share, and how they get at it."""

from __future__ import annotations

from assistant.advice.plan_records import AdoptionPlan
from assistant.planning import find_version, read_plan
from assistant.stage_closing import close_stage

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
LOAD = {"requests_per_day": 20_000.0, "price_per_hour": 0.5, "currency": "USD"}


def first(services) -> AdoptionPlan:
    found = read_plan(services, find_version(services, {"model": MINILM}, "local", 1))
    assert found is not None
    return found


def newest(services) -> AdoptionPlan:
    found = read_plan(services, find_version(services, {"model": MINILM}, "local", None))
    assert found is not None
    return found


def close(services, stage="desk_check", decision="go", **given):
    return close_stage(services, {"model": MINILM}, stage, decision, **{"by": "Sato", **given})
