"""Reads a file of any kind and hands its blocks over in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from document_blocks import LONGEST_TITLE, MOST_CHARACTERS, Content, Unreadable, one_line, visible
from document_formats import format_of

_PIECE_CHARACTERS = 20_000
"""Characters that are handed over at once."""


def read_document(content: bytes, name: str, send: Callable[[list[list[Any]]], None]) -> dict[str, Any]:
    """Read a document.

    Args:
        content: The bytes of its file.
        name: Name of the file.
        send: Takes blocks as lists of text, level and page.

    Returns:
        `format` and `title`, or the `problem` for which it cannot be read, with a `detail`.
    """
    try:
        kind = format_of(content, name)
        read = _reader(kind)(content)
        if not _send(read, send):
            raise Unreadable("no_text" if kind == "pdf" else "nothing_seen")
    except Unreadable as problem:
        return {"problem": problem.kind, "detail": problem.detail}
    return {"format": kind, "title": one_line(read.title)[:LONGEST_TITLE]}


def _reader(kind: str) -> Callable[[bytes], Content]:
    if kind == "pdf":
        from pdf_reader import read_pdf as read  # noqa: PLC0415 (one of the readers)
    elif kind == "docx":
        from docx_reader import read_docx as read  # noqa: PLC0415 (as above)
    elif kind == "html":
        from html_reader import read_html as read  # noqa: PLC0415 (as above)
    elif kind == "md":
        from markdown_reader import read_markdown as read  # noqa: PLC0415 (as above)
    else:
        from text_reader import read_text as read  # noqa: PLC0415 (as above)
    return read


def _send(content: Content, send: Callable[[list[list[Any]]], None]) -> int:
    """Hand over the blocks; returns how many characters they have."""
    piece: list[list[Any]] = []
    waiting = total = 0
    for block in content.blocks:
        text = visible(block.text).strip()
        if not text:
            continue
        total, waiting = total + len(text), waiting + len(text)
        if total > MOST_CHARACTERS:
            raise Unreadable("too_long")
        piece.append([text, block.level, block.page])
        if waiting > _PIECE_CHARACTERS:
            send(piece)
            piece, waiting = [], 0
    send(piece)
    return total
