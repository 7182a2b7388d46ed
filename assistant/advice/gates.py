"""Gates that evidence answers: a value against a threshold, passed, failed, not measured yet, or without a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.advice.plan_budget import monthly_range
from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_lines import (
    GUIDANCE,
    Line,
    budget_in_other_currency,
    budget_line,
    latency_line,
    memory_line,
    strictest_of,
)
from assistant.advice.plan_records import Gate
from assistant.advice.policy_check import limitations_state
from assistant.advice.policy_records import PolicyFinding
from assistant.evidence import Evidence
from assistant.money import money_text

__all__ = ["KNOWN", "Gate", "desk_check_gates", "trial_gates"]

KNOWN = "known"
"""Threshold of a gate that asks for a figure and sets no limit."""


def desk_check_gates(
    evidence: Sequence[Evidence], targets: dict[str, Any], policy: Sequence[PolicyFinding] = ()
) -> tuple[Gate, ...]:
    """Gates of the desk check: files, vulnerabilities, licence, version, libraries, documents, memory, the team's policy.

    Args:
        evidence: Evidence about the model, newest first.
        targets: What the user told.
        policy: What the team's documents ask for.
    """
    facts = PlanFacts(evidence, targets)
    return (
        _files(facts),
        _advisories(facts, policy),
        _licence(facts, policy),
        _version(facts, policy),
        _library(facts),
        _limitations(facts, policy),
        _documented(facts),
        memory_gate(facts, policy),
        *policy_gates(policy),
    )


def trial_gates(
    evidence: Sequence[Evidence], targets: dict[str, Any], policy: Sequence[PolicyFinding] = ()
) -> tuple[Gate, ...]:
    """Gates of the proof of concept: quality on the team's own examples, steadiness, latency, cost.

    Args:
        evidence: Evidence about the model, newest first.
        targets: What the user told.
        policy: What the team's documents ask for.
    """
    facts = PlanFacts(evidence, targets)
    return (
        _quality(policy),
        _behaviour(facts),
        latency_gate(facts, policy),
        cost_gate(facts, policy),
    )


def missing_gate(code: str, threshold: str = "", *, answered_by: str = "team", **changes: Any) -> Gate:
    """A gate about which nothing is known yet."""
    fields: dict[str, Any] = {
        "state": "missing",
        "value": "",
        "threshold": threshold,
        "threshold_source": "team" if answered_by == "team" else "guidance",
        "source": GUIDANCE.get(code, ""),
        "evidence": "",
        "answered_by": answered_by,
    }
    return Gate(code=code, **fields | changes)


def _judged(code: str, holds: bool, value: str, threshold: str, evidence: str, **changes: Any) -> Gate:
    fields: dict[str, Any] = {
        "state": "passed" if holds else "failed",
        "value": value,
        "threshold": threshold,
        "threshold_source": "guidance",
        "source": GUIDANCE.get(code, ""),
        "evidence": evidence,
    }
    return Gate(code=code, **fields | changes)


def _without_limit(code: str, value: str, threshold: str, evidence: str, **changes: Any) -> Gate:
    """A gate whose value is known, for which the team has yet to give a limit."""
    return missing_gate(code, threshold, state="no_limit", value=value, evidence=evidence, **changes)


def _by_policy(finding: PolicyFinding | None) -> dict[str, Any]:
    """The threshold's source where a policy statement sets the line."""
    return {"threshold_source": "policy", "source": finding.statement.passage} if finding else {}


def _files(facts: PlanFacts) -> Gate:
    found = facts.record_of("inspect_files")
    if found is None:
        return missing_gate("files_safe", "not refused", answered_by="inspect_files")
    return _judged("files_safe", found[0]["verdict"] != "refuse", found[0]["verdict"], "not refused", found[1])


def _advisories(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    threshold, told = "no known vulnerability reached", _by_policy(strictest_of(["no_vulnerabilities"], policy))
    found = facts.record_of("check_version")
    if found is None:
        return missing_gate("advisories", threshold, answered_by="check_version", **told)
    affected = [a["id"] for a in found[0]["advisories"] if a["affected"]]
    return _judged("advisories", not affected, ", ".join(affected) or "none_reached", threshold, found[1], **told)


def _licence(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    threshold, listed = "known, with use allowed", strictest_of(["licences", "no_licences"], policy)
    found = facts.record_of("check_documentation")
    if found is None:
        return missing_gate("licence_known", threshold, answered_by="check_documentation", **_by_policy(listed))
    licence = found[0]["licence"]
    stated = [each["answer"] for each in licence.get("uses", ()) if each["stated"]]
    # A tag that nobody here knows names a text that somebody has to read first.
    allowed = all(answer == "yes" for answer in stated) if stated else licence["permissive"] is True
    if listed is not None:
        # The team's own list decides what is allowed, above the general rule, but not about a use that a text forbids.
        allowed = listed.state == "held" and "no" not in stated
        threshold = ", ".join(listed.statement.values)
    sound = licence["agreement"] != "differs" and not licence.get("text_modified", False)
    holds = allowed and sound and licence.get("on_allow_list") is not False
    value = licence["spdx"] or licence["tag"] or "none"
    return _judged("licence_known", holds, value, threshold, found[1], **_by_policy(listed))


def _version(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    threshold, told = "one exact commit or hash", _by_policy(strictest_of(["pinned"], policy))
    found = facts.record_of("fetch_model")
    if found is None:
        return missing_gate("version_pinned", threshold, answered_by="fetch_model", **told)
    return _judged("version_pinned", True, found[0]["commit"][:19], threshold, found[1], **told)


def _library(facts: PlanFacts) -> Gate:
    threshold, found = "architecture known, no code of its own", facts.record_of("check_version")
    library = found[0]["library"] if found else {}
    if found is None or library.get("architecture_known") is None or library.get("installed") is None:
        return missing_gate("library_fit", threshold, answered_by="check_version")
    return _judged(
        "library_fit", library["architecture_known"], f"transformers {library['installed']}", threshold, found[1]
    )


def _limitations(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    threshold, told = "limitations section filled", _by_policy(strictest_of(["limitations"], policy))
    found = facts.record_of("check_documentation")
    if found is None:
        return missing_gate("limitations_documented", threshold, answered_by="check_documentation", **told)
    state = limitations_state(found[0])
    return _judged("limitations_documented", state == "filled", state, threshold, found[1], **told)


def _documented(facts: PlanFacts) -> Gate:
    threshold, found = "everything that the use needs", facts.record_of("check_documentation")
    needs = found[0].get("needs", ()) if found else ()
    score = found[0].get("use_score") if found else None
    if found is None or score is None or not needs:  # a use of which nobody knows what a card must say to it
        return missing_gate("documented_for_use", threshold, answered_by="check_documentation")
    there = sum(need["line"] is not None for need in needs)
    return _judged(
        "documented_for_use", there == len(needs), f"{there}/{len(needs)}", threshold, found[1],
        number=score, unit="share",
    )  # fmt: skip


def memory_gate(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    """Peak memory against what the user has and what the policy allows."""
    line = memory_line(facts, policy)
    shown = _gib(line.number) if line.number else KNOWN
    source = {"threshold_source": "guidance", "source": GUIDANCE["memory"]} if line.number is None else _source(line)
    peak = facts.peak_memory_mib
    if peak is None:
        return missing_gate("memory", shown, answered_by="profile_model", limit=line.number, unit="MiB", **source)
    return _judged(
        "memory", line.number is None or peak[0] <= line.number, f"{peak[0]:,.0f} MiB", shown, peak[1],
        number=peak[0], limit=line.number, unit="MiB", **source,
    )  # fmt: skip


def latency_gate(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    """Measured p95 against target or policy; against a baseline only where another measurement set it."""
    p95, line = facts.latency_p95_ms, latency_line(facts, policy)
    if p95 is None or line.number is None:
        given = (
            {"threshold": f"{line.number:.0f} ms", **_source(line)}
            if line.number
            else {"threshold": "p95", "threshold_source": "team"}
        )
        return missing_gate(
            "latency", answered_by="profile_model", limit=line.number, unit="ms" if line.number else "", **given
        )
    shown, value, given = f"{line.number:.0f} ms", f"{p95[0]:.1f} ms", _source(line)
    given |= {"number": p95[0], "limit": line.number, "unit": "ms"}
    if line.source == "measured" and line.ref == p95[1]:
        # A measurement always keeps the limit that was made from it, which says nothing.
        return _without_limit("latency", value, shown, p95[1], **given)
    return _judged("latency", p95[0] <= line.number, value, shown, p95[1], **given)


def cost_gate(facts: PlanFacts, policy: Sequence[PolicyFinding]) -> Gate:
    """Running cost a month against the budget; open while the policy's budget is in another currency than the estimate."""
    cost, line = facts.cost, budget_line(facts, policy)
    if cost is None:
        currency = str(facts.targets.get("currency") or "")
        shown = money_text(currency, line.number) if line.number else "budget"
        given = _source(line) if line.number else {"threshold_source": "team"}
        return missing_gate("cost", shown, answered_by="estimate_cost", limit=line.number, unit=currency, **given)
    currency, (low, high) = cost.record["currency"], monthly_range(cost.record)
    value, given = money_text(currency, low, high), {"number": high, "unit": currency}
    if line.number is None and (elsewhere := budget_in_other_currency(policy)):
        asked = elsewhere.statement
        shown, told = money_text(asked.unit, asked.limit or 0.0), _by_policy(elsewhere)
        return missing_gate(
            "cost", shown, answered_by="estimate_cost", value=value, evidence=cost.id, limit=asked.limit,
            unit=asked.unit, **told,
        )  # fmt: skip
    if line.number is None:
        return _without_limit("cost", value, "within the budget that the owner sets", cost.id, **given)
    shown, given = money_text(currency, line.number), given | _source(line) | {"limit": line.number}
    return _judged("cost", high <= line.number, value, shown, cost.id, **given)


def _quality(policy: Sequence[PolicyFinding]) -> Gate:
    numbered = [f for f in policy if f.statement.requirement == "min_quality" and f.statement.limit is not None]
    strictest = max(numbered, key=lambda f: f.statement.limit or 0.0, default=None)
    if strictest is not None and strictest.statement.limit is not None:
        limit = strictest.statement.limit
        return missing_gate("quality", f"{limit:.0%}", limit=limit, unit="share", **_by_policy(strictest))
    asked = _by_policy(strictest_of(["own_evaluation"], policy))
    return missing_gate("quality", "set on your own examples before the trial", **asked)


def _behaviour(facts: PlanFacts) -> Gate:
    threshold, found = "every trial steady", facts.record_of("observe_behavior")
    trials = found[0].get("trials", ()) if found else ()
    if found is None or not trials:
        return missing_gate("behaviour", threshold, answered_by="observe_behavior")
    steady = [t["name"] for t in trials if t["stable"]]
    return _judged(
        "behaviour", len(steady) == len(trials), f"{len(steady)}/{len(trials)}", threshold, found[1],
        number=len(steady) / len(trials), unit="share",
    )  # fmt: skip


def policy_gates(policy: Sequence[PolicyFinding]) -> tuple[Gate, ...]:
    """A gate for each requirement of the policy that no other gate stands for."""
    found: dict[str, Gate] = {}
    for finding in policy:
        statement = finding.statement
        if finding.gate.startswith("policy_") and statement.force == "must" and not statement.only_if:
            found.setdefault(finding.gate, _policy_gate(finding))
    return tuple(found.values())


def _policy_gate(finding: PolicyFinding) -> Gate:
    told = {"threshold_source": "policy", "source": finding.statement.passage}
    threshold = ", ".join(finding.statement.values) or "as the policy asks"
    if finding.state == "not_checkable" or _is_declared(finding):
        answered_by = "team" if finding.reason != "no_evidence" else _TOOL_OF.get(finding.statement.requirement, "team")
        return missing_gate(finding.gate, threshold, answered_by=answered_by, **told)
    return _judged(finding.gate, finding.state == "held", finding.value, threshold, finding.evidence, **told)


def _is_declared(finding: PolicyFinding) -> bool:
    """Whether what was found is only what the user said, which somebody has to confirm."""
    return finding.statement.requirement == "data_class"


_TOOL_OF = {
    "licence_text": "check_documentation",
    "permissive": "check_documentation",
    "no_non_commercial": "check_documentation",
    "card": "check_documentation",
    "no_remote_code": "inspect_files",
    "safetensors_only": "fetch_model",
    "runs_inside": "profile_model",
}


def _source(line: Line) -> dict[str, Any]:
    return {"threshold_source": line.source, "source": line.ref}


def _gib(mib: float) -> str:
    return f"{mib / 1024:g} GiB"
