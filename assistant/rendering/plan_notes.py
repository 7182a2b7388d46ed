"""What stands beside the stages of a plan as Markdown: the team's documents, differing lines, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.money import money_text, spoken_amount
from assistant.phrases import has, say
from assistant.rendering.style import plain

if TYPE_CHECKING:
    from assistant.advice.plan_records import AdoptionPlan, PlanChange
    from assistant.advice.policy_records import Conflict, PolicyFinding, Statement

_POLICY_MARKS = {"held": "✓", "violated": "✗", "not_checkable": "?", "waived": "·"}
_MOST_STATEMENTS = 8
_MOST_CHANGES = 12
_LONGEST_QUOTE = 220


def found_word(value: str, language: Language) -> str:
    """A value that is a word of the tools in the reader's language, a figure or a name as it is."""
    return say(f"gate.found.{value}", language) if has(f"gate.found.{value}") else threshold_text(value, language)


def threshold_text(threshold: str, language: Language) -> str:
    """A line or value that is no word of the tools: an amount in the reader's currency words, anything else as it is."""
    return spoken_amount(plain(threshold), language)


def requirement_text(statement: Statement, language: Language) -> str:
    """What a statement asks for, as the rules understand it."""
    limit = "" if statement.limit is None else limit_text(statement.limit, statement.unit, language)
    values = say("common.list_joint", language).join(found_word(value, language) for value in statement.values)
    key = statement.requirement if values or statement.requirement != "approval" else "approval_of_nobody"
    return say(f"policy.{key}", language, limit=limit, values=values)


def limit_text(number: float, unit: str, language: Language) -> str:
    """A number of a policy with its unit: a share, a size, a time, or an amount of money."""
    if unit == "share":
        return f"{number:.0%}"
    return (
        f"{number:,.0f} {unit}".strip() if unit in {"MiB", "ms"} else spoken_amount(money_text(unit, number), language)
    )


def policy_text(plan: AdoptionPlan, language: Language, most: int = _MOST_STATEMENTS) -> str:
    """The statements of the team's documents with their quotes; empty when there are none."""
    if not plan.policy:
        return ""
    lines = [say("policy.head", language)]
    lines += [policy_line(finding, language) for finding in plan.policy[:most]]
    rest = len(plan.policy) - most + plan.policy_unread if len(plan.policy) > most else plan.policy_unread
    if rest > 0:
        lines.append(say("policy.more", language, count=rest))
    return "\n".join(lines)


def policy_line(finding: PolicyFinding, language: Language) -> str:
    """One statement: quote, document, place, and whether it is met."""
    statement = finding.statement
    state = say(f"policy.state.{finding.state}", language)
    if finding.value:
        state = say("policy.found", language, state=state, value=found_word(finding.value, language))
    elif finding.reason:
        state = say("policy.because", language, state=state, reason=say(f"policy.reason.{finding.reason}", language))
    if statement.force == "should":
        state = say("policy.recommended", language, state=state)
    if finding.evidence:
        state += f" [{finding.evidence}]"
    if statement.only_if:
        state += f" ({say('policy.when.condition', language, text=plain(statement.only_if, 120))})"
    source = ", ".join(plain(part, 120) for part in (statement.title, statement.place) if part)
    return say(
        "policy.line", language, mark=_POLICY_MARKS[finding.state], quote=plain(statement.quote, _LONGEST_QUOTE),
        source=source, passage=statement.passage, state=state,
    )  # fmt: skip


def conflicts_text(plan: AdoptionPlan, language: Language) -> str:
    """Where policy, targets and guidance differ; empty when they do not."""
    if not plan.conflicts:
        return ""
    return "\n".join([say("conflict.head", language), *(_conflict(c, language) for c in plan.conflicts)])


def _conflict(conflict: Conflict, language: Language) -> str:
    def word(line: str) -> str:
        if has(f"conflict.word.{line}"):
            return say(f"conflict.word.{line}", language)
        return say(f"policy.{line}", language) if has(f"policy.{line}") else plain(line)

    source = f" [{conflict.source}]" if conflict.source else ""
    return say(
        "conflict.line", language, gate=say(f"gate.{conflict.gate}", language), policy=word(conflict.policy_line),
        passage=conflict.passage, who=say(f"conflict.who.{conflict.against}", language),
        other=word(conflict.other_line) + source, wins=say(f"conflict.wins.{conflict.wins}", language),
    )  # fmt: skip


def changes_text(plan: AdoptionPlan, language: Language) -> str:
    """What differs from the version before; empty for the first."""
    if plan.version == 1:
        return ""
    if not plan.changes:
        return say("plan_change.none", language, version=plan.version - 1)
    lines = [say("plan_change.head", language, version=plan.version - 1)]
    lines += [change_text(change, language) for change in plan.changes[:_MOST_CHANGES]]
    if len(plan.changes) > _MOST_CHANGES:
        lines.append(say("plan_change.more", language, count=len(plan.changes) - _MOST_CHANGES))
    return "\n".join(lines)


def change_text(change: PlanChange, language: Language) -> str:
    """One change in a line, with what brought it about."""
    name = plain(change.name)
    for group, what in (("gate", "gate"), ("stage", "stage"), ("target", "target")):
        if change.what == what and has(f"{group}.{change.name}"):
            name = say(f"{group}.{change.name}", language)
    causes = ", ".join(
        say(f"target.{cause}", language) if has(f"target.{cause}") else plain(cause) for cause in change.causes
    ) or say("plan_change.nothing", language)
    return say(
        "plan_change.line", language, what=say(f"plan_change.what.{change.what}", language, name=name),
        before=_changed(change.before, language), after=_changed(change.after, language),
        why=say(f"plan_change.why.{change.why}", language, causes=causes),
    )  # fmt: skip


def _changed(value: str, language: Language) -> str:
    if not value:
        return say("plan_change.nothing", language)
    word, _, rest = value.partition(" (")
    shown = say(f"plan_change.value.{word}", language) if has(f"plan_change.value.{word}") else plain(word)
    return f"{shown} ({plain(rest)}" if rest else shown
