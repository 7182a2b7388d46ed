"""What the ids of a tokenizer tell: the highest, and those that no embedding can have."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from tools.file_facts import parsed_of
from tools.file_safety.inspected import Inspected

_FILE = "tokenizer.json"
_HIGHEST_ID = 10_000_000


class TokenIds(NamedTuple):
    """The ids that a tokenizer can give."""

    highest: int | None
    """Absent when there is no tokenizer that lists its ids."""
    wrong: str | None
    """The first that is no id at all."""
    has_twice: bool
    """Whether two tokens of the vocabulary have one id."""
    longest_added: int
    """Characters of the longest added token."""


def read_token_ids(model: Inspected) -> TokenIds:
    """Read the ids of a model's tokenizer; of one on this machine once while it stays as it is.

    Args:
        model: The model under inspection.
    """
    path = model.view.path(_FILE) if _FILE in model.plain else None
    return parsed_of("token-ids", path, lambda: _read(model.object(_FILE)), sys.getsizeof)


def _read(content: dict[str, Any]) -> TokenIds:
    inner, added = content.get("model"), content.get("added_tokens")
    vocabulary = inner.get("vocab") if isinstance(inner, dict) else None
    listed = list(vocabulary.values()) if isinstance(vocabulary, dict) else []
    entries = [each for each in added if isinstance(each, dict)] if isinstance(added, list) else []
    ids = listed + [each.get("id") for each in entries]
    whole = [each for each in ids if type(each) is int]
    if isinstance(vocabulary, list):
        whole.append(len(vocabulary) - 1)
    return TokenIds(
        highest=max(whole, default=None),
        wrong=next((str(each) for each in ids if type(each) is not int or not 0 <= each <= _HIGHEST_ID), None),
        has_twice=all(map(_is_whole, listed)) and len(set(listed)) < len(listed),
        longest_added=max(
            (len(each["content"]) for each in entries if isinstance(each.get("content"), str)), default=0
        ),
    )


def _is_whole(value: object) -> bool:
    return type(value) is int
