"""What a model's tokenizer is: its kind, how many pieces it has in which scripts, and whether it keeps case."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from tools.file_safety.inspected import Inspected

Kind = Literal["WordPiece", "BPE", "Unigram", "WordLevel"]
KINDS: tuple[Kind, ...] = ("WordPiece", "BPE", "Unigram", "WordLevel")
"""The kinds that `tokenizer.json` names."""
_FILE = "tokenizer.json"
_SETTINGS = "tokenizer_config.json"
_SCRIPTS = {
    "ja": (("\u3041", "\u30ff"),), "zh": (("\u4e00", "\u9fff"),), "ko": (("\uac00", "\ud7a3"), ("\u1100", "\u11ff")),
    "ru": (("\u0400", "\u04ff"),), "uk": (("\u0400", "\u04ff"),), "bg": (("\u0400", "\u04ff"),), "ar": (("\u0600", "\u06ff"),),
    "fa": (("\u0600", "\u06ff"),), "hi": (("\u0900", "\u097f"),), "th": (("\u0e00", "\u0e7f"),), "el": (("\u0370", "\u03ff"),),
    "he": (("\u0590", "\u05ff"),),
}  # fmt: skip
# An English tokenizer has single letters of many scripts, but hardly any words of them; one of 250,000 pieces for a
# hundred languages has some hundreds for each.
_FEWEST_PIECES = 60
_LEAST_SHARE = 0.01
_ENOUGH_PIECES = 600


class TokenizerFacts:
    """A tokenizer's files, read when they are first asked about: a large one takes longer than all the rest."""

    def __init__(self, model: Inspected) -> None:
        self._model = model

    @cached_property
    def _content(self) -> dict[str, Any]:
        return self._model.object(_FILE)

    @cached_property
    def _inner(self) -> dict[str, Any]:
        inner = self._content.get("model")
        return inner if isinstance(inner, dict) else {}

    @cached_property
    def _pieces(self) -> list[str]:
        vocabulary = self._inner.get("vocab")
        if isinstance(vocabulary, dict):
            return [each for each in vocabulary if isinstance(each, str)]
        pairs = vocabulary if isinstance(vocabulary, list) else []
        return [each[0] for each in pairs if isinstance(each, list) and each and isinstance(each[0], str)]

    @property
    def file(self) -> str:
        """The file that this is read from."""
        return _FILE

    @cached_property
    def kind(self) -> str | None:
        """`WordPiece`, `BPE`, `Unigram` or `WordLevel`; None when no file says so."""
        kind = self._inner.get("type")
        if kind is None and isinstance(self._inner.get("vocab"), dict):
            kind = "BPE" if "merges" in self._inner else "WordPiece"
        return kind if kind in KINDS else None

    @cached_property
    def is_sentencepiece(self) -> bool:
        """Whether it marks the start of words as SentencePiece does."""
        rules = str(self._content.get("pre_tokenizer"))[:2_000] + str(self._content.get("normalizer"))[:2_000]
        return "Metaspace" in rules or "\u2581" in rules or self.kind == "Unigram"

    @cached_property
    def works_on_bytes(self) -> bool:
        """Whether it can write any text in pieces of bytes, so that its scripts say little."""
        rules = str(self._content.get("pre_tokenizer"))[:2_000]
        return "ByteLevel" in rules or self._inner.get("byte_fallback") is True

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of pieces, without and with those that were added; empty when not known."""
        added = self._content.get("added_tokens")
        known = set(self._pieces)
        new = (
            [each for each in added if isinstance(each, dict) and each.get("content") not in known]
            if isinstance(added, list)
            else []
        )
        return tuple(sorted({len(self._pieces), len(self._pieces) + len(new)})) if self._pieces else ()

    @cached_property
    def lowercases(self) -> tuple[bool, str] | None:
        """Whether it makes letters small, and the file that says so; None when none does."""
        rules = self._content.get("normalizer")
        told = _lowercase_rule(rules)
        if told is not None:
            return told, _FILE
        setting = self._model.object(_SETTINGS).get("do_lower_case")
        return (setting, _SETTINGS) if isinstance(setting, bool) else None

    def pieces_in(self, language: str) -> int | None:
        """How many pieces are written in a language's own script.

        Args:
            language: Two-letter code.

        Returns:
            The count; None when the language has no script of its own here, or the tokenizer works on bytes.
        """
        ranges = _SCRIPTS.get(language)
        if ranges is None or not self._pieces or self.works_on_bytes:
            return None
        return sum(1 for piece in self._pieces if any(low <= each <= high for each in piece for low, high in ranges))

    def covers(self, pieces: int) -> bool:
        """Whether that many pieces are enough to write a language in more than single letters."""
        return pieces >= max(_FEWEST_PIECES, min(_ENOUGH_PIECES, _LEAST_SHARE * len(self._pieces)))


def _lowercase_rule(rules: object) -> bool | None:
    if not isinstance(rules, dict):
        return None
    if rules.get("type") == "Lowercase":
        return True
    if isinstance(rules.get("lowercase"), bool):
        return rules["lowercase"]
    inner = rules.get("normalizers")
    told = [_lowercase_rule(each) for each in inner[:20]] if isinstance(inner, list) else []
    return next((each for each in told if each is not None), None)


def has_own_script(language: str) -> bool:
    """Whether a language is written in a script that tells it from English."""
    return language in _SCRIPTS
