"""Locks, their check, and news of locked models as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import code, inline, next_step, plain
from assistant.translation import translate

if TYPE_CHECKING:
    from tools.comparing.change import Change
    from tools.locking.check import CheckedModel, LockCheck
    from tools.locking.drift import LibraryChange
    from tools.locking.policy import RuleResult
    from tools.locking.records import LockedModel
    from tools.locking.watching import ModelNews

_MOST_CHANGES = 12


def render_locked(entry: LockedModel, path: Path, language: Language) -> str:
    """A new entry of a lock."""
    unknown = say("common.unknown", language)
    head = say("locking.locked", language, model=code(entry.reference), commit=code(entry.commit), path=code(str(path)))
    score, memory = entry.documentation_score, entry.forecast_memory_mib
    facts = say(
        "locking.facts",
        language,
        files=len(entry.files),
        licence=code(entry.licence.spdx or entry.licence.tag or unknown),
        score=unknown if score is None else f"{score:.2f}",
        memory=unknown if memory is None else f"{memory:,.0f} MiB",
        by=plain(entry.locked_by),
    )
    evidence = say("locking.evidence", language, ids=", ".join(f"[{each.id}]" for each in entry.evidence))
    failed = [each.code for each in entry.gates if each.state == "failed"]
    open_gates = [each.code for each in entry.gates if each.state not in {"passed", "failed"}]
    gates = [
        say("locking.gates_failed", language, gates=_gates(failed, language)) if failed else "",
        say("locking.gates_open", language, gates=_gates(open_gates, language)) if open_gates else "",
    ]
    reach = say("locking.reached", language, ids=", ".join(entry.advisories)) if entry.advisories else ""
    pinned = (
        "" if entry.pinned else say("locking.not_pinned", language, model=code(entry.name), commit=code(entry.commit))
    )
    step = next_step(say("locking.after_lock", language, path=code(str(path))), language)
    return _paragraphs([head, facts, evidence, *gates, reach, pinned, step])


def _gates(codes: list[str], language: Language) -> str:
    return say("common.list_joint", language).join(say(f"gate.{each}", language) for each in codes)


def render_check(found: LockCheck, language: Language) -> str:
    """The check of a lock, model by model."""
    if not found.models:
        return say("locking.empty", language)
    verdict = say(f"locking.verdict.{found.verdict}", language, count=len(found.models))
    return _paragraphs([verdict, *(_checked(each, language) for each in found.models)])


def _checked(checked: CheckedModel, language: Language) -> str:
    state = checked.state
    source = say(f"locking.source.{state.source}", language) if state.source else ""
    head = say(
        f"locking.state.{state.state}", language, model=code(state.model), commit=code(state.commit), source=source
    )
    reason = inline(translate(state.reason, language))
    lines = [head + (f" {reason}" if reason else ""), *_changes(state.drifts, language)]
    lines += [_rule(each, language) for each in checked.rules]
    if state.libraries:
        lines.append(say("locking.libraries", language, changes=_libraries(state.libraries, language)))
    step = next_step(inline(translate(state.next_step, language)), language) if state.next_step else ""
    return "\n".join(each for each in (*lines, step) if each)


def _changes(changes: tuple[Change, ...], language: Language) -> Iterable[str]:
    for change in changes[:_MOST_CHANGES]:
        yield say(
            "locking.change",
            language,
            risk=say(f"locking.risk.{change.risk}", language),
            kind=translate(change.kind.replace("_", " "), language),
            file=code(change.file),
            description=inline(translate(change.description, language)),
            retest=inline(translate(change.retest, language)),
        ).rstrip()
        yield from (f"  - {inline(translate(each, language))}" for each in change.details)
    if len(changes) > _MOST_CHANGES:
        yield say("locking.more", language, count=len(changes) - _MOST_CHANGES)


def _rule(result: RuleResult, language: Language) -> str:
    mark = "✓" if result.holds else "✗"
    outcome = say(f"locking.outcome.{result.outcome}", language)
    found = inline(translate(result.found, language))
    return say("locking.rule", language, mark=mark, rule=result.rule, outcome=outcome, found=found)


def _libraries(changes: tuple[LibraryChange, ...], language: Language) -> str:
    absent = say("locking.not_installed", language)
    named = (f"{each.name} {each.locked or absent} → {each.installed or absent}" for each in changes)
    return say("common.list_joint", language).join(named)


def render_news(news: ModelNews, language: Language) -> str:
    """What happened to one locked model."""
    lines = [say("locking.news", language, model=code(news.model), commit=code(news.commit))]
    if news.access in {"gated", "gone"}:
        lines.append(f"- {say(f'locking.access.{news.access}', language)} {inline(translate(news.reason, language))}")
    elif news.reason:
        lines.append(f"- {inline(translate(news.reason, language))}")
    if news.newest_commit and news.newest_commit != news.commit:
        behind = say("common.unknown", language) if news.behind is None else news.behind
        lines.append(say("locking.newer", language, newest=code(news.newest_commit), behind=behind))
    lines += _changes(news.changes, language)
    for each in news.advisories:
        reason = inline(translate(each.reason, language))
        lines.append(
            say("locking.advisory", language, id=each.id, package=each.package, file=code(each.file), reason=reason)
        )
    if news.next_step:
        lines.append(next_step(inline(translate(news.next_step, language)), language))
    return "\n".join(lines)


def _paragraphs(parts: list[str]) -> str:
    return "\n\n".join(each for each in parts if each)
