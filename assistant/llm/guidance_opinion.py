"""When a question goes to the guidance although its wording alone would not have sent it there.

"It has been slow since Monday" or a pasted error reads like small talk or like a call for a tool. The pilot knows how people
word their requests; the search knows what the guidance holds. Both together tell such a worry from a request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from assistant.languages import Language, language_of
from assistant.llm.example_utterances import ANSWERED
from assistant.llm.turn_schema import DEAR_TOOLS, TurnContext

GUIDANCE = "search_guidance"
ClosestEntry = Callable[[str], float]
"""The chance that the guidance's closest entry helps with a question, 0 to 1; 0 when nothing is close enough."""

BY_WORDING, BY_CLOSENESS = 0.73, 2.59
OFFSET: dict[Language, float] = {"en": 10.18, "ja": 8.93}
"""Logistic regression over the logarithms of both chances, rounded (`assistant/llm/pilot/opinion_fitting.py`)."""
LEAST_WORDING, LEAST_CLOSENESS = 1e-6, 0.01
SURE, SURE_AFTER_A_TOOL, SURE_OF_A_WORRY = 0.7, 0.85, 0.4
"""From these chances on the guidance is asked; a follow-up to a tool is more often about what that tool found, and who says to
be worried wants more than a tool's record."""

_ORDER = re.compile(
    r"^\W*(?:(?:please|now|then|ok|so|can you|could you|would you|let's|go ahead and|i want you to)\s+)*"
    r"(?:check|measure|profile|benchmark|fetch|get|download|compare|estimate|forecast|predict|plan|inspect|scan|calculate|compute|run|"
    r"verify|pull|observe|test|try)\b"
    r"|(?:確認|確かめ|計測|実測|測っ|見積も?っ?|計算|取得|ダウンロード|落とし|比較|比べ|調べ|検査|試し|予測|立て)(?:し)?て"
    r"(?:ください|下さい|ほしい|欲しい|くれ|もらえ|いただ|おいて|ね|$)|お願い",
    re.IGNORECASE,
)
"""A request to do something, for which the model is asked for where none is known."""
_WORRY = re.compile(
    r"\b(?:worr(?:y|ied|ies|ying)|afraid|anxious|uneasy|nervous|scared|fear(?:s|ed)?|concern(?:s|ed)?)\b|心配|不安|怖|恐れ|懸念|気がかり",
    re.IGNORECASE,
)


def with_guidance(
    routes: tuple[str, ...], by_wording: float, turn: TurnContext, closest_entry: ClosestEntry
) -> tuple[str, ...]:
    """The routes of a question, with the guidance instead of them or after them where it is the one to answer.

    Args:
        routes: What the pilot chose.
        by_wording: Its probability that the guidance is meant, 0 to 1.
        turn: The question.
        closest_entry: What the search says of a question.
    """
    if GUIDANCE in routes or turn.named or _ORDER.search(turn.question.strip()):
        return routes
    sure = SURE if turn.last_tool in {"", GUIDANCE} else SURE_AFTER_A_TOOL
    if _WORRY.search(turn.question):
        sure = SURE_OF_A_WORRY
    if _chance(by_wording, closest_entry(turn.question), language_of(turn.question)) < sure:
        return routes
    # A dear tool is not started for what may be a worry; its request stands among the choices.
    instead = routes[0] in {*ANSWERED, *DEAR_TOOLS} or turn.needs_model(routes[0])
    return (GUIDANCE,) if instead else (routes[0], GUIDANCE)


def _chance(by_wording: float, closeness: float, language: Language) -> float:
    """Chance that the guidance is to answer, 0 to 1."""
    if not closeness:
        return 0.0
    worded, close = features(by_wording, closeness)
    return 1 / (1 + math.exp(-(BY_WORDING * worded + BY_CLOSENESS * close + OFFSET[language])))


def features(by_wording: float, closeness: float) -> tuple[float, float]:
    """What the regression sees: the logarithms of both chances, of the pilot's and of the search's."""
    return math.log(by_wording + LEAST_WORDING), math.log(closeness + LEAST_CLOSENESS)
