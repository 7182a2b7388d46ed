"""Words looked for in a clause, without patterns: a card is mostly read once, and patterns take longer to make than to use."""

from __future__ import annotations

_PUNCTUATION = str.maketrans({each: " " for each in "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"})


class WordList:
    """Parts of words; a space at an end stands for the end of a word."""

    def __init__(self, *lists: str) -> None:
        self._words = tuple(word for each in lists for word in each.split("|"))

    def are_in(self, spaced: str) -> bool:
        """Whether any of them is in a text that `spaced_words` gave."""
        return any(word in spaced for word in self._words)


def spaced_words(text: str) -> str:
    """A text in small letters, with one space between its words and at both ends, and no punctuation.

    `trainable` is written `learnable`, since it says nothing of training.
    """
    return f" {' '.join(text.translate(_PUNCTUATION).split())} ".replace("trainable", "learnable")
