"""Where the team's policy and the general guidance pull in different directions; the policy prevails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from knowledge.documents.search import PolicyPassage
from knowledge.documents.stances import Stance, stances_of
from knowledge.search import Passage

MOST = 2
"""Conflicts that are told."""
_SAME = 0.01
"""Figures that differ by less than this share are the same."""


class PolicyConflict(BaseModel):
    """A sentence of the policy against one of the guidance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["opposite", "choice", "limit"]
    """One forbids what the other asks for, the policy allows another choice only, or a figure differs."""
    subject: str
    """What both rule on, as named in `subjects.toml`."""
    document: str
    """Id of the policy's document."""
    policy: str
    """The policy's sentence, word by word."""
    entry: str
    """Id of the guidance entry."""
    guidance: str
    """The guidance's sentence, word by word."""


def conflicts_between(policy: Sequence[PolicyPassage], guidance: Passage) -> tuple[PolicyConflict, ...]:
    """The conflicts between passages of the team's documents and one passage of the guidance.

    Args:
        policy: Passages of the team's documents, the closest first.
        guidance: What the guidance answers.
    """
    # Other sections give reasons, or say what a tool finds out.
    advised = stances_of(f"{guidance.title}\n{guidance.quote}" if guidance.section == "what" else guidance.title)
    found: dict[str, PolicyConflict] = {}
    for passage in policy:
        for ruled in stances_of(passage.quote):
            for advice in advised:
                kind = _kind(ruled, advice)
                if kind and ruled.subject.id not in found:
                    found[ruled.subject.id] = PolicyConflict(
                        kind=kind,
                        subject=ruled.subject.id,
                        document=passage.document,
                        policy=ruled.sentence,
                        entry=guidance.entry,
                        guidance=advice.sentence,
                    )
    return tuple(found.values())[:MOST]


def _kind(ruled: Stance, advice: Stance) -> Literal["opposite", "choice", "limit"] | None:
    same = ruled.subject.id == advice.subject.id
    wanted = advice.force in {"asks", "allows"} and not advice.conditional
    unwanted = advice.force == "forbids" and not advice.conditional
    if same and ((ruled.force == "forbids" and wanted) or (ruled.force in {"asks", "allows"} and unwanted)):
        return "opposite"
    if not same and wanted and ruled.force in {"asks", "allows"} and _are_against(ruled, advice):
        return "opposite"
    grouped = not same and ruled.subject.group and ruled.subject.group == advice.subject.group
    if grouped and ruled.only and wanted:
        return "choice"
    return "limit" if same and _differ(ruled, advice) else None


def _are_against(one: Stance, other: Stance) -> bool:
    return other.subject.id in one.subject.against or one.subject.id in other.subject.against


def _differ(ruled: Stance, advice: Stance) -> bool:
    """Whether both set a limit of one unit, and none of one's figures is one of the other's."""
    for unit in {limit.unit for limit in ruled.limits} & {limit.unit for limit in advice.limits}:
        values = [limit.value for limit in ruled.limits if limit.unit == unit]
        others = [limit.value for limit in advice.limits if limit.unit == unit]
        if not any(abs(a - b) <= _SAME * max(a, b) for a in values for b in others):
            return True
    return False
