"""The decision as an architecture decision record: context, decision, status, consequences, alternatives considered."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.advice.decision_records import StageDecision
from assistant.advice.plan_records import FiredRule
from assistant.advice.reporting.content import (
    Block,
    Column,
    Fact,
    Facts,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    capital,
    cite,
    cited,
    name,
    quoted,
)
from assistant.advice.reporting.material import Material
from assistant.advice.reporting.opening import verdict_sentence
from assistant.advice.reporting.wording import (
    change_sentence,
    found_words,
    gate_name,
    joined,
    place_of,
    rule_sentence,
    words,
)
from assistant.money import spoken_amount
from assistant.phrases import has, say

_AMOUNTS = frozenset({"price_per_hour", "budget_per_month"})


def decision_section(material: Material) -> Section:
    """The decision record as a section of the report."""
    language = material.language
    return Section(
        id="decision",
        title=say("report.section.decision", language),
        blocks=(Paragraph(text=say("report.decision.lead", language), role="note"),),
        parts=decision_parts(material),
    )


def decision_parts(material: Material) -> tuple[Section, ...]:
    """Status, context, decision, consequences and alternatives, in the order of such records."""
    made = (
        ("status", _status(material)),
        ("context", _context(material)),
        ("decided", _decided(material)),
        ("consequences", _consequences(material)),
        ("alternatives", _alternatives(material)),
    )
    return tuple(
        Section(id=f"decision-{key}", title=say(f"report.decision.{key}", material.language), blocks=tuple(blocks))
        for key, blocks in made
    )


def status_of(material: Material) -> str:
    """proposed, accepted, repeated or rejected: what the last stored decision makes of it."""
    last = _last(material)
    return {"go": "accepted", "repeat": "repeated", "stop": "rejected"}[last.decision] if last else "proposed"


def _last(material: Material) -> StageDecision | None:
    return material.decisions[-1] if material.decisions else None


def _status(material: Material) -> Iterator[Block]:
    language, last, status = material.language, _last(material), status_of(material)
    day = last.decided_at.date() if last else material.plan.timing.planned_on
    stage = say(f"stage.{last.stage if last else material.plan.next_stage}", language)
    by = quoted(last.by, 120) if last else ""
    yield Paragraph(text=say(f"report.decision.status_{status}", language, day=day.isoformat(), stage=stage, by=by))


def _context(material: Material) -> Iterator[Block]:
    plan, language = material.plan, material.language
    use = quoted(plan.use_case, 400) or say("report.identity.no_use", language)
    yield Facts(
        rows=(
            Fact(label=say("report.identity.use", language), text=use),
            Fact(label=say("report.identity.model", language), text=f"{name(plan.model)} {name(plan.commit)}".strip()),
            *target_facts(material),
        )
    )


def target_facts(material: Material) -> tuple[Fact, ...]:
    """What the user told: load, price, limits, data and day."""
    return tuple(
        Fact(label=say(f"report.target.{key}", material.language), text=_target(key, value, material))
        for key, value in material.plan.targets.items()
        if value is not None and has(f"report.target.{key}")
    )


def _target(key: str, value: object, material: Material) -> str:
    """A target as it was told; an amount of money with its currency, which the estimate knows where nobody said."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        told = f"{value:,.12g}"
        return spoken_amount(f"{_currency(material)} {told}".strip(), material.language) if key in _AMOUNTS else told
    return found_words(str(value), material.language)


def _currency(material: Material) -> str:
    told, estimate = material.plan.targets.get("currency"), material.newest("estimate_cost")
    return quoted(str(told), 8) if told else estimate.record.currency if estimate else ""


def _decided(material: Material) -> Iterator[Block]:
    plan, language = material.plan, material.language
    stored = material.stored_plan
    ids = cited(stored.id) if stored else ""
    yield Paragraph(text=f"{verdict_sentence(material)}{ids}")
    if not material.decisions:
        yield Paragraph(text=say("report.decision.none_yet", language, stage=say(f"stage.{plan.next_stage}", language)))
        return
    yield Table(
        caption=say("report.decision.made", language),
        columns=tuple(
            Column(title=say(f"report.column.{key}", language))
            for key in ("id", "stage", "decision", "by", "open_gates", "why")
        ),
        rows=tuple(_decision_row(decision, material) for decision in material.decisions),
    )


def _decision_row(decision: StageDecision, material: Material) -> Row:
    language = material.language
    unmet = joined([gate_name(gate.code, language) for gate in decision.unmet], language)
    return Row(
        cells=(
            decision.id,
            capital(say(f"stage.{decision.stage}", language)),
            say(f"report.decision.choice.{decision.decision}", language),
            f"{quoted(decision.by, 120)}, {decision.decided_at:%Y-%m-%d}",
            unmet or say("report.decision.all_met", language),
            quoted(" ".join(part for part in (decision.reason, decision.note) if part)),
        ),
        anchor=decision.id,
    )


def _consequences(material: Material) -> Iterator[Block]:
    plan, language = material.plan, material.language
    good = [rule for rule in plan.rules if rule.effect == "supports"]
    borne = [rule for rule in plan.rules if rule.effect in {"ends", "blocks", "condition"}]
    stage = plan.stage(plan.next_stage)
    if good:
        yield Paragraph(text=say("report.decision.speaks_for", language))
        yield Listing(items=tuple(_grounded(rule, material) for rule in good))
    if borne:
        yield Paragraph(text=say("report.decision.to_be_borne", language))
        yield Listing(items=tuple(_grounded(rule, material) for rule in borne))
    if stage.operating_rules:
        yield Paragraph(text=say("report.decision.to_be_done", language, stage=say(f"stage.{stage.name}", language)))
        yield Listing(items=tuple(capital(words(f"operating.{rule.code}", language)) for rule in stage.operating_rules))


def _grounded(rule: FiredRule, material: Material) -> str:
    """What a rule found with its evidence, and the place in the team's document that it applies."""
    plan, language = material.plan, material.language
    text = capital(rule_sentence(rule, plan, language))
    statement = next((f.statement for f in plan.policy if f.statement.passage == rule.source), None)
    if statement is not None:
        place = place_of(statement, language)
        text = say("report.decision.by_policy", language, text=text, place=place)
    return f"{text}{cited(rule.evidence)}"


def _alternatives(material: Material) -> Iterator[Block]:
    """What would change the verdict, other models that were compared, and leaving things as they are."""
    plan, language = material.plan, material.language
    changes = [change_sentence(rule, language) for rule in plan.rules if rule.change]
    items = [say("report.decision.change", language, text=text) for text in dict.fromkeys(changes)]
    compared = material.newest_comparison
    if compared is not None:
        others = [name(row.model) for row in compared.record.models if row.model != plan.model and row.is_known]
        if others:
            items.append(
                say("report.decision.compared", language, models=joined(others, language), id=cite(compared.id))
            )
    items.append(say("report.decision.as_is", language))
    yield Listing(items=tuple(items))
