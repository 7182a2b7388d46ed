"""What is to be set beside what: two models' contents, or a model and a hosted service; read off the user's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.languages import Language

_DIFFERENCE = re.compile(
    r"\b(?:same|identical|diff(?:er(?:s|ed|ent|ence|ences)?|s)?|equals?|cop(?:y|ies|ied)|match(?:es)?|chang(?:e|es|ed)|"
    r"compare|twins?|tampered|altered|touched|edited|retrained|against|new(?:er)? inside|byte)\b|"
    r"同じ|同名|同一|違|差分|異な|一致|変わ|変え|替え|比べ|比較|突き合わせ|照らし合わせ|コピー|改ざん|瓜二つ|別物|手を入れ|手の入",
    re.IGNORECASE,
)
_CONTENTS = re.compile(
    r"\b(?:identical|contents?|files?|bytes?|checksum|hash(?:es)?|tampered|exact cop(?:y|ies)|same (?:checkpoint|weights|tensors|bits))\b|"
    r"中身|内容|ファイル|ハッシュ|改ざん|同一|一字一句|差し替え",
    re.IGNORECASE,
)

_SERVICE = re.compile(
    r"(?<![\w./-])(?:chat\s?gpt|gpt(?:-?[3-9]\w*(?:\.\d\w*)?)?|claude|gemini|copilot|openai|grok)(?!\w|/|-(?:j|neo|oss|\d))"
    r"|チャットGPT|ジェミニ|コパイロット",
    re.IGNORECASE | re.ASCII,
)
_PREFERENCE = re.compile(
    r"\b(?:better|worse|best|beats?|compar\w+|versus|vs|which|match(?:es)?|as (?:good|smart|accurate|capable)|smarter|quality)\b|"
    r"どっち|どちら|比べ|比較|より|並み|勝て|勝つ|劣|優れ|同じくらい|互角",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"\b(?:cost\w*|price\w*|cheap\w*|expensive|sav(?:e|es|ing|ings)|pay\w*|bill|budget|subscription|break[\s-]?even)\b|"
    r"安|費|料金|課金|月額|値段|価格|節約|予算|損益|いくら|お得|得か|得に",
    re.IGNORECASE,
)
_JUDGE_IT: dict[Language, str] = {
    "en": "How do we judge on our own examples which of the two to adopt?",
    "ja": "公開された点数ではなく自社の例で、どちらを採用するかを決めたい",
}
_SHORT = 200
"""A longer question, in characters, says itself what it is about."""


def asks_about_service(text: str, named: Sequence[str]) -> bool:
    """Whether something is to be set beside a hosted service, whose files nobody can measure; not by its price, which is known.

    Args:
        text: The normalised sentence.
        named: References in it; two of them can be compared.
    """
    services = {found[0].casefold() for found in _SERVICE.finditer(text)}
    beside = len(services) == 1 and len(named) < 2 and _PREFERENCE.search(text) is not None
    return beside and _MONEY.search(text) is None


def judged_beside(question: str, language: Language) -> str:
    """What to search the guidance for: a short "Is it better than GPT-4?" says nothing of what it has entries about.

    Args:
        question: One that sets something beside a hosted service.
        language: Its language.
    """
    return f"{question} {_JUDGE_IT[language]}" if len(question) <= _SHORT else question


def asks_difference(text: str) -> bool:
    """Whether two references are to be compared with each other rather than each looked up.

    Args:
        text: The normalised sentence.
    """
    return _DIFFERENCE.search(text) is not None


def asks_contents(text: str, named: Sequence[str]) -> bool:
    """Whether two references are one model's contents to be told apart, rather than two models to choose from.

    Args:
        text: The normalised sentence.
        named: References in it.
    """
    if len(named) != 2 or not asks_difference(text):
        return False
    first, second = (name.partition("@")[0].rstrip("/").rpartition("/")[2].casefold() for name in named)
    return first == second or _CONTENTS.search(text) is not None
