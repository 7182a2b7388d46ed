"""A word-for-word English gloss of a Japanese utterance, for an embedding model that reads English only."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

DICTIONARY = Path(__file__).with_suffix(".toml")

_KEPT = re.compile(r"<[^<>\s]+>|[a-z0-9]+(?:[._%+/-]+[a-z0-9]+)*%?")
"""A mask such as `<model>`, or a word or number in ASCII."""


@lru_cache(maxsize=1)
def gloss_words() -> dict[str, str]:
    """The English gloss of each Japanese word or stem."""
    return tomllib.loads(DICTIONARY.read_text(encoding="utf-8"))["words"]


@lru_cache(maxsize=1)
def _longest_key() -> int:
    return max(map(len, gloss_words()))


def _key_at(text: str, at: int) -> str:
    """The longest key that the text has at this place, or nothing."""
    words = gloss_words()
    pieces = (text[at : at + length] for length in range(min(_longest_key(), len(text) - at), 0, -1))
    return next((piece for piece in pieces if piece in words), "")


def gloss(text: str) -> str:
    """Replaces each word that the dictionary knows by its English gloss, from left to right, and skips the others.

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
        elif key := _key_at(text, at):
            parts.append(gloss_words()[key])
            known = True
            at += len(key)
        else:
            at += 1
    return " ".join(parts) if known else ""
