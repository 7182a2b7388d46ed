"""Answers a short follow-up (`assistant/follow_ups.py`) from what the conversation has shown already."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence import Evidence
from assistant.follow_ups import SECTIONS, FollowUp, last_told, read_follow_up
from assistant.languages import Language
from assistant.meeting import asks_for_sentences
from assistant.rendering.guidance import MEETING_ENTRY
from assistant.rendering.results import TurnResult
from assistant.services import Services
from assistant.toolbox import CallScope, read_record
from knowledge.policy_search import GuidanceAnswer
from knowledge.search import RECALLED

GUIDANCE = "search_guidance"
LOOKED_BACK = 10
"""Answers from the guidance that "the second one" can reach back over."""


class Recall:
    """What a user's conversation showed last.

    Args:
        services: Where evidence is kept and entries are looked up.
        call: Whose conversation it is, and which.
    """

    def __init__(self, services: Services, call: CallScope) -> None:
        self._services, self._user, self._conversation = services, call.user, call.conversation

    def answer(self, question: str, language: Language) -> list[TurnResult]:
        """The results that answer a follow-up; none when the question is one of its own or nothing fits it.

        Args:
            question: The user's words.
            language: Language of the answer.
        """
        if asks_for_sentences(question):
            return self._entries([MEETING_ENTRY], "what", question, language)
        follow_up = read_follow_up(question)
        turns = self._services.store.turns(user=self._user, conversation=self._conversation) if follow_up else []
        told = last_told(turns)
        if follow_up is None or told is None:
            return []
        if told.tools[-1] == GUIDANCE:
            return self._from_guidance(follow_up, question, language)
        return self._newest(told.tools) if follow_up.kind == "shorter" else []

    def _from_guidance(self, follow_up: FollowUp, question: str, language: Language) -> list[TurnResult]:
        store = self._services.store
        found = store.find(user=self._user, conversation=self._conversation, tool=GUIDANCE, limit=LOOKED_BACK)
        shown = _shown(found, listed=follow_up.kind in {"nth", "shorter"})
        entries = follow_up.of(shown)
        if not entries:
            return []
        return self._entries(entries, SECTIONS[follow_up.kind], question, language)

    def _entries(self, entries: Sequence[str], section: str, question: str, language: Language) -> list[TurnResult]:
        """One part of these entries, word by word, kept as evidence."""
        record = GuidanceAnswer(**dict(self._services.search.recall(entries, section, language, question)))
        arguments = {"query": question}
        evidence = self._services.store.add(
            record, user=self._user, conversation=self._conversation, tool=GUIDANCE, arguments=arguments
        )
        return [TurnResult(evidence.id, GUIDANCE, arguments, record)]

    def _newest(self, tools: Sequence[str]) -> list[TurnResult]:
        newest = [self._services.store.find(user=self._user, tool=tool, limit=1) for tool in dict.fromkeys(tools)]
        return [TurnResult(e.id, e.tool, e.arguments, read_record(e)) for found in newest for e in found]


def _shown(found: Sequence[Evidence], *, listed: bool) -> list[str]:
    """Entries of the last answer; with `listed` of the last one that a search gave, which is the one with a list."""
    for evidence in found:
        passages = evidence.record["passages"]
        if passages and not (listed and passages[0]["score"] == RECALLED):
            return [passage["entry"] for passage in passages]
    return []
