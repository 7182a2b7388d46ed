"""Which language a text is in, of the two that the product speaks."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


def language_of(text: str, default: Language = "en") -> Language:
    """Japanese when the text has kana or kanji, English when it has letters, else `default`."""
    if _JAPANESE.search(text):
        return "ja"
    return "en" if re.search(r"[A-Za-z]{2}", text) else default
