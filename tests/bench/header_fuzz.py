"""Whether our reader of headers and the reference reader agree on damaged safetensors files.

A difference counts only where we take what the reference refuses, or refuse what it takes for no reason that is named here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tools.weight_files import HeaderError, header_from

STRICTER = {
    "does not have exactly dtype, shape and data_offsets": "further keys in an entry",
    "does not start with `{`": "a space before the header, which the format forbids",
    "twice": "a key twice",
    "digits": "a number of more digits than any size has",
    "is nested deeper": "deeper nesting than the format has",
}
"""What we refuse and the reference reader takes: words of our message, and the reason by name."""


class Agreement(NamedTuple):
    """How often the two readers agreed."""

    tried: int
    both_take: int
    both_refuse: int
    stricter: Counter[str]
    """What we alone refused, by named reason."""
    differences: list[tuple[bytes, str]]
    """Files on which they differ without such a reason, with what ours said."""


def compare(files: Iterator[bytes]) -> Agreement:
    """Ask both readers about every file."""
    take = refuse = tried = 0
    stricter: Counter[str] = Counter()
    differences: list[tuple[bytes, str]] = []
    for file in files:
        tried += 1
        ours, theirs = our_refusal(file), reference_takes(file)
        if ours is None and theirs:
            take += 1
        elif ours is not None and not theirs:
            refuse += 1
        else:
            reason = next((name for words, name in STRICTER.items() if ours is not None and words in ours), None)
            if reason is not None:
                stricter[reason] += 1
            else:
                differences.append((file, ours or "taken"))
    return Agreement(tried, take, refuse, stricter, differences)


def our_refusal(file: bytes) -> str | None:
    """What our reader says against a file; None when it takes it."""
    try:
        header_from(lambda start, length: file[start : start + length], len(file), "x.safetensors")
    except HeaderError as error:
        return error.message
    return None


def reference_takes(file: bytes) -> bool:
    """Whether the reference reader takes a file."""
    from safetensors import SafetensorError, deserialize

    try:
        deserialize(file)
    except SafetensorError:
        return False
    return True
