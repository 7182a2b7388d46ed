"""Whether a question about two models asks how their contents differ, read off the user's own words."""

from __future__ import annotations

import re

_DIFFERENCE = re.compile(
    r"\b(?:same|identical|diff(?:er(?:s|ed|ent|ence|ences)?|s)?|equals?|cop(?:y|ies|ied)|match(?:es)?|chang(?:e|es|ed)|"
    r"compare|twins?|tampered|altered|touched|edited|retrained|against|new(?:er)? inside|byte)\b|"
    r"同じ|同名|同一|違|差分|異な|一致|変わ|変え|替え|比べ|比較|突き合わせ|照らし合わせ|コピー|改ざん|瓜二つ|別物|手を入れ|手の入",
    re.IGNORECASE,
)


def asks_difference(text: str) -> bool:
    """Whether two references are to be compared with each other rather than each looked up.

    Args:
        text: The normalised sentence.
    """
    return _DIFFERENCE.search(text) is not None
