"""What a table of a card says of the model itself, in rows of `name: value`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Row = tuple[int, str, list[str]]
"""Line number, the line as it is written, and its cells without markup."""
_RULE = re.compile(r"\s*:?-+:?\s*")
_NAMES = re.compile(r"|items?|propert(?:y|ies)|attributes?|spec(?:ification)?s?|fields?|features?|項目|仕様|属性", re.I)
_MODELS = re.compile(r"\W*(?:models?|names?|systems?|methods?|variants?|checkpoints?|モデル|手法|名)\b|\Z", re.I)
_VALUES = re.compile(r"values?|details?|settings?|内容|値|詳細", re.I)


def own_lines(rows: list[Row], is_own: Callable[[str], bool], *, about_itself: bool) -> Iterator[tuple[int, str, str]]:
    """The cells of a table that belong to the model itself.

    A table of two columns is a list of names and values. In a larger one only the row or the column is read that is
    named after the model, or the only row that there is.

    Args:
        rows: The table, with its header and the rule below it.
        is_own: Whether a cell names this model.
        about_itself: Whether the table stands in a section about the model, and not about training or results.

    Yields:
        Line number, line, and `name: value`.
    """
    if len(rows) == 1 and about_itself and len(rows[0][2]) > 2:  # a line of prose with bars in it
        yield from ((rows[0][0], rows[0][1], cell) for cell in rows[0][2] if cell)
        return
    has_header = len(rows) > 1 and all(_RULE.fullmatch(cell) for cell in rows[1][2])
    header = rows[0][2]
    body = rows[2:] if has_header else rows
    own = [row for row in body if is_own(row[2][0])]
    column = next((n for n, cell in enumerate(header) if n and is_own(cell)), None) if has_header else None
    if column is None and about_itself:
        if len(header) == 2 and not own:
            column, body = 1, rows
        elif has_header and len(header) > 2 and _NAMES.fullmatch(header[0]) and _VALUES.fullmatch(header[1]):
            column = 1
        elif has_header and len(header) > 2 and len(body) == 1 and not _MODELS.match(header[0]):
            own = body
    if column is not None:
        yield from _pairs(body, column)
    elif has_header:
        for number, line, cells in own:
            yield from ((number, line, f"{name}: {cell}") for name, cell in zip(header, cells, strict=False) if cell)


def _pairs(rows: list[Row], column: int) -> Iterator[tuple[int, str, str]]:
    for number, line, cells in rows:
        if len(cells) > column and cells[0] and cells[column] and not _RULE.fullmatch(cells[column]):
            yield number, line, f"{cells[0]}: {cells[column]}"
