"""Cuts a document into passages: a few sentences each, never across a heading or a page, every one word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

TARGET = 130.0
"""Weight that a passage is to have, in English words; a Japanese character weighs less than half of one."""
LONGEST = 180.0
"""Weight of a passage, at most, as far as it has places to be cut at."""
_CHARACTER_WEIGHT = 0.45
_LONGEST_HEADING = 80
_DEEPEST = 4
"""Headings that a place names."""
_ARTICLE_LEVEL = 9
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff]+")
_SENTENCE = re.compile(r"[^。！？!?.\n]*(?:[。！？]+[」』）)]*|[!?.]+[\"'”’)\]]*(?=\s|$)|[!?.]+(?=\S)|\n|$)[ \u3000]*")
_ARTICLE = re.compile(r"第[0-9０-９一二三四五六七八九十百]+条(?:の[0-9一二三四五六七八九十]+)?(?:[ \u3000]*[(（][^)）\n]{1,40}[)）])?")  # fmt: skip
_COUNT = re.compile(r"\s*(?:\d{1,3}|[A-Za-z])\.\s*")
_CHARACTERS_AT_ONCE = 400
"""Where a text without any place to be cut at is cut."""


class ReadBlock(NamedTuple):
    """A paragraph, row, item or heading, as the reading process sends it."""

    text: str
    level: int
    """Of a heading, 1 the highest; 0 for everything else."""
    page: int
    """From 1; 0 where there are no pages."""


class Piece(NamedTuple):
    """A passage to be."""

    place: str
    """`p. 3`, or the headings with `›` between them; empty when there is neither."""
    text: str


def cut(blocks: Iterable[ReadBlock], title: str = "") -> Iterator[Piece]:
    """Passages of a document, in order.

    Args:
        blocks: What it consists of.
        title: Its title, which no place repeats.
    """
    place, section = "", []
    for place_of_block, text in _placed(blocks, title):
        if section and place_of_block != place:
            yield from _passages(place, section)
            section = []
        place = place_of_block
        section.append(text)
    if section:
        yield from _passages(place, section)


def weight(text: str) -> float:
    """How long a text is to a reader, in English words."""
    return len(_LATIN.findall(text)) + _CHARACTER_WEIGHT * len(_CJK.findall(text))


def sentences(text: str) -> list[str]:
    """The text cut after each sentence and line; joined again it is the text."""
    found, waiting = [], ""
    parts = [part for part in _SENTENCE.findall(text) if part]
    for part, following in zip(parts, [*parts[1:], ""], strict=False):
        waiting += part
        if not _goes_on(waiting, following):
            found.append(waiting)
            waiting = ""
    return [*found, waiting] if waiting else found


def _goes_on(text: str, following: str) -> bool:
    """Whether a full stop ends no sentence: within a name or a number, behind one that counts, before a small letter."""
    if not following or text.endswith("\n") or not text.rstrip().endswith("."):
        return False
    return not text[-1].isspace() or bool(_COUNT.fullmatch(text)) or following[0].islower()


def _placed(blocks: Iterable[ReadBlock], title: str) -> Iterator[tuple[str, str]]:
    """The place of each text; a heading that nothing follows is itself a text."""
    path: list[tuple[int, str]] = []
    bare: ReadBlock | None = None
    any_text = False
    for block in blocks:
        article = None if block.level or block.page else _ARTICLE.match(block.text)
        level = block.level or (_ARTICLE_LEVEL if article else 0)
        if level:
            if bare is not None and bare.level >= level and bare.text != title:
                yield _place(path, title, bare.page), bare.text
            path = [*(each for each in path if each[0] < level), (level, article[0] if article else block.text)]
            bare = block if block.level else None
        if not block.level:
            bare, any_text = None, True
            yield _place(path, title, block.page), block.text
    # A document of nothing but its title says that.
    if bare is not None and (bare.text != title or not any_text):
        yield _place(path, title, bare.page), bare.text


def _place(path: list[tuple[int, str]], title: str, page: int) -> str:
    if page:
        return f"p. {page}"
    names = [_shortened(name) for _, name in path]
    return " › ".join((names[1:] if names and names[0] == _shortened(title) else names)[-_DEEPEST:])


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_HEADING else f"{name[: _LONGEST_HEADING - 1]}…"


def _passages(place: str, texts: list[str]) -> Iterator[Piece]:
    units = list(_units(texts))
    total = sum(unit_weight for _, unit_weight in units)
    goal = total / max(1, round(total / TARGET))
    text, held, done = "", 0.0, 0.0
    for unit, unit_weight in units:
        # Closed where the passage comes closer to its goal without the next unit than with it.
        if text and (held + unit_weight > LONGEST or done + held + unit_weight / 2 > goal):
            yield Piece(place, text.strip())
            goal += total / max(1, round(total / TARGET))
            text, done, held = "", done + held, 0.0
        text, held = text + unit, held + unit_weight
    if text.strip():
        yield Piece(place, text.strip())


def _units(texts: list[str]) -> Iterator[tuple[str, float]]:
    """Pieces that are not cut further: blocks, the sentences of a long one, and parts of an endless one."""
    for text in texts:
        ended = f"{text}\n"
        if weight(text) <= TARGET:
            yield ended, weight(text)
            continue
        for sentence in sentences(ended):
            if weight(sentence) <= LONGEST:
                yield sentence, weight(sentence)
            else:
                yield from ((part, weight(part)) for part in _parts(sentence))


def _parts(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _CHARACTERS_AT_ONCE:
        cuts = [text.rfind(mark, start + 1, start + _CHARACTERS_AT_ONCE) for mark in ("、", ";", ",", " ")]
        end = next((found + 1 for found in cuts if found > start), start + _CHARACTERS_AT_ONCE)
        yield text[start:end]
        start = end
    yield text[start:]
