"""What the plan still has to ask, the weightiest first, and what it takes for granted until somebody answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_lines import latency_line
from assistant.advice.plan_records import Assumption
from assistant.advice.policy_records import PolicyFinding

_LOAD_AND_PRICE = {"load": "requests_per_day", "price": "price_per_hour"}
MOST_ASKED = 2
"""Questions at once: more are not answered."""


def missing_inputs(use_case: str, facts: PlanFacts, policy: Sequence[PolicyFinding]) -> tuple[str, ...]:
    """What to ask, as keys, the weightiest first.

    Args:
        use_case: What the model is for, or empty.
        facts: What is known.
        policy: What the team's documents ask for.
    """
    return tuple(_asked(use_case, facts, policy))[:MOST_ASKED]


def _asked(use_case: str, facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Iterator[str]:
    targets = facts.targets
    if not use_case.strip():
        yield "use"
    # A document of the team that names a class of data cannot be applied without it.
    decides = any(f.reason == "no_data_class" for f in policy)
    if decides:
        yield "data_class"
    untold = [word for word, name in _LOAD_AND_PRICE.items() if name not in targets]
    if untold:
        yield "_and_".join(untold)
    if "latency_p95_ms" not in targets:
        yield "latency"
    if not facts.data_class and not decides:
        yield "data_class"
    if "budget_per_month" not in targets:
        yield "budget"
    if "deadline" not in targets:
        yield "deadline"


def assumptions(
    use_case: str, facts: PlanFacts, policy: Sequence[PolicyFinding], *, deadline_known: bool
) -> tuple[Assumption, ...]:
    """What the plan takes for granted.

    Args:
        use_case: What the model is for, or empty.
        facts: What is known.
        policy: What the team's documents ask for.
        deadline_known: Whether a deadline was given that could be read.
    """
    return tuple(_assumed(use_case, facts, policy, deadline_known=deadline_known))


def _assumed(
    use_case: str, facts: PlanFacts, policy: Sequence[PolicyFinding], *, deadline_known: bool
) -> Iterator[Assumption]:
    targets, profile = facts.targets, facts.record_of("profile_model")
    if not use_case.strip():
        yield Assumption(
            code="use", value=profile[0]["task"] if profile else "", evidence=profile[1] if profile else ""
        )
    yield from _load_assumed(facts)
    line = latency_line(facts, policy)
    if "latency_p95_ms" not in targets and line.source in {"measured", "team"}:
        yield Assumption(
            code="latency" if line.number else "latency_unknown",
            value=f"{line.number:.0f} ms" if line.number else "",
            evidence=line.ref,
        )
    if not facts.data_class:
        yield Assumption(code="data_class", value="internal", evidence="")
    if "budget_per_month" not in targets:
        yield Assumption(code="budget", value="", evidence="")
    if facts.device_memory_mib is None:
        yield Assumption(
            code="memory", value=profile[0]["device_name"] if profile else "", evidence=profile[1] if profile else ""
        )
    if profile is not None and facts.measured_amid_noise:
        yield Assumption(code="noisy", value="", evidence=profile[1])
    if not deadline_known:
        yield Assumption(code="deadline" if "deadline" not in targets else "deadline_unread", value="", evidence="")


def _load_assumed(facts: PlanFacts) -> Iterator[Assumption]:
    cost = facts.cost
    for code, target in (("load", "requests_per_day"), ("price", "price_per_hour")):
        if target in facts.targets:
            continue
        if cost is None:
            yield Assumption(code=code, value="", evidence="")
            continue
        amount = cost.record[target]
        value = f"{amount:,.0f}" if code == "load" else f"{cost.record['currency']} {amount:g}"
        yield Assumption(code=f"{code}_of_estimate", value=value, evidence=cost.id)
