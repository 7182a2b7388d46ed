"""Time boxes of the stages, made shorter where a deadline asks for it and only as far as a trial still says something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from assistant.advice.decision_records import STAGES, StageName
from assistant.advice.plan_records import Phase, Timing

USUAL_WEEKS: dict[StageName, int] = {"desk_check": 1, "proof_of_concept": 2, "pilot": 4, "production": 0}
"""Longest duration of a stage when nothing presses."""
SHORTEST_WEEKS: dict[StageName, int] = {"desk_check": 1, "proof_of_concept": 1, "pilot": 2, "production": 0}
"""Below this a stage tells nothing: a pilot needs a week beside the present process and one with users."""
_DAYS_PER_WEEK = 7


def time_boxes(
    today: dt.date, deadline: dt.date | None, closed: Sequence[StageName]
) -> tuple[dict[StageName, int], Timing]:
    """Weeks of each stage, and how they fit the deadline.

    Args:
        today: Day of the plan.
        deadline: Day by which it should be in production; None when nobody said.
        closed: Stages that are behind the team.
    """
    open_stages: list[StageName] = [stage for stage in STAGES if stage not in closed]
    weeks = dict(USUAL_WEEKS)
    if deadline is None:
        total = sum(weeks[s] for s in open_stages)
        return weeks, Timing(planned_on=today, weeks=total, deadline=None, fits=None, reached=None, shortened=False)
    there = (deadline - today).days // _DAYS_PER_WEEK
    # The pilot gives way first, since it is the longest; each stage keeps what it needs to tell anything.
    gives_way: tuple[StageName, ...] = ("pilot", "proof_of_concept")
    for stage in gives_way:
        over = sum(weeks[s] for s in open_stages) - there
        if over > 0 and stage in open_stages:
            weeks[stage] = max(SHORTEST_WEEKS[stage], weeks[stage] - over)
    total = sum(weeks[s] for s in open_stages)
    fits = total <= there
    return weeks, Timing(
        planned_on=today,
        weeks=total,
        deadline=deadline,
        fits=fits,
        reached=None if fits else _reached(open_stages, weeks, there),
        shortened=weeks != USUAL_WEEKS,
    )


def _reached(open_stages: Sequence[StageName], weeks: dict[StageName, int], there: int) -> StageName | None:
    reached: StageName | None = None
    for stage in open_stages:
        there -= weeks[stage]
        if there < 0:
            break
        reached = stage
    return reached


def latest_ends(
    deadline: dt.date | None, weeks: dict[StageName, int], open_stages: Sequence[StageName]
) -> dict[StageName, dt.date]:
    """Day by which each open stage must be over, counted back from the deadline."""
    if deadline is None:
        return {}
    ends: dict[StageName, dt.date] = {}
    day = deadline
    timed: list[StageName] = [s for s in open_stages if weeks[s]]
    for stage in reversed(timed):
        ends[stage] = day
        day -= dt.timedelta(days=weeks[stage] * _DAYS_PER_WEEK)
    return ends


def phases_of(stage: StageName, weeks: int) -> tuple[Phase, ...]:
    """The parts of a stage: a pilot runs in the shadow first, then for a limited group."""
    if stage != "pilot":
        return ()
    shadow = weeks // 2
    return (Phase(code="shadow", weeks=shadow), Phase(code="limited", weeks=weeks - shadow))
