"""Translates the English texts of tools, where the product speaks Japanese; records and JSON keep the English.

The catalogues in `translations/` map an English template to a Japanese one. A hole is written `{0}`, `{1}`, …, in the
order of the English text, and the Japanese text may move it. Texts can hold untrusted names, so nothing here is a
regular expression or a format string: a template is found by searching its fixed pieces from left to right, which is
linear in the text, and the result is put together from pieces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

from assistant.languages import Language
from tools.file_facts import fact_of

LONGEST = 4_000
"""Longer texts are returned as they are; no sentence of a tool comes near it."""
_DEEPEST = 4  # a refusal quotes a finding, which quotes what a file is, which can be a compressed something
_MOST_PARTS = 20
_HOLE = re.compile(r"\{(\d)\}")
_QUOTES = {"`": "`", "“": "”"}
_GOING_ON = ("。", "、", "(", ")")


@dataclass(frozen=True)
class _Template:
    """An English sentence with holes and its Japanese counterpart."""

    literals: tuple[str, ...]
    """The fixed pieces around the holes, one more than there are holes."""
    japanese: tuple[str | int, ...]
    """Pieces of text and numbers of holes."""

    @property
    def fixed(self) -> int:
        """Length of the fixed text: the longer it is, the surer the match."""
        return sum(len(piece) for piece in self.literals)

    def holes_of(self, text: str) -> tuple[str, ...] | None:
        """What stands in the holes when the text has this form, else None."""
        first, *middle, last = self.literals
        if len(text) < len(first) + len(last) or not _starts(text, first) or not text.endswith(last):
            return None
        holes, position, end = [], len(first), len(text) - len(last)
        for piece in middle:
            found = text.find(piece, position, end)
            if found < 0:
                return None
            holes.append(text[position:found])
            position = found + len(piece)
        return (*holes, text[position:end])

    def has_plain_names(self, holes: tuple[str, ...]) -> bool:
        """Whether no quoted name holds the quotation mark that would end it."""
        return not any(self.is_quoted(i) and self.literals[i + 1][:1] in hole for i, hole in enumerate(holes))

    def is_quoted(self, hole: int) -> bool:
        """Whether the English text quotes what stands in the hole, which is then a name and no sentence."""
        before, after = self.literals[hole][-1:], self.literals[hole + 1][:1]
        return before in _QUOTES and _QUOTES[before] == after


@dataclass(frozen=True)
class _Catalogue:
    sentences: dict[str, str]
    """Texts without holes."""
    templates: tuple[_Template, ...]
    """Texts with holes, the longest fixed text first."""


def translate(text: str, language: Language) -> str:
    """A tool's text in the reader's language.

    Args:
        text: The English text; file names, figures and quoted texts in it stay as they are.
        language: `en` or `ja`.

    Returns:
        The translation, or the text itself where the catalogues do not know it.
    """
    if language == "en" or not text or len(text) > LONGEST:
        return text
    translated = _translated(text)
    return text if translated is None else translated


@cache
def known_templates() -> dict[str, str]:
    """Every English template of the catalogues with its Japanese counterpart."""
    found: dict[str, str] = {}
    for file in sorted(Path(__file__).with_name("translations").glob("*.toml")):
        found |= fact_of("translations", file, partial(_read, file))
    return found


def _read(file: Path) -> dict[str, str]:
    import tomllib  # noqa: PLC0415 (only when the file was changed)

    return tomllib.loads(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=1_024)
def _translated(text: str, depth: int = 0) -> str | None:
    """The translation; None when the text is not known."""
    if (sentence := _catalogue().sentences.get(_lowered(text))) is not None:
        return sentence
    if depth >= _DEEPEST:
        return None
    # The surest guess first: a name with quotes of its own is rarer than a list, and commas stand within texts as well.
    return (
        _list_translated(text, " + ", depth, joint=" + ")
        or _by_template(text, depth, plain_names=True)
        or _list_translated(text, "; ", depth)
        or _by_template(text, depth, plain_names=False)
        or _list_translated(text, ", ", depth)
    )


def _by_template(text: str, depth: int, *, plain_names: bool) -> str | None:
    for template in _catalogue().templates:
        holes = template.holes_of(text)
        if holes is not None and (not plain_names or template.has_plain_names(holes)):
            return _filled(template, holes, depth)
    return None


def _list_translated(text: str, separator: str, depth: int, joint: str = "、") -> str | None:
    """A list of known texts, such as reasons; None when any of them is not known."""
    parts = text.split(separator, _MOST_PARTS)
    if not 1 < len(parts) <= _MOST_PARTS:
        return None
    translated = [each for part in parts if (each := _translated(part, depth + 1)) is not None]
    return joint.join(translated) if len(translated) == len(parts) else None


def _filled(template: _Template, holes: tuple[str, ...], depth: int) -> str:
    pieces = [_hole_text(template, i, hole, depth) for i, hole in enumerate(holes)]
    text = ""
    for part in template.japanese:
        piece = part if isinstance(part, str) else pieces[part]
        # A translated hole ends as a sentence; where the text around it goes on, its full stop is too much.
        text = _joined(text.removesuffix("。") if piece.startswith(_GOING_ON) else text, piece)
    return text


def _joined(text: str, piece: str) -> str:
    """The two in a row, with the space that stands between Japanese and Latin letters or figures."""
    before, after = text[-1:], piece[:1]
    mixed = before and after and _is_japanese(before) != _is_japanese(after)
    return f"{text} {piece}" if mixed and (before + after).isalnum() else text + piece


def _is_japanese(letter: str) -> bool:
    return letter >= "\u3040"


def _hole_text(template: _Template, number: int, hole: str, depth: int) -> str:
    """The content of a hole, translated when it is a text of a tool itself."""
    if template.is_quoted(number):
        return hole
    bare = hole.strip()
    translated = _translated(bare, depth + 1) if bare else ""
    return hole if translated is None else translated


@cache
def _catalogue() -> _Catalogue:
    sentences, templates = {}, []
    for english, japanese in known_templates().items():
        literals = _HOLE.split(english)[::2]
        if len(literals) == 1:
            sentences[_lowered(english)] = japanese
            continue
        parts = [int(p) if i % 2 else p for i, p in enumerate(_HOLE.split(japanese))]
        templates.append(_Template((_lowered(literals[0]), *literals[1:]), tuple(parts)))
    return _Catalogue(sentences, tuple(sorted(templates, key=lambda each: -each.fixed)))


def _lowered(text: str) -> str:
    """The text with a small first letter: a sentence quoted within another begins with one."""
    return text[:1].lower() + text[1:] if text[:1].isascii() else text


def _starts(text: str, piece: str) -> bool:
    return text.startswith(piece) or _lowered(text[: len(piece)]) == piece
