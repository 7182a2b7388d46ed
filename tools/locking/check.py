"""The check of a whole lock: every model against its present content and against a policy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.locking.drift import ModelState, check_model
from tools.locking.policy import Policy, RuleResult, apply_policy
from tools.locking.records import Lock, LockedModel
from tools.model_sources import ModelSources


class CheckedModel(BaseModel):
    """One model of a lock, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: ModelState
    """Whether it is still what was locked."""
    rules: tuple[RuleResult, ...]
    """What the policy's rules say of it; empty without a policy."""
    verdict: Literal["passed", "failed", "unavailable"]
    """failed: it drifted or a rule does not hold · unavailable: it could not be looked at."""


class LockCheck(BaseModel):
    """A lock, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Literal["passed", "failed", "unavailable"]
    """The worst of the models': failed before unavailable before passed."""
    checked_at: dt.datetime
    """When, UTC."""
    models: tuple[CheckedModel, ...]
    """One entry for each model of the lock."""


def check_lock(
    lock: Lock,
    lock_path: Path,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    ask_hub: bool = False,
    policy: Policy | None = None,
) -> LockCheck:
    """Check every model of a lock.

    Args:
        lock: What was adopted.
        lock_path: Its file; folders are named from where it lies.
        sources: Where models may come from.
        ask_hub: Whether the hub is asked what the names stand for now.
        policy: Rules to meet.

    Returns:
        The verdict and what it rests on.
    """
    now = dt.datetime.now(dt.UTC)
    models = tuple(
        _checked(model, check_model(model, lock_path, sources=sources, ask_hub=ask_hub), policy, now)
        for model in lock.models
    )
    verdicts = {model.verdict for model in models}
    worst = "failed" if "failed" in verdicts else "unavailable" if "unavailable" in verdicts else "passed"
    return LockCheck(verdict=worst, checked_at=now, models=models)


def _checked(model: LockedModel, state: ModelState, policy: Policy | None, now: dt.datetime) -> CheckedModel:
    looked_at = state.source is not None
    advisories = state.advisories if looked_at else None
    rules = apply_policy(policy, model, advisories=advisories, now=now) if policy is not None else ()
    # What could not be looked at is no failure of the model: the verdict says so, and is no pass either.
    broken = [each for each in rules if not each.holds and (looked_at or each.outcome == "failed")]
    if state.state == "drifted" or broken:
        return CheckedModel(state=state, rules=rules, verdict="failed")
    verdict = "unavailable" if state.state == "unavailable" else "passed"
    return CheckedModel(state=state, rules=rules, verdict=verdict)
