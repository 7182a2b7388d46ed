"""What a plan says otherwise than the version before it, and what brought that about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assistant.advice.plan_records import AdoptionPlan, FiredRule, Gate, PlanChange, Why


def changes_between(before: AdoptionPlan, after: AdoptionPlan) -> tuple[PlanChange, ...]:
    """Every difference of two plans for one model and use, the verdict first.

    Args:
        before: The older version.
        after: The newer one.
    """
    targets = tuple(_targets(before, after))
    policy = tuple(_policy(before, after))
    stages = tuple(_stages(before, after))
    commit = tuple(_commit(before, after))
    rules = tuple(_rules(before, after, targets=targets))
    gates = tuple(_gates(before, after, targets=targets))
    verdict: tuple[PlanChange, ...] = ()
    if before.verdict != after.verdict:
        causes = tuple(dict.fromkeys(change.name for change in rules if _weighs(change)))
        verdict = (
            PlanChange(what="verdict", name="", before=before.verdict, after=after.verdict, why="rules", causes=causes),
        )
    return (*verdict, *commit, *targets, *policy, *stages, *rules, *gates)


def _weighs(change: PlanChange) -> bool:
    return bool({change.before, change.after} & {"ends", "blocks", "condition"})


def _commit(before: AdoptionPlan, after: AdoptionPlan) -> Iterator[PlanChange]:
    if before.commit != after.commit:
        causes = tuple(p.evidence for p in after.pins if p.kind == "commit" and p.evidence)
        yield PlanChange(
            what="commit", name="", before=before.commit, after=after.commit, why="evidence", causes=causes
        )


def _targets(before: AdoptionPlan, after: AdoptionPlan) -> Iterator[PlanChange]:
    for name in sorted({*before.targets, *after.targets}):
        old, new = before.targets.get(name), after.targets.get(name)
        if old != new:
            yield PlanChange(
                what="target", name=name, before="" if old is None else str(old), after="" if new is None else str(new),
                why="target", causes=(name,),
            )  # fmt: skip


def _policy(before: AdoptionPlan, after: AdoptionPlan) -> Iterator[PlanChange]:
    """Statements that came, went, or are judged otherwise."""
    old = {(f.statement.document, f.statement.quote, f.statement.requirement): f for f in before.policy}
    new = {(f.statement.document, f.statement.quote, f.statement.requirement): f for f in after.policy}
    for key in dict.fromkeys([*new, *old]):
        was, now = old.get(key), new.get(key)
        if (was.state if was else "") == (now.state if now else ""):
            continue
        statement = (now or was).statement  # type: ignore[union-attr]  # the key is in one of the two
        changed_document = was is None or now is None
        yield PlanChange(
            what="policy",
            name=statement.passage,
            before=was.state if was else "",
            after=now.state if now else "",
            why="policy" if changed_document else "evidence",
            causes=(statement.document,) if changed_document else tuple(filter(None, [now.evidence if now else ""])),
        )


def _stages(before: AdoptionPlan, after: AdoptionPlan) -> Iterator[PlanChange]:
    """Stages that were closed; what else changes in their status follows from the verdict."""
    old = {stage.name: stage for stage in before.stages}
    for stage in after.stages:
        was, closing = old[stage.name], stage.closing
        if closing is None or (was.closing is not None and was.closing.decision_id == closing.decision_id):
            continue
        yield PlanChange(
            what="stage", name=stage.name, before=was.status, after=stage.status, why="decision",
            causes=(closing.decision_id,),
        )  # fmt: skip


def _rules(before: AdoptionPlan, after: AdoptionPlan, *, targets: tuple[PlanChange, ...]) -> Iterator[PlanChange]:
    old, new = _by_rule(before.rules), _by_rule(after.rules)
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name), new.get(name)
        if (was.effect if was else "") == (now.effect if now else ""):
            continue
        found = now or was
        if found is None:
            continue
        why, causes = _why(found.evidence if now else "", was.evidence if was else "", found.source, targets)
        yield PlanChange(
            what="rule", name=found.rule, before=was.effect if was else "", after=now.effect if now else "",
            why=why, causes=causes,
        )  # fmt: skip


def _by_rule(rules: tuple[FiredRule, ...]) -> Mapping[tuple[str, str], FiredRule]:
    """Rules by id; those of policy statements by what they ask for as well."""
    return {(r.rule, r.threshold if r.rule == "R-POL" else ""): r for r in reversed(rules)}


def _gates(before: AdoptionPlan, after: AdoptionPlan, *, targets: tuple[PlanChange, ...]) -> Iterator[PlanChange]:
    old, new = _by_code(before), _by_code(after)
    for code in dict.fromkeys([*new, *old]):
        was, now = old.get(code), new.get(code)
        shown_before, shown_after = _shown(was), _shown(now)
        if shown_before == shown_after:
            continue
        found = now or was
        if found is None:
            continue
        why, causes = _why(now.evidence if now else "", was.evidence if was else "", found.source, targets)
        yield PlanChange(what="gate", name=code, before=shown_before, after=shown_after, why=why, causes=causes)


def _by_code(plan: AdoptionPlan) -> dict[str, Gate]:
    return {gate.code: gate for stage in plan.stages for gate in stage.gates}


def _shown(gate: Gate | None) -> str:
    """State, and the threshold where it is a number that was set; a value that was measured anew is no change of the plan."""
    if gate is None:
        return ""
    limit = f" ({gate.threshold})" if gate.limit is not None and gate.state != "no_limit" else ""
    return f"{gate.state}{limit}"


def _why(now: str, was: str, source: str, targets: tuple[PlanChange, ...]) -> tuple[Why, tuple[str, ...]]:
    if source.startswith("D"):
        return "policy", (source,)
    if now.startswith("K"):
        return "decision", (now,)
    if now and now != was:
        return "evidence", (now,)
    if targets:
        return "target", tuple(change.name for change in targets)
    return "rules", ()
