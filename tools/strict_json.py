"""JSON as untrusted input: size, depth, duplicate keys, encoding and numbers are checked, and failures fit in a sentence."""

from __future__ import annotations

import json
import re
from typing import Any

_MAX_DIGITS = 40
_DIGITS = bytes(48 if 48 <= each <= 57 else 32 for each in range(256))
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_OPENING = b"["[0]


_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


class BadJson(ValueError):
    """Text that is not acceptable JSON; the message continues a sentence whose subject is the file."""


def parse_json(raw: bytes, *, max_depth: int = 64, allow_non_finite: bool = False) -> Any:
    """Parse JSON from an untrusted file.

    Args:
        raw: The bytes; UTF-8 without a byte order mark.
        max_depth: Deepest nesting of arrays and objects that is accepted.
        allow_non_finite: Whether NaN and Infinity, which are not JSON, become floats.

    Returns:
        The value.

    Raises:
        BadJson: The text is wrongly encoded, too deep, has a key twice, is not JSON or holds numbers of absurd length.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"is not UTF-8 text (byte {error.start})") from error
    if text.startswith("\ufeff"):
        raise BadJson("starts with a byte order mark")
    _check_depth(raw, max_depth)
    # A function for every whole number of a vocabulary takes longer than all else; without an odd one none is needed.
    odd_numbers = b"-0" in raw or b"0" * (_MAX_DIGITS + 1) in raw.translate(_DIGITS)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_integer if odd_numbers else None,
            parse_float=_decimal,
            parse_constant=None if allow_non_finite else _refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise BadJson(f"is not valid JSON ({error.msg}, line {error.lineno})") from error
    except RecursionError as error:  # a second net below _check_depth
        raise BadJson("is nested too deeply") from error
    if _HALF_PAIR.search(raw):
        _check_characters(value)
    return value


def _check_characters(value: Any) -> None:
    """Refuse halves of characters, which other readers refuse as well and which cannot be written anywhere."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadJson("holds half of a character") from error


def _check_depth(raw: bytes, max_depth: int) -> None:
    """Refuse deep nesting before the recursive parser sees it; brackets inside texts are skipped."""
    if raw.count(b"[") + raw.count(b"{") <= max_depth:
        return
    # Without escapes every quotation mark begins or ends a text, so that every other piece between them is outside of texts.
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    brackets = b"".join(bare.split(b'"')[::2]).translate(_ONE_KIND, _NOT_BRACKETS)
    # Each pass takes the innermost level away, at the speed of memory; what is left is nested deeper, or not closed.
    left = brackets
    for _ in range(max_depth):
        if not left:
            return
        left = left.replace(b"[]", b"")
    depth = 0
    for byte in brackets if left else b"":
        depth += 1 if byte == _OPENING else -1
        if depth > max_depth:
            raise BadJson(f"is nested deeper than {max_depth} levels")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise BadJson(f"has the key `{twice[:60]}` twice")
    return content


def _integer(digits: str) -> int | float:
    if digits == "-0":  # no whole number, for other readers as well
        return -0.0
    if len(digits) > _MAX_DIGITS:
        raise BadJson(f"holds a number of {len(digits)} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    if len(digits) > 10 * _MAX_DIGITS:
        raise BadJson(f"holds a number of {len(digits)} digits")
    return float(digits)


def _refuse_constant(name: str) -> float:
    raise BadJson(f"holds `{name}`, which is not a number")
