"""Versions as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import Rendered, code, next_step, not_checked, plain
from assistant.translation import translate

if TYPE_CHECKING:
    from assistant.rendering.results import TurnResult

MOST_CHANGES = 8


def render_version(result: TurnResult, language: Language, _turn: Sequence[TurnResult]) -> Rendered:
    """The record of `check_version`."""
    record: Any = result.record
    headline = say(
        "version.headline", language, model=code(record.model), commit=code(record.commit), id=result.evidence_id
    )
    lines = [say("version.pinned" if record.pinned else "version.not_pinned", language)]
    if record.newest_commit == record.commit:
        lines.append(say("version.newest", language))
    elif record.newest_commit and record.behind:
        lines.append(say("version.behind", language, newest=record.newest_commit[:12], count=record.behind))
    elif record.newest_commit:
        lines.append(say("version.behind_unknown", language, newest=record.newest_commit[:12]))
    changes = "\n".join(
        say(
            "version.change",
            language,
            kind=translate(c.kind.replace("_", " "), language),
            file=code(c.file),
            description=plain(translate(c.description, language)),
            retest=translate(c.retest, language),
        )
        for c in record.changes[:MOST_CHANGES]
    )
    unknown = say("common.unknown", language)
    library = say(
        "version.library",
        language,
        written=code(record.library.written_with or unknown),
        installed=record.library.installed or unknown,
        note=translate(record.library.note, language),
    )
    lineage = (
        say("version.lineage", language, models=", ".join(code(m) for m in record.lineage)) if record.lineage else ""
    )
    advisories = [translate(each, language) for each in record.advisories]
    details = "\n\n".join(p for p in (" ".join(lines), changes, library, lineage, *advisories) if p)
    advice = "\n\n".join(
        p for p in (next_step(say("version.next_step", language), language), not_checked(record.unknown, language)) if p
    )
    return Rendered(headline, details, advice)
