"""A word-for-word English gloss of Japanese text, for an embedding model that reads English only.

The general dictionary is what the pilot's routing was trained with; the search of the guidance knows the words of its
field besides.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from knowledge.topics import Language

DICTIONARY = Path(__file__).with_suffix(".toml")
OF_THE_FIELD = DICTIONARY.with_name("guidance_gloss.toml")

_KEPT = re.compile(r"<[^<>\s]+>|[a-z0-9]+(?:[._%+/-]+[a-z0-9]+)*%?")
"""A mask such as `<model>`, or a word or number in ASCII."""


class Gloss:
    """Glosses text by a dictionary; safe to use from several threads.

    Args:
        words: The English gloss of each Japanese word or stem.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words
        self._longest = max(map(len, words))

    def of(self, text: str) -> str:
        """Each word that the dictionary knows as its English gloss, from left to right; the others are skipped.

        At each place the longest key that matches is taken. Masks and ASCII words are kept, in lower case.

        Args:
            text: An utterance, masked or not.

        Returns:
            The glosses and kept words, separated by spaces; empty when no key of the dictionary is in the text.
        """
        text = unicodedata.normalize("NFKC", text).lower()
        parts: list[str] = []
        known = False
        at = 0
        while at < len(text):
            if kept := _KEPT.match(text, at):
                parts.append(kept[0])
                at = kept.end()
            elif key := self._key_at(text, at):
                parts.append(self._words[key])
                known = True
                at += len(key)
            else:
                at += 1
        return " ".join(parts) if known else ""

    def _key_at(self, text: str, at: int) -> str:
        """The longest key that the text has at this place, or nothing."""
        pieces = (text[at : at + length] for length in range(min(self._longest, len(text) - at), 0, -1))
        return next((piece for piece in pieces if piece in self._words), "")


@cache
def gloss_words(file: Path = DICTIONARY) -> dict[str, str]:
    """The English gloss of each Japanese word or stem."""
    return tomllib.loads(file.read_text(encoding="utf-8"))["words"]


@cache
def _general() -> Gloss:
    return Gloss(gloss_words())


@cache
def _with_the_field() -> Gloss:
    return Gloss({**gloss_words(), **gloss_words(OF_THE_FIELD)})


def gloss(text: str) -> str:
    """The gloss by the general dictionary."""
    return _general().of(text)


def gloss_question(text: str) -> str:
    """The gloss of a question to the guidance, with the words of its field."""
    return _with_the_field().of(text)


def english_of(text: str, language: Language) -> str:
    """What MiniLM can read of a question: the gloss of a Japanese one that has any, else the question itself."""
    return (gloss_question(text) if language == "ja" else "") or text
