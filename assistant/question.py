"""Words made fit to be read: control characters removed; of a question also length held, emptiness told."""

from __future__ import annotations

import unicodedata

from tools.errors import InvalidArgument

_KEPT = {"\n", "\t"}


def clean_question(text: str, limit: int) -> str:
    """The question without control, format and surrogate characters.

    Args:
        text: As received.
        limit: Most characters.

    Raises:
        InvalidArgument: Nothing to answer, or too long.
    """
    if len(text) > limit:
        raise InvalidArgument(
            f"The message has {len(text):,} characters; {limit:,} are the limit.",
            "Shorten it, or add the long text as a document.",
            code="too_long",
            length=len(text),
            limit=limit,
        )
    kept = readable(text)
    if not kept:
        raise InvalidArgument("The message is empty.", "Type a question, or pick one of the suggestions.", code="empty")
    return kept


def readable(text: str) -> str:
    """The text without characters that cannot be seen or stored, and without surrounding space."""
    # Cf covers bidirectional marks, Cs lone surrogates, Cc control characters such as NUL.
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn"}
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in hidden).strip()
