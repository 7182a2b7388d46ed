"""TOML as untrusted input: size, nesting and encoding are checked first, and failures fit in a sentence."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MAX_TOML_BYTES = 4_000_000
"""Larger than any lock or policy."""
_MAX_DEPTH = 8
_MAX_DOTS_IN_LINE = 16  # the parser takes time that grows with the square of a dotted key's parts
_TEXT_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*')
_DECIMAL = re.compile(r"\d\.\d")


class BadToml(ValueError):
    """Text that is not acceptable TOML; the message continues a sentence whose subject is the file."""


def parse_toml(raw: bytes) -> dict[str, Any]:
    """Parse TOML from an untrusted file.

    Args:
        raw: The bytes; UTF-8 without a byte order mark.

    Returns:
        The document.

    Raises:
        BadToml: The text is too large, wrongly encoded, too deep, uses texts of several lines, or is not TOML.
    """
    if len(raw) > MAX_TOML_BYTES:
        raise BadToml(f"has more than {MAX_TOML_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadToml(f"is not UTF-8 text (byte {error.start})") from error
    # Without texts of several lines a line's quotation marks tell what is text, so that the rest can be counted.
    if '"""' in text or "'''" in text:
        raise BadToml("holds a text of several lines, which is not used here")
    _check_nesting(_TEXT_OR_COMMENT.sub("x", text))
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of too many digits is a plain ValueError
        place = re.search(r"\(at (.{1,60})\)\Z", str(error))
        raise BadToml(f"is not valid TOML ({place[1]})" if place else "is not valid TOML") from error


def _check_nesting(bare: str) -> None:
    depth = 0
    for each in re.findall(r"[\[\]{}]", bare):
        depth = depth + 1 if each in "[{" else depth - 1
        if depth > _MAX_DEPTH:
            raise BadToml(f"is nested deeper than {_MAX_DEPTH} levels")
    if any(_DECIMAL.sub("", line).count(".") > _MAX_DOTS_IN_LINE for line in bare.split("\n")):
        raise BadToml(f"is nested deeper than {_MAX_DEPTH} levels")
