"""The use of a model out of a sentence, in a form that stays the same when the question is put another way.

In the chat a plan's use is the question itself: "Plan the adoption of X for FAQ search" and "the same for FAQ search, with
200 ms" are two versions of one plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.advice.policy_text import normalised
from assistant.llm.quantities import find_quantities
from tools.cards.needs import asks_of_card, names_task
from tools.model_reference import find_references

_ASKS_FOR_A_PLAN = re.compile(
    r"\b(?:plan(?:s|ned|ning)?|adopt(?:ion|ing)?|introduc\w*|roll(?:ing)?\s*out|stages?|staged)\b|計画|導入|段階|プラン|進め方"
    r"|採用(?!応募|面接|候補|選考|担当|活動|業務|広報|FAQ)",
    re.IGNORECASE,
)
_ENGLISH_USE = re.compile(
    r"\b(?:for|to\s+(?:do|use\s+it\s+for|build|run|power|support)|used?\s+(?:it\s+)?(?:for|in|as))\s+(?:an?\s+|the\s+|our\s+|my\s+)?"
    r"(?P<use>[a-z][\w' -]*?)(?=\s*(?:[,.;:?!()]|$|\b(?:with|at|on|under|within|given|using|by|if|when|please|and\s+(?:then|tell|say|give)|"
    r"per|from|until|before|\d)\b|\d))",
    re.IGNORECASE,
)
_ENGLISH_PLACE = re.compile(
    r"\b(?:in|into|as)\s+(?:an?\s+|the\s+|our\s+|my\s+)?(?P<use>[a-z][\w' -]*?)"
    r"(?=\s*(?:[,.;:?!()]|$|\b(?:with|at|on|under|within|for|by|if|when|please|from|until|before|\d)\b|\d))",
    re.IGNORECASE,
)
_JAPANESE_WORDS = (
    r"(?P<use>(?![のとも・])[^\s、。,()「」をはがにへで]{1,24}?(?:[のと・][^\s、。,()「」をはがにへで]{1,16}?)?)"
)
_BETWEEN = r"[\s、,]{0,4}(?:(?:この|その|同じ)?モデル|[それこ]れ|[A-Za-z0-9._/@+-]{1,120})?[\s、,日月年時間あたり]{0,12}[をはもがでの]?\s?"
"""The model, and what is left of a quantity (1日2万件で), between a use and its verb: 社内FAQ検索に MODEL を使う."""
_NOT_PAST = r"(?!われ[たて]|った|用?され[たて]|用?した(?!い)|られ[たて]|た)"
"""What a model was made with is no use of it: 学習に使われたデータ."""
_JAPANESE_USE = re.compile(
    rf"{_JAPANESE_WORDS}(?:(?:に|で)も?{_BETWEEN}(?:使|利用|活用|用い){_NOT_PAST}|[にへ][もの]?{_BETWEEN}(?:導入|採用|適用){_NOT_PAST}"
    r"|に向け|への(?:導入|採用|適用|利用)|用(?:に|の|で|途)|のため|向けに?|として(?:使|利用|活用|導入|採用)|を(?:目的|用途)と)"
)
_JAPANESE_PLAN_OF = re.compile(rf"{_JAPANESE_WORDS}の\s*(?:導入|採用)(?:計画|プラン)を")
_WAS_USED = re.compile(r"\b(?:was|were|been)\s+(?:\w+\s+)?used\s+(?:for|in|as|to)\b", re.IGNORECASE)
_NO_USE = re.compile(
    r"^(?:it|this|that|us|me|you|model|the model|adoption|example|instance|これ|それ|(?:この|その)?モデル|私|月|何|どこ|念|参考|検討|確認|比較|"
    r"(?:本番|社内|全社|正式|本格|段階|試験|試行)?的?(?:導入|採用|稼働|運用|利用)?|"
    r".*(?:環境|サーバー?|クラウド|[GC]PU|[自当弊全各他]社|部|部門|部署|拠点|チーム|[\d来今翌]年度?|[\d来今翌]期|[\d来今翌]月|[来今翌]週|年内|月末|早期))$",
    re.IGNORECASE,
)
_ONLY_TASKS = (_ENGLISH_PLACE, _JAPANESE_PLAN_OF)
"""What these find can be a time or a place as well: "in March", 来年度の導入計画."""
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
    return _plain(_stated(text, references))


def states_use(question: str) -> bool:
    """Whether a question says what a model is for.

    Args:
        question: The user's words.
    """
    text = normalised(question)
    return bool(_stated(text, find_references(text, known=())))


def states_use_for_card(question: str) -> bool:
    """Whether a question about a card says what the model is for, and the card has to answer for that.

    Args:
        question: The user's words.
    """
    text = normalised(question)
    return asks_of_card(_stated(text, find_references(text, known=())))


def _stated(text: str, references: Sequence[str]) -> str:
    bare = text
    for name in sorted(references, key=len, reverse=True):
        bare = bare.replace(name, " ")
    for quantity in sorted(find_quantities(bare), key=lambda q: -q.start):
        bare = f"{bare[: quantity.start]} , {bare[quantity.end :]}"
    bare = _WAS_USED.sub(" , ", bare)
    for pattern in (_ENGLISH_USE, _JAPANESE_USE, _ENGLISH_PLACE, _JAPANESE_PLAN_OF):
        for found in pattern.finditer(bare):
            words = found["use"].strip()
            if not words or _NO_USE.match(words) or _ASKS_FOR_A_PLAN.fullmatch(words):
                continue
            if pattern in _ONLY_TASKS and not names_task(words):
                continue
            return words
    return ""


def _plain(text: str) -> str:
    return " ".join(_WORDS.split(text.casefold())).strip()
