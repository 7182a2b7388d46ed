"""A licence as Markdown: the answer for the stated use, the strictest term, lineage and duties."""

from __future__ import annotations

from typing import Any

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.style import code, inline, plain
from assistant.translation import translate

_MOST_DUTIES = 12
_MOST_PARTS = 5


def licence_name(licence: Any, language: Language) -> str:
    """The licence in a word, whether tag and text agree, and what follows."""
    return say(
        "documentation.licence",
        language,
        name=plain(licence.spdx or licence.tag or say("common.unknown", language)),
        agreement=say(f"documentation.agreement.{licence.agreement}", language),
        note=translate(licence.note, language),
    )


def use_answers(licence: Any, language: Language) -> str:
    """Whether the stated uses are allowed; all uses when none was stated."""
    if not licence.uses:
        return ""
    stated = [each for each in licence.uses if each.stated]
    title = say("licence.stated_uses", language) if stated else say("licence.all_uses", language)
    lines = [
        say(
            "licence.use_line",
            language,
            use=say(f"licence.use.{each.use}", language),
            answer=say(f"licence.answer.{each.answer}", language),
            reason=inline(translate(each.reason, language)),
        )
        for each in stated or licence.uses
    ]
    return "\n".join([title, *lines, say("licence.no_advice", language)])


def strictest(licence: Any, language: Language) -> str:
    """The strictest term over the lineage; empty when there is none."""
    term = licence.strictest
    if term is None:
        return ""
    says = translate(term.says, language).rstrip("。.")
    return say("licence.strictest", language, says=says, spdx=term.spdx, name=code(term.name, 80), section=term.section)


def lineage(licence: Any, language: Language) -> str:
    """What the model was made from; datasets without a known licence are only counted after the first few."""
    parts = [part for part in licence.lineage if part.role != "model"]
    if not parts:
        return ""
    named = [
        say(
            "licence.part",
            language,
            role=say(f"licence.role.{part.role}", language),
            name=code(part.name, 80),
            spdx=part.spdx or say("licence.unknown", language),
        )
        for part in parts[:_MOST_PARTS]
    ]
    if len(parts) > _MOST_PARTS:
        named.append(say("licence.more_parts", language, count=len(parts) - _MOST_PARTS))
    return say("licence.lineage", language, parts=say("common.list_joint", language).join(named))


def duties(licence: Any, language: Language) -> str:
    """Every duty with where it stands, quoted from the text."""
    lines = [_duty(each, language) for each in licence.obligations[:_MOST_DUTIES]]
    return "\n".join([say("licence.duties", language), *lines]) if lines else ""


def _duty(duty: Any, language: Language) -> str:
    says = translate(duty.says, language).rstrip("。.")
    source = f"<{duty.source}>" if duty.source.startswith("https://") else f"`{code(duty.source, 80)}`"
    if not duty.quote:
        return say("licence.duty", language, says=says, spdx=duty.spdx, section=duty.section, source=source)
    quote = plain(duty.quote, 160)
    return say(
        "licence.duty_quoted", language, says=says, spdx=duty.spdx, section=duty.section, source=source, quote=quote
    )


def changes(licence: Any, language: Language) -> str:
    """What was added to or left out of the licence's text."""
    if not licence.text_modified:
        return ""
    lines = " / ".join(f"“{plain(each, 160)}”" for each in licence.text_changes[:3])
    return say("licence.changed", language, lines=lines)


def allow_list(licence: Any, language: Language) -> str:
    """Whether the team's list has it; empty without a list."""
    if licence.on_allow_list is None:
        return ""
    return say("licence.allowed", language) if licence.on_allow_list else say("licence.not_allowed", language)
