"""Where a report is written to, and in which format: light, since a command looks before a long measurement."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tools.errors import InvalidArgument
from tools.file_safety.findings import printable

Audience = Literal["manager", "engineer"]
Format = Literal["html", "md", "json", "adr"]
FORMATS: tuple[Format, ...] = ("html", "md", "json", "adr")
"""html: a page · md: Markdown · json: records and content · adr: the decision record alone, as Markdown."""
_ENDINGS: dict[str, Format] = {".html": "html", ".htm": "html", ".md": "md", ".json": "json"}


def format_of(out: Path, chosen: str | None = None) -> Format:
    """The format of a file: the one that was chosen, else the one of its ending.

    Args:
        out: The file.
        chosen: A format, or None.

    Raises:
        InvalidArgument: There is no such format, or no format has such an ending.
    """
    if chosen is not None:
        if chosen not in FORMATS:
            raise InvalidArgument(f"`{_shown(chosen)}` is no format of a report.", "Use html, md, json or adr.")
        return FORMATS[FORMATS.index(chosen)]
    found = _ENDINGS.get(out.suffix.lower())
    if found is None:
        raise InvalidArgument(f"`{_shown(out.name)}` has no known ending.", "Use .html, .md or .json.")
    return found


def check_report_file(out: Path, chosen: str | None = None, *, force: bool = False) -> None:
    """Raise when a report cannot be written there, which is better known before a long measurement.

    Args:
        out: The file.
        chosen: A format, or None for that of the ending.
        force: Whether a file that is there may be written over.

    Raises:
        InvalidArgument: No such format, no folder to write into, or a file is there already.
    """
    format_of(out, chosen)
    shown = _shown(out.name)
    if not out.parent.is_dir():
        raise InvalidArgument(f"The folder of `{shown}` does not exist.", "Create it or name another one.")
    if out.is_dir():
        raise InvalidArgument(f"`{shown}` is a folder.", "Name a file.")
    if out.exists() and not force:
        raise InvalidArgument(f"`{shown}` is there already.", "Name another file, or give --force to write over it.")


def _shown(text: str) -> str:
    return printable(text, 80).replace("`", "ˋ")
