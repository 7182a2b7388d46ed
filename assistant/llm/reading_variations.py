"""Questions that only say what is to be different from the last call: "and in bfloat16?", "では16件では？".

They name no matter of their own, so that neither routing nor search can tell what they are about; the call before does.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

VARIABLE_TOOLS = ("estimate_memory", "profile_model", "estimate_cost")
"""Tools whose figures follow from numbers in the question."""
_LONGEST = 80
_MASK = re.compile(r"<[a-z]+\d?>")
_ENGLISH = re.compile(
    r"\b(?:and|but|so|ok|okay|then|now|please|what|how|about|if|instead|rather|same|again|the|this|that|it|is|are|were|was|we|i|you|"
    r"use|used|using|do|try|run|take|had|with|at|in|on|for|of|to|by|from|or|an?|per|each|every|only|just|up|time|"
    r"batch(?:es)?|size|length|tokens?|inputs?|context|requests?|texts?|users?|day|hour|model|precision|s)\b"
)
_JAPANESE = re.compile(
    r"それでは|では|じゃあ?|それなら|ならば?|だとしたら|だったら|だと|にしたら|にすると|とすると|した場合|の場合|場合|したら|すると|次は|今度は|"
    r"ちなみに|同じ(?:ことを|条件で)?|それを|これを|代わりに|もし|やって(?:みて)?|試して(?:みて)?|測って|して|みて|ください|下さい|お願い(?:します|できますか)?|"
    r"どう(?:なりますか|なる|です|でしょう)?|いくら|ですか|でしょうか|です|なの|バッチ(?:サイズ)?|サイズ|トークン|長さ|入力|モデル|毎日|1日|一日|あたり|"
    r"[件行人回通文本個枚日時間も、。はでをにがとのへか]"
)
_BARE_NUMBER = "<number>"
_MARKS = re.compile(r"[\s?!.,:;・…「」\"'()/-]+")


class LastCall(BaseModel):
    """A tool as it was called last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str = ""
    """The tool, or empty."""
    arguments: dict[str, Any] = {}
    """What it was called with."""

    def varied(self, values: dict[str, Any]) -> dict[str, Any]:
        """Its arguments with what is different now.

        Args:
            values: What the question says.
        """
        kept = {name: value for name, value in self.arguments.items() if name != "force"}
        if "dtype" in values:
            kept.pop("vary", None)  # formats that were compared are not this one
        return going_on(kept, values)


def going_on(before: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What was told before with what is said now in its place; no price in another currency.

    Args:
        before: Arguments that were told before.
        values: What the question says.
    """
    if values.get("currency", before.get("currency")) != before.get("currency"):
        before = {name: value for name, value in before.items() if "price" not in name}
    return {**before, **values}


def only_varies(masked: str) -> bool:
    """Whether a question consists of quantities or models and of what links them to what was said before.

    Args:
        masked: The question with quantities and models replaced by their kinds.
    """
    # A number alone may be the place of something in a list.
    if len(masked) > _LONGEST or not _MASK.search(masked) or _MARKS.sub("", masked) == _BARE_NUMBER:
        return False
    rest = _MASK.sub(" ", masked).lower()
    rest = _JAPANESE.sub(" ", rest) if not rest.isascii() else rest
    return not _MARKS.sub("", _ENGLISH.sub(" ", rest))
