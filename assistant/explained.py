"""Answers "why", "in short" and "what next" about the last result, and asks back where "the second one" is of no list.

Such a question has no matter of its own: routing would guess at it, and a general rule would not be what was shown. What is
told comes from the stored record alone.
"""

from __future__ import annotations

import re

from assistant.decided import StoredAnswer, citations_of, cited_in
from assistant.evidence import Evidence, Turn
from assistant.follow_ups import last_told, read_follow_up
from assistant.languages import Language
from assistant.meeting import asks_for_sentences
from assistant.phrases import say
from assistant.recall import GUIDANCE
from assistant.rendering.guidance import meeting_principles
from assistant.rendering.results import TurnResult, rendered
from assistant.services import Services
from assistant.toolbox import read_record

_COVERING = ("plan_adoption", "compare_models", "estimate_cost")
"""Tools whose answer covers what they rest on."""
_BARE = re.compile(r"\W*(?:\d+|one|two|three|four|[一二三四])\W*", re.IGNORECASE)
"""A number alone, which may answer what a tool asked for."""


def answer_about_last(
    services: Services, question: str, user: str, conversation: str, language: Language
) -> StoredAnswer | None:
    """Why the last result is as it is, or what comes next; None when the question is another one or nothing was found.

    Guidance is left to `Recall`, and so is "in short" about anything but sentences for a meeting.

    Args:
        services: Where evidence is kept.
        question: The user's words.
        user: Whose results; nobody else's are told.
        conversation: The conversation.
        language: Language of the answer.
    """
    follow_up = read_follow_up(question)
    kind = follow_up.kind if follow_up else ""
    told = last_told(services.store.turns(user=user, conversation=conversation)) if follow_up else None
    if told is None or told.tools[-1] == GUIDANCE:
        return None
    for_meeting = asks_for_sentences(told.question)
    if kind not in {"why", "how", "next"} and not (kind == "shorter" and for_meeting):
        return None
    tool = next((tool for tool in _COVERING if tool in told.tools), told.tools[-1])
    evidence = _evidence_of(services, told, tool, user, conversation)
    if evidence is None:
        return None
    result = TurnResult(evidence.id, tool, evidence.arguments, read_record(evidence))
    text = (
        "\n".join(f"- {each}" for each in meeting_principles(language))
        if kind == "shorter"
        else _text(kind, result, language)
    )
    cited = [evidence.id, *cited_in(text)] if text else []
    return StoredAnswer(text, citations_of(services, cited, user, language), tool) if text else None


def ask_which_list(
    services: Services, question: str, user: str, conversation: str, language: Language
) -> StoredAnswer | None:
    """The question back where "the second one" is of no list that was shown; None when the question is another one.

    Args:
        services: Where turns are kept.
        question: The user's words.
        user: Whose conversation it is.
        conversation: The conversation.
        language: Language of the answer.
    """
    follow_up = read_follow_up(question)
    if follow_up is None or follow_up.kind != "nth":
        return None
    if _BARE.fullmatch(question) and last_told(services.store.turns(user=user, conversation=conversation)):
        return None
    return StoredAnswer(say("ask.which_list", language), ())


def _evidence_of(services: Services, told: Turn, tool: str, user: str, conversation: str) -> Evidence | None:
    """The record that an answer told: the one that it cites, else the conversation's or the user's newest of that tool."""
    store = services.store
    cited = [store.get(id, user=user) for id in cited_in(told.answer)]
    newest = store.find(user=user, conversation=conversation, tool=tool, limit=1) or store.find(
        user=user, tool=tool, limit=1
    )
    return next((each for each in [*cited, *newest] if each is not None and each.tool == tool), None)


def _text(kind: str, result: TurnResult, language: Language) -> str:
    from assistant.rendering.reasons import what_next, why  # noqa: PLC0415 (the renderers, only when needed)

    if kind == "how" and result.tool == "estimate_cost":
        # "How?" after an amount asks how it came about, or what to do.
        return "\n\n".join(
            part for part in (why(result, language), rendered(result, language, [result]).advice) if part
        )
    return why(result, language) if kind == "why" else what_next(result, language)
