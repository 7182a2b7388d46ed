"""What was decided about a model and why, answered from stored decisions alone.

Such a question is read by code, before any LLM: the answer names who decided what on which evidence, and a guess at that
would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from assistant.advice.policy_text import normalised
from assistant.languages import Language
from assistant.llm.turn_schema import TurnContext
from assistant.phrases import say
from assistant.rendering.decisions import decisions_text
from assistant.services import Services
from assistant.turn_events import Citation

_ENGLISH = re.compile(
    r"\b(?:what|which|why|when|who)\b[^.?!]{0,60}\b(?:did|have|has|had|was|were)\b[^.?!]{0,40}\b(?:decide|decided|decisions?|conclude|concluded|"
    r"agree|agreed|settled?)\b(?!\s+(?:to\s+use\s+for|between))"
    r"|\bwhat\s+(?:is|was|are|were)\s+(?:the\s+|our\s+)(?:last\s+|latest\s+)?decisions?\b"
    r"|\b(?:show|list|tell|give)\s+(?:me\s+|us\s+)?(?:all\s+)?(?:the\s+|our\s+|past\s+|earlier\s+)*decisions?\b"
    r"|\b(?:have|has|did)\s+(?:we|anyone|anybody|the\s+team)\s+(?:already\s+)?(?:decide|decided|made\s+a\s+decision)\b"
    r"|\bwho\s+decided\b|\b(?:what|which)\s+decisions?\b[^.?!]{0,20}\b(?:was|were|has|have|did)\b"
    r"|\bwhat\s+(?:we|the\s+team)\s+(?:have\s+)?decided\b|\bwhy\s+did\s+(?:we|the\s+team)\s+(?:stop|go\s+on|go\s+ahead|approve|reject)\b",
    re.IGNORECASE,
)
_CITED = re.compile(r"\[([A-Z]{1,2}[0-9a-f.]+)\]")
_JAPANESE = re.compile(
    r"(?:何|なに|どう|誰|だれ|いつ|なぜ|どんな|どのよう)[^。?]{0,24}(?:決め(?:た|まし|て(?:い)?(?:た|まし))|決まっ(?:た|て|て(?:い)?ま)|決定し(?:た|まし)|決断)"
    r"|(?:決め|決定し)た(?:こと|内容|理由|経緯|の(?:は|か))|(?:これまで|今まで|過去)の(?:決定|判断)|決定(?:事項|内容|の理由|の経緯|の履歴|を(?:教え|見せ|一覧))"
    r"|(?:もう|すでに|既に)?決まっ(?:て(?:い)?(?:ます|る)|た)(?:こと)?[^。]{0,4}(?:か|\?)"
)
_NOT_ABOUT_THE_PAST = re.compile(
    r"\b(?:help|how|should|can|could)\b[^.?!]{0,20}\b(?:decide|choose)\b|\bto\s+decide\b|決め(?:る|たい|られ|かね|れば|方)|決めておく|決めた(?:ほう|方)",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|this|that|the\s+model|this\s+one)\b|それ|これ|この|その|当該|同モデル", re.IGNORECASE
)


class StoredAnswer(NamedTuple):
    """What is told from stored records alone, as Markdown, and what it cites."""

    text: str
    citations: tuple[Citation, ...]
    tool: str = ""
    """Tool whose records it tells, which the next question may go on about."""


def asks_decisions(question: str) -> bool:
    """Whether a question asks what was decided, rather than what to decide.

    Args:
        question: The user's words.
    """
    text = normalised(question)
    if _NOT_ABOUT_THE_PAST.search(text) and not re.search(r"\b(?:did|have)\s+we\s+decide", text, re.IGNORECASE):
        return False
    return bool(_ENGLISH.search(text) or _JAPANESE.search(text))


def answer_decisions(services: Services, turn: TurnContext, user: str, language: Language) -> StoredAnswer:
    """The decisions about the models that a question means, or all of the user's when it names none.

    Args:
        services: Where decisions are kept.
        turn: The question with its models.
        user: Whose decisions; nobody else's are told.
        language: Language of the answer.
    """
    models = meant_models(turn)
    texts, cited = [], []
    for model in models or ("",):
        decisions = services.plans.decisions(user, model)
        plans = services.plans.versions(user, model)
        texts.append(decisions_text(decisions, plans, model, language))
        cited += [d.plan_evidence for d in decisions]
        cited += [gate.evidence for d in decisions for gate in d.gates]
        cited += [plan.evidence for plan in plans[:1] if model]
    return StoredAnswer("\n\n".join(texts), citations_of(services, cited, user, language))


def cited_in(text: str) -> list[str]:
    """The ids in brackets that a text cites, in its order."""
    return _CITED.findall(text)


def citations_of(services: Services, ids: Sequence[str], user: str, language: Language) -> tuple[Citation, ...]:
    """Citations of stored evidence.

    Args:
        services: Where evidence is kept.
        ids: Evidence ids; empty ones and those that are nobody's or another user's are left out.
        user: Whose evidence.
        language: Language of the titles.
    """
    found = [each for id in dict.fromkeys(ids) if id and (each := services.store.get(id, user=user))]
    return tuple(
        Citation(id=e.id, title=say(f"tool.{e.tool}", language), source=f"{e.model} {e.commit}".strip()) for e in found
    )


def model_spoken_of(services: Services, turn: TurnContext, user: str, conversation: str) -> str:
    """The first model that is meant, else the conversation's latest one; empty when there is neither.

    Args:
        services: Where evidence is kept.
        turn: The question with its models.
        user: Whose conversation it is.
        conversation: The conversation.
    """
    return next(iter(meant_models(turn) or services.store.models(user=user, conversation=conversation)), "")


def meant_models(turn: TurnContext) -> tuple[str, ...]:
    """The models named, or the last one spoken of where a word points back to it."""
    if turn.named:
        return turn.named
    return turn.remembered[:1] if _POINTS_BACK.search(turn.question) else ()
