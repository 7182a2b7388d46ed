"""Rules that every locked model must meet: a small TOML file, each rule passed, failed or not checkable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.advisories import Advisory
from tools.locking.document import parse_record
from tools.locking.records import LockedModel

POLICY_VERSION = 1
"""Version of the policy's schema that is known."""
_ENDINGS = {
    "safetensors": ("safetensors",),
    "pickle": ("bin", "pt", "pth", "ckpt", "pkl", "pickle", "joblib"),
    "onnx": ("onnx",),
    "gguf": ("gguf",),
    "keras": ("h5", "keras"),
    "flax": ("msgpack",),
}
_FORMAT_OF = {ending: name for name, endings in _ENDINGS.items() for ending in endings}

Format = Literal["safetensors", "pickle", "onnx", "gguf", "keras", "flax"]
"""Formats of weights."""


class Policy(BaseModel):
    """What a team allows; a rule that is absent is not checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Annotated[int, Field(ge=1, le=POLICY_VERSION)] = POLICY_VERSION
    """Version of the schema."""
    licences: tuple[str, ...] | None = None
    """SPDX identifiers of the licences that are allowed, for the model and what it is known to be made of."""
    formats: tuple[Format, ...] | None = None
    """Formats of weights that are allowed."""
    minimum_documentation_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Lowest accepted documentation score, 0 to 1."""
    allowed_advisories: tuple[str, ...] | None = None
    """Known vulnerabilities that are accepted, by id; an empty list accepts none."""
    largest_memory_mib: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Highest accepted forecast of the peak memory, in MiB."""
    require_pinned: bool | None = None
    """Whether the reference itself must name a commit (or a folder)."""
    require_evidence: tuple[str, ...] | None = None
    """Tools whose evidence the lock must hold, such as `profile_model`."""
    maximum_evidence_age_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Highest accepted age of any evidence, in days."""
    not_checkable: Literal["fails", "passes"] = "fails"
    """What a rule means that cannot be checked."""


class RuleResult(BaseModel):
    """What one rule says of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    """Name of the rule, as in the policy."""
    outcome: Literal["passed", "failed", "not_checkable"]
    """Whether the model meets it."""
    holds: bool
    """Whether it lets the model through: passed, or not checkable where the policy accepts that."""
    found: str
    """What was found, one sentence."""


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Args:
        path: The file.

    Returns:
        The policy.

    Raises:
        InvalidLock: It is not there, or not what the schema asks for; an unknown rule is refused with the nearest name.
    """
    return parse_record(path, Policy, POLICY_VERSION)


def apply_policy(
    policy: Policy, model: LockedModel, *, advisories: Sequence[Advisory] | None = None, now: dt.datetime | None = None
) -> tuple[RuleResult, ...]:
    """Apply every rule of a policy to a locked model.

    Args:
        policy: The rules.
        model: The entry of the lock.
        advisories: What its files reach now; None when they could not be looked at.
        now: The present time; the clock's when absent.

    Returns:
        One result for each rule that the policy has, in its order.
    """
    results = (
        _licences(policy, model),
        _formats(policy, model),
        _documentation(policy, model),
        _advisories(policy, model, advisories),
        _memory(policy, model),
        _pinned(policy, model),
        _evidence(policy, model),
        _age(policy, model, now or dt.datetime.now(dt.UTC)),
    )
    return tuple(
        RuleResult(
            rule=rule,
            outcome="not_checkable" if passed is None else "passed" if passed else "failed",
            holds=policy.not_checkable == "passes" if passed is None else passed,
            found=found,
        )
        for each in results
        if each is not None
        for rule, passed, found in [each]
    )


_Result = tuple[str, bool | None, str] | None
"""Rule, whether it is met (None: not checkable), and what was found; None when the policy does not have the rule."""


def _licences(policy: Policy, model: LockedModel) -> _Result:
    if policy.licences is None:
        return None
    allowed = {each.casefold() for each in policy.licences}
    licence = model.licence
    refused = [part for part in licence.lineage if part.spdx.casefold() not in allowed]
    if licence.spdx is not None and licence.spdx.casefold() not in allowed:
        return "licences", False, f"The licence is `{licence.spdx}`."
    if licence.agreement == "differs":
        return "licences", False, f"The licence text is `{licence.spdx}`, but the card's tag says `{licence.tag}`."
    if refused:
        return "licences", False, f"It was made of `{refused[0].name}`, whose licence is `{refused[0].spdx}`."
    if licence.spdx is None:
        return "licences", None, "The licence is not one that is known here."
    return "licences", True, f"The licence is `{licence.spdx}`."


def _formats(policy: Policy, model: LockedModel) -> _Result:
    if policy.formats is None:
        return None
    found = sorted({name for file in model.files if (name := _FORMAT_OF.get(file.name.rpartition(".")[2].lower()))})
    if not found:
        return "formats", None, "The lock names no file of weights."
    return "formats", set(found) <= set(policy.formats), f"The weights are stored as {', '.join(found)}."


def _documentation(policy: Policy, model: LockedModel) -> _Result:
    wanted, score = policy.minimum_documentation_score, model.documentation_score
    if wanted is None:
        return None
    if score is None:
        return "minimum_documentation_score", None, "The lock holds no documentation score."
    return (
        "minimum_documentation_score",
        score >= wanted,
        f"The documentation score is {score:.2f}, asked for is {wanted:.2f}.",
    )


def _advisories(policy: Policy, model: LockedModel, present: Sequence[Advisory] | None) -> _Result:
    if policy.allowed_advisories is None:
        return None
    reached = {*model.advisories} if present is None else {each.id for each in present if each.affected}
    rest = sorted(reached - set(policy.allowed_advisories))
    if rest:
        return (
            "allowed_advisories",
            False,
            f"Its files reach known vulnerabilities of installed libraries: {', '.join(rest)}.",
        )
    if present is None:
        return "allowed_advisories", None, "The files could not be looked at, so newer advisories are not known."
    return "allowed_advisories", True, "No known vulnerability of an installed library is reached that is not allowed."


def _memory(policy: Policy, model: LockedModel) -> _Result:
    limit, forecast = policy.largest_memory_mib, model.forecast_memory_mib
    if limit is None:
        return None
    if forecast is None:
        return "largest_memory_mib", None, "The lock holds no memory forecast."
    return (
        "largest_memory_mib",
        forecast <= limit,
        f"The forecast is {forecast:,.0f} MiB, allowed are {limit:,.0f} MiB.",
    )


def _pinned(policy: Policy, model: LockedModel) -> _Result:
    if not policy.require_pinned:
        return None
    if model.pinned:
        return "require_pinned", True, "The reference names exact content."
    return (
        "require_pinned",
        False,
        f"`{model.reference}` can stand for other content tomorrow: lock `{model.name}@{model.commit}`.",
    )


def _evidence(policy: Policy, model: LockedModel) -> _Result:
    if policy.require_evidence is None:
        return None
    there = {each.tool for each in model.evidence}
    lacking = [tool for tool in policy.require_evidence if tool.replace("-", "_") not in there]
    if lacking:
        return "require_evidence", False, f"The lock lacks evidence of {', '.join(f'`{each}`' for each in lacking)}."
    return "require_evidence", True, "All evidence that is asked for is there."


def _age(policy: Policy, model: LockedModel, now: dt.datetime) -> _Result:
    limit = policy.maximum_evidence_age_days
    if limit is None:
        return None
    if not model.evidence:
        return "maximum_evidence_age_days", None, "The lock holds no evidence."
    oldest = min(model.evidence, key=lambda each: each.made_at)
    days = (now - oldest.made_at).total_seconds() / 86_400
    if days < -1:
        return "maximum_evidence_age_days", None, f"`{oldest.id}` is dated in the future."
    return (
        "maximum_evidence_age_days",
        days <= limit,
        f"The oldest evidence, `{oldest.id}`, is {max(days, 0):.0f} days old.",
    )
