"""Plain text: its encoding found out, its paragraphs put together, its headings recognised where they are marked as such."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from document_blocks import Block, Content, Unreadable, one_line, unwrapped
from document_formats import is_wide

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_TRIED = ["cp932", "euc_jp", "iso2022_jp", "cp1252", "cp1250", "cp1251", "gb18030", "big5", "cp949"]
_SAMPLE_BYTES = 200_000
_LONGEST_HEADING = 60
_UNDERLINE = re.compile(r"(=|-|~|━|─|ー){3,}")
_NUMBERED = re.compile(r"(?P<number>[0-9]{1,2}(?:\.[0-9]{1,2})*)[.)．]?[ \u3000\t]+(?P<title>\S.*)")
_CHAPTER = re.compile(r"第[0-9０-９一二三四五六七八九十百]+(?P<kind>[編部章節款])(?:[ \u3000\t]|$)")
_CHAPTER_LEVELS = {"編": 2, "部": 2, "章": 3, "節": 4, "款": 5}
"""Below the title, which is a line of its own at the top."""
_ENDS = re.compile(r"[.。!?！？:：;；,、，]$")


def decoded(content: bytes, declared: str = "") -> str:
    """The bytes as text.

    Args:
        content: The bytes.
        declared: An encoding that the document names itself.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if is_wide(content):
        wide = "utf-16-be" if content[:_SAMPLE_BYTES:2].count(0) > content[1:_SAMPLE_BYTES:2].count(0) else "utf-16-le"
        return content.decode(wide, "replace")
    content = content.replace(b"\x00", b"")
    # ISO-2022-JP has bytes of seven bits only, so that it would pass for UTF-8.
    candidates = [*(["iso2022_jp"] if b"\x1b$" in content[:_SAMPLE_BYTES] else []), "utf-8", declared]
    for encoding in candidates:
        try:
            if encoding:
                return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return _guessed(content)


def _guessed(content: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 (only where the bytes do not say)

    sample = content if len(content) <= _SAMPLE_BYTES else content[: content.rfind(b"\n", 0, _SAMPLE_BYTES) + 1]
    best = from_bytes(sample or content[:_SAMPLE_BYTES], cp_isolation=_TRIED).best()
    if best is None:
        raise Unreadable("unsupported", "binary")
    return content.decode(best.encoding, "replace")


def read_text(content: bytes) -> Content:
    """A file of plain text."""
    return Content("", text_blocks(decoded(content)))


def text_blocks(text: str) -> Iterator[Block]:
    """Paragraphs and headings of plain text."""
    lines = [one_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    longest = max((len(line) for line in lines), default=0)
    paragraph: list[str] = []
    for i, line in enumerate(lines):
        if line and _UNDERLINE.fullmatch(line) and len(paragraph) == 1 and len(paragraph[0]) <= _LONGEST_HEADING:
            yield Block(paragraph.pop(), 1 if line[0] in "=━" else 2)
            continue
        alone = (i == 0 or not lines[i - 1]) and (i + 1 == len(lines) or not lines[i + 1])
        level = heading_level(line, alone=alone) or _title_level(line, alone=alone, first=not any(lines[:i]))
        if (level or not line) and paragraph:
            yield Block(unwrapped(paragraph, longest))
            paragraph = []
        if level:
            yield Block(line, level)
        elif line and not _UNDERLINE.fullmatch(line):
            paragraph.append(line)
    if paragraph:
        yield Block(unwrapped(paragraph, longest))


def heading_level(line: str, *, alone: bool) -> int:
    """The level of a line that is marked as a heading by a number or as a chapter; 0 for every other line.

    Args:
        line: The line.
        alone: Whether it stands between empty lines; a number makes a heading only then.
    """
    if not line or len(line) > _LONGEST_HEADING or _ENDS.search(line):
        return 0
    if chapter := _CHAPTER.match(line):
        return _CHAPTER_LEVELS[chapter["kind"]]
    numbered = _NUMBERED.fullmatch(line)
    return 2 + numbered["number"].count(".") if numbered and alone else 0


def _title_level(line: str, *, alone: bool, first: bool) -> int:
    """1 for a line of its own at the top that could be a title."""
    return int(bool(line) and alone and first and len(line) <= _LONGEST_HEADING and not _ENDS.search(line))
