"""The first page of a report: what it is about, the verdict, the sentences for the meeting, and the rules that fired."""

from __future__ import annotations

import re

from assistant.advice.plan_records import AdoptionPlan, PlanChange, Verdict
from assistant.advice.reporting.content import (
    Block,
    Column,
    Fact,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    capital,
    cite,
    cited,
    name,
    quoted,
)
from assistant.advice.reporting.material import Material
from assistant.advice.reporting.wording import (
    amount_of,
    change_sentence,
    changed_value,
    gate_name,
    joined,
    rule_sentence,
    words,
)
from assistant.languages import Language
from assistant.phrases import has, say

VERDICT_TONES: dict[Verdict, Tone] = {"go": "good", "go_with_conditions": "warn", "not_yet": "warn", "no": "bad"}
_EFFECT_TONES: dict[str, Tone] = {"ends": "bad", "blocks": "bad", "condition": "warn", "supports": "good", "silent": ""}
_SHORT_COMMIT = 12
_DETAILS = frozenset({"gate", "policy"})
"""Changes that a manager finds in the stages and in the policy anyway."""
_ID = re.compile(r"[EK]\d{1,9}|D[0-9a-f]{8}(?:\.\d{1,9})?")


def verdict_sentence(material: Material) -> str:
    """The verdict on the next stage, with the number of conditions or open points."""
    plan, language = material.plan, material.language
    effect = {"go_with_conditions": "condition", "not_yet": "blocks", "no": "ends"}.get(plan.verdict, "supports")
    number = sum(rule.effect == effect for rule in plan.rules)
    return say(
        f"report.verdict.{plan.verdict}", language, stage=say(f"stage.{plan.next_stage}", language), count=number
    )


def identity(material: Material) -> tuple[Fact, ...]:
    """What identifies the report: model, commit, use, day, version and machine."""
    plan, language = material.plan, material.language
    stored = material.stored_plan
    rows = [
        ("model", name(plan.model)),
        ("commit", name(plan.commit) or say("report.identity.no_commit", language)),
        ("day", plan.timing.planned_on.isoformat()),
        (
            "plan",
            say("report.identity.plan_version", language, version=plan.version) + cited(stored.id if stored else ""),
        ),
    ]
    machines = list(dict.fromkeys(e.machine for e in material.of_commit if e.id in plan.evidence))
    if machines:
        rows.append(("machine", joined([name(each, 60) for each in machines], language)))
    return tuple(Fact(label=say(f"report.identity.{key}", language), text=text) for key, text in rows)


def sentences_section(material: Material) -> Section:
    """Three sentences to say, with the figures that they rest on."""
    items = meeting_sentences(material)
    title = say("report.section.sentences", material.language)
    return Section(id="sentences", title=title, blocks=(Listing(items=items, numbered=True),))


def meeting_sentences(material: Material) -> tuple[str, str, str]:
    """Small first, measured, rules first: each with the plan's own figures."""
    return _small(material), _measure(material), _rules_first(material)


def _small(material: Material) -> str:
    plan, language = material.plan, material.language
    stage = plan.stage(plan.next_stage)
    values = {"stage": say(f"stage.{stage.name}", language), "weeks": stage.time_box_weeks}
    weighty = next((rule for rule in plan.rules if rule.effect in {"ends", "blocks"}), None)
    if weighty is not None:
        reason = rule_sentence(weighty, plan, language) + cited(weighty.evidence, weighty.source)
        number = sum(rule.effect == weighty.effect for rule in plan.rules)
        key = "small_no" if plan.verdict == "no" else "small_not_yet"
        return say(f"report.sentence.{key}", language, count=number, reason=reason, **values)
    if not stage.time_box_weeks:
        return say("report.sentence.small_open_end", language, **values)
    key = "small" if stage.budget.low is None else "small_budget"
    return say(f"report.sentence.{key}", language, budget=amount_of(stage.budget, language), **values)


def _measure(material: Material) -> str:
    language = material.language
    gates = [gate for stage in material.plan.stages for gate in stage.gates]
    counts = {"open": sum(gate.is_open for gate in gates), "count": len(gates)}
    latency, memory = material.gate("latency"), material.gate("memory")
    # A forecast of the memory is no measurement.
    profile = material.newest("profile_model")
    if latency and memory and profile and latency.evidence == memory.evidence == profile.id:
        values = {"latency": latency.value, "memory": memory.value, "id": cite(profile.id)}
        caveat = say("meeting.provisional", language) if profile.record.noise == "noisy" else ""
        return say("report.sentence.measure", language, **values, **counts) + caveat
    return say("report.sentence.measure_nothing", language, **counts)


def _rules_first(material: Material) -> str:
    plan, language = material.plan, material.language
    stage = plan.stage(plan.next_stage)
    rules = [words(f"operating.{rule.code}", language) for rule in stage.operating_rules]
    commit = name(plan.commit[:_SHORT_COMMIT])
    key = "rules_no" if plan.verdict == "no" else "rules" if commit else "rules_unpinned"
    return say(
        f"report.sentence.{key}", language, count=len(rules),
        stage=say(f"stage.{stage.name}", language), first=rules[0] if rules else "", commit=commit,
    )  # fmt: skip


def rules_section(material: Material) -> Section:
    """Every rule with what it found, where that stands, and what would change it."""
    plan, language = material.plan, material.language
    blocks: list[Block] = [_rules_table(material)]
    if not any(rule.change for rule in plan.rules):
        blocks.append(Paragraph(text=say("report.rules.nothing_to_change", language)))
    return Section(id="rules", title=say("report.section.rules", language), blocks=tuple(blocks))


def _rules_table(material: Material) -> Table:
    plan, language = material.plan, material.language
    return Table(
        caption=say("report.rules.caption", language),
        columns=tuple(
            Column(title=say(f"report.column.{key}", language)) for key in ("effect", "found", "grounds", "change")
        ),
        rows=tuple(
            Row(
                cells=(
                    say(f"report.effect.{rule.effect}", language),
                    say(
                        "report.rules.found",
                        language,
                        text=capital(rule_sentence(rule, plan, language)),
                        rule=rule.rule,
                    ),
                    cite(rule.evidence, rule.source),
                    change_sentence(rule, language),
                ),
                tone=_EFFECT_TONES[rule.effect],
            )
            for rule in plan.rules
        ),
    )


def changes_section(material: Material) -> Section | None:
    """What differs from the version of the plan before; None for the first version."""
    plan, language = material.plan, material.language
    if plan.version == 1 and not plan.changes:
        return None
    title = say("report.section.changes", language)
    if not plan.changes:
        text = say("report.changes.none", language, version=plan.version - 1)
        return Section(id="changes", title=title, blocks=(Paragraph(text=text),))
    shown = [each for each in plan.changes if material.for_engineer or each.what not in _DETAILS]
    rows = tuple(
        Row(
            cells=(
                capital(words(f"plan_change.what.{change.what}", language, name=_changed_name(change, language))),
                changed_value(change.before, language),
                changed_value(change.after, language),
                _why(change, plan, language),
            )
        )
        for change in shown
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(
            Table(
                caption=say("report.changes.caption", language, before=plan.version - 1, version=plan.version),
                columns=tuple(
                    Column(title=say(f"report.column.{key}", language)) for key in ("what", "before", "after", "why")
                ),
                rows=rows,
            )
        )
    if len(shown) < len(plan.changes):
        left_out = say("report.changes.left_out", language, count=len(plan.changes) - len(shown))
        blocks.append(Paragraph(text=left_out, role="note"))
    return Section(id="changes", title=title, blocks=tuple(blocks))


def _changed_name(change: PlanChange, language: Language) -> str:
    if change.what == "gate":
        return gate_name(change.name, language)
    if change.what == "stage":
        return words(f"stage.{change.name}", language)
    if change.what == "target" and has(f"report.target.{change.name}"):
        return say(f"report.target.{change.name}", language)
    return change.name if _ID.fullmatch(change.name) else quoted(change.name)


def _why(change: PlanChange, plan: AdoptionPlan, language: Language) -> str:
    """What brought a change about: ids as citations, documents by their title, targets in words, rules by id."""
    titles = {finding.statement.document: finding.statement.title for finding in plan.policy}
    named = [
        say(f"report.target.{cause}", language)
        if has(f"report.target.{cause}")
        else quoted(titles.get(cause, cause), 80)
        if cause in titles or not _ID.fullmatch(cause)
        else f"[{cause}]"
        for cause in change.causes
    ]
    return words(f"plan_change.why.{change.why}", language, causes=joined(named, language)) if named else ""
