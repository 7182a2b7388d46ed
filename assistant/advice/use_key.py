"""The use of a model out of a sentence, in a form that stays the same when the question is put another way.

In the chat a plan's use is the question itself: "Plan the adoption of X for FAQ search" and "the same for FAQ search, with
200 ms" are two versions of one plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.advice.policy_text import normalised
from assistant.llm.quantities import find_quantities
from tools.model_reference import find_references

_ASKS_FOR_A_PLAN = re.compile(
    r"\b(?:plan(?:s|ned|ning)?|adopt(?:ion|ing)?|introduc\w*|roll(?:ing)?\s*out|stages?|staged)\b|計画|導入|採用|段階|プラン|進め方",
    re.IGNORECASE,
)
_ENGLISH_USE = re.compile(
    r"\b(?:for|to\s+(?:do|use\s+it\s+for|build|run|power|support)|used?\s+(?:it\s+)?(?:for|in|as))\s+(?:an?\s+|the\s+|our\s+|my\s+)?"
    r"(?P<use>[a-z][\w' -]*?)(?=\s*(?:[,.;:?!()]|$|\b(?:with|at|on|under|within|given|using|by|if|when|please|and\s+(?:then|tell|say|give)|"
    r"per|from|until|before|\d)\b|\d))",
    re.IGNORECASE,
)
_JAPANESE_USE = re.compile(
    r"(?P<use>[^\s、。,()「」をはがにで]{1,24}?(?:[のと・][^\s、。,()「」をはがにで]{1,16}?)?)(?:に(?:使|利用|活用|用い|向け)|で(?:使|利用|活用)|への?(?:導入|適用|利用)"
    r"|用(?:に|の|で|途)|のため|向けに?|として(?:使|利用)|を(?:目的|用途)と)"
)
_NO_USE = re.compile(
    r"^(?:it|this|that|us|me|you|model|the model|adoption|example|instance|これ|それ|モデル|導入|本番|社内|私|弊社)$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\w一-龥ぁ-んァ-ヶー]+")


def use_key(use_case: str) -> str:
    """The key of a use; empty when the words state none.

    Args:
        use_case: A use such as "FAQ search", or the question in which it stands.
    """
    text = normalised(use_case)
    if not text:
        return ""
    references = find_references(text, known=())
    if not references and not _ASKS_FOR_A_PLAN.search(text):
        return _plain(text)
    return _stated(text, references)


def states_use(question: str) -> bool:
    """Whether a question says what a model is for.

    Args:
        question: The user's words.
    """
    text = normalised(question)
    return bool(_stated(text, find_references(text, known=())))


def _stated(text: str, references: Sequence[str]) -> str:
    bare = text
    for name in sorted(references, key=len, reverse=True):
        bare = bare.replace(name, " ")
    for quantity in sorted(find_quantities(bare), key=lambda q: -q.start):
        bare = f"{bare[: quantity.start]} , {bare[quantity.end :]}"
    for pattern in (_ENGLISH_USE, _JAPANESE_USE):
        for found in pattern.finditer(bare):
            words = found["use"].strip()
            if words and not _NO_USE.match(words) and not _ASKS_FOR_A_PLAN.fullmatch(words):
                return _plain(words)
    return ""


def _plain(text: str) -> str:
    return " ".join(_WORDS.split(text.casefold())).strip()
