"""Three sentences for a meeting, with the figures of the user's own plan or measurement.

Such a question is read by code, before any LLM: what somebody says aloud in a meeting must be what stands in the plan.
"""

from __future__ import annotations

import re

from assistant.advice.plan_facts import PlanFacts
from assistant.advice.plan_records import AdoptionPlan
from assistant.advice.policy_text import normalised
from assistant.decided import StoredAnswer, citations_of, model_spoken_of
from assistant.evidence import Evidence
from assistant.languages import Language
from assistant.llm.turn_schema import TurnContext
from assistant.phrases import say
from assistant.services import Services

_ENGLISH = re.compile(
    r"\b(?:sentences?|lines?|words?|wording|phrases?|talking\s+points?)\b[^.?!]{0,40}\b(?:meeting|board|boss|management|steering|managers?|"
    r"executives?|directors?|presentation)\b"
    r"|\bwhat\s+(?:do|can|should|shall|could)\s+(?:i|we)\s+(?:say|tell\s+(?:them|my\s+\w+|the\s+\w+))\b[^.?!]{0,40}\b(?:meeting|board|boss|"
    r"management|executives?|directors?|tomorrow)\b"
    r"|\bwhat\s+(?:do|can|should|shall|could)\s+(?:i|we)\s+tell\s+(?:my|the|our)\s+(?:boss|board|management|managers?|executives?|directors?)\b",
    re.IGNORECASE,
)
_JAPANESE = re.compile(
    r"(?:会議|ミーティング|役員会|経営会議|打ち?合わせ|上司|社長|役員|経営層)[^。?]{0,24}(?:一言|ひとこと|言い方|言えば|言い回し|話し方|話せば|説明文|"
    r"説明すれば|伝え方|伝えれば|台詞|セリフ|フレーズ|(?:三|3)(?:つの)?文|文を|文章)"
    r"|(?:一言|言い方|言い回し|フレーズ|(?:三|3)(?:つの)?文)[^。?]{0,16}(?:会議|ミーティング|役員会|打ち?合わせ)"
)
_CITED = re.compile(r"\\\[([A-Z][0-9a-f.]+)\\\]")
"""An id in escaped brackets, which the chat makes a citation of."""


def asks_for_sentences(question: str) -> bool:
    """Whether a question asks what to say in a meeting.

    Args:
        question: The user's words.
    """
    text = normalised(question)
    return bool(_ENGLISH.search(text) or _JAPANESE.search(text))


def answer_for_meeting(
    services: Services, turn: TurnContext, user: str, conversation: str, language: Language
) -> StoredAnswer | None:
    """Three sentences about the model that is meant; None when nothing was planned or measured for it.

    Args:
        services: Where plans and evidence are kept.
        turn: The question with its models.
        user: Whose plan and measurements; nobody else's are told.
        conversation: The conversation, whose latest model is meant where none is named.
        language: Language of the answer.
    """
    model = model_spoken_of(services, turn, user, conversation)
    if not model:
        return None
    plan = next(iter(services.store.find(user=user, model=model, tool="plan_adoption", limit=1)), None)
    if plan is not None:
        return _of_plan(services, plan, user, language)
    return _of_measurement(services, model, user, language)


def _of_plan(services: Services, stored: Evidence, user: str, language: Language) -> StoredAnswer | None:
    from assistant.advice.reporting.markdown_text import line  # noqa: PLC0415 (as above)
    from assistant.advice.reporting.material import material_of  # noqa: PLC0415 (the report's modules, only when needed)
    from assistant.advice.reporting.opening import meeting_sentences  # noqa: PLC0415 (as above)

    plan = AdoptionPlan.model_validate(stored.record)
    evidence = services.store.find(user=user, model=plan.model)
    material = material_of(plan, evidence, language, drawn=False)
    sentences = [_CITED.sub(r"[\1]", line(sentence)) for sentence in meeting_sentences(material)]
    return _told(services, sentences, [stored.id, *plan.evidence], user, plan.model, language, "plan_adoption")


def _of_measurement(services: Services, model: str, user: str, language: Language) -> StoredAnswer | None:
    facts = PlanFacts(services.store.find(user=user, model=model), {})
    latency, memory = facts.latency_p95_ms, facts.peak_memory_mib
    if latency is None or memory is None:
        return None
    measured = say("meeting.measured", language, latency=f"{latency[0]:.1f}", memory=f"{memory[0]:,.0f}", id=latency[1])
    measured += say("meeting.provisional", language) if facts.measured_amid_noise else ""
    sentences = [say("meeting.small_role", language), measured, say("meeting.rules_written", language)]
    return _told(services, sentences, [latency[1]], user, model, language, "profile_model")


def _told(
    services: Services, sentences: list[str], cited: list[str], user: str, model: str, language: Language, tool: str
) -> StoredAnswer:
    lines = "\n".join(f"{i}. {sentence}" for i, sentence in enumerate(sentences, start=1))
    text = f"{say('meeting.head', language, model=model)}\n\n{lines}"
    shown = [id for id in dict.fromkeys(cited) if f"[{id}]" in text]
    return StoredAnswer(text, citations_of(services, shown, user, language), tool)
