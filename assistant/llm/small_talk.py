"""Which kind of small talk a message is, read off its words: a sentence that answers thanks would mock an insult."""

from __future__ import annotations

import re
from typing import Literal

TALK = "talk"
"""The route of small talk."""

_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|nice to meet you)\b"
    r"|^\W*(?:こんにちは|こんにちわ|こんばんは|おはよう|はじめまして|初めまして|やあ|ハロー|お疲れ様|お疲れさま|よろしく)",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|much appreciated|cheers)\b(?! (?:for nothing|for wasting|to you))"
    r"|ありがとう|有難う|有り難う|サンキュー|感謝(?:し|いたし|申し)|助かりました|助かった|助かります",
    re.IGNORECASE,
)
_DISPLEASED = re.compile(
    r"\bno,? thank(?:s| you)\b|\b(?:not|never|useless|worthless|stupid|idiot|bad|wrong|terrible|awful|nothing|but)\b|n't\b"
    r"|役立たず|役に立た|使えない|ばか|馬鹿|バカ|無能|ひどい|最悪|違(?:う|い|っ)|間違|ません|(?:けど|けれど|が、|のに)",
    re.IGNORECASE,
)
"""Words with which thanks are no thanks, or a greeting no friendly one."""


def kind_of_talk(text: str) -> Literal["greeting", "thanks", "talk"]:
    """What a message of small talk is; `talk` is whatever is neither a greeting nor thanks, an insult for example.

    Args:
        text: The user's words.
    """
    if _DISPLEASED.search(text):
        return "talk"
    if _THANKS.search(text):
        return "thanks"
    return "greeting" if _GREETING.search(text) else "talk"
