"""What the team's documents ask of a licence, set against what the card and the licence text say."""

from __future__ import annotations

from typing import Any, NamedTuple

from assistant.advice.plan_facts import PlanFacts
from assistant.advice.policy_limits import allows_licence
from assistant.advice.policy_records import PolicyState, Statement

_NON_COMMERCIAL = frozenset({"research_only", "non_commercial"})


class Found(NamedTuple):
    """What a check of a statement found."""

    state: PolicyState
    value: str = ""
    evidence: str = ""
    reason: str = ""


NOT_RUN = Found("not_checkable", reason="no_evidence")


def judged(holds: bool, value: str, evidence: str) -> Found:
    """Held or violated, with what was found and where."""
    return Found("held" if holds else "violated", value, evidence)


def _licence_record(facts: PlanFacts) -> tuple[dict[str, Any], str] | None:
    found = facts.record_of("check_documentation")
    return (found[0]["licence"], found[1]) if found else None


def licence_text(facts: PlanFacts, _: Statement) -> Found:
    """Whether a licence text is among the files."""
    found = _licence_record(facts)
    if found is None:
        return NOT_RUN
    return judged(found[0]["text_file"] is not None, found[0]["text_file"] or "none", found[1])


def licence_known(facts: PlanFacts, _: Statement) -> Found:
    """Whether the licence is one that is known here."""
    found = _licence_record(facts)
    if found is None:
        return NOT_RUN
    licence = found[0]
    return judged(licence["spdx"] is not None, licence["spdx"] or licence["tag"] or "none", found[1])


def _names_of(licence: dict[str, Any]) -> list[str]:
    """Licences of the model and of the models that it was made of, as far as known."""
    parts = [part["spdx"] for part in licence.get("lineage", ()) if part["role"] != "dataset" and part["spdx"]]
    return list(dict.fromkeys([*([licence["spdx"]] if licence["spdx"] else []), *parts]))


def licences(facts: PlanFacts, statement: Statement) -> Found:
    """Whether the licences of model and base models are all on the list."""
    found = _licence_record(facts)
    if found is None:
        return NOT_RUN
    names = _names_of(found[0])
    holds = bool(found[0]["spdx"]) and all(allows_licence(name, statement.values) for name in names)
    return judged(holds, ", ".join(names) or found[0]["tag"] or "none", found[1])


def no_licences(facts: PlanFacts, statement: Statement) -> Found:
    """Whether none of them is on the list."""
    found = _licence_record(facts)
    if found is None:
        return NOT_RUN
    names = _names_of(found[0])
    if not found[0]["spdx"]:
        return Found("not_checkable", found[0]["tag"] or "none", found[1], "licence_unknown")
    return judged(not any(allows_licence(name, statement.values) for name in names), ", ".join(names), found[1])


def permissive(facts: PlanFacts, _: Statement) -> Found:
    """Whether the licence is permissive."""
    found = _licence_record(facts)
    if found is None:
        return NOT_RUN
    return judged(found[0]["permissive"] is True, found[0]["spdx"] or found[0]["tag"] or "none", found[1])


def non_commercial(facts: PlanFacts, _: Statement) -> Found:
    """Whether no term limits it to research or to use without gain."""
    found = _licence_record(facts)
    if found is None:
        return NOT_RUN
    licence = found[0]
    if not licence["spdx"]:
        return Found("not_checkable", licence["tag"] or "none", found[1], "licence_unknown")
    kinds = {o["kind"] for o in licence.get("obligations", ())}
    return judged(not kinds & _NON_COMMERCIAL, ", ".join(_names_of(licence)), found[1])
