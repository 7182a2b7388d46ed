"""Whether two models have the same name, and whether they hold the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tools.comparing.change import Change
from tools.file_safety.file_view import FileView
from tools.needed_files import needed_names

Likeness = Literal["identical", "same_weights", "other"]
"""identical: every file that is needed is the same · same_weights: only other files differ · other: the weights differ."""


def likeness_of(before: FileView, after: FileView, changes: Sequence[Change]) -> Likeness:
    """How alike two models are, from their files and the changes between them.

    Args:
        before: Files of the first.
        after: Files of the second.
        changes: What differs between them.

    Returns:
        The likeness; a file that is not needed to load or judge a model does not count.
    """
    needed = _needed(before) | _needed(after)
    differing = [change for change in changes if change.file in needed]
    if not differing:
        return "identical"
    weights = {name for name in needed if name.endswith(".safetensors")}
    same = all(change.kind != "weights" or change.risk == "low" for change in differing)
    return "same_weights" if weights and same else "other"


def _needed(view: FileView) -> set[str]:
    return set(needed_names({entry.name: entry.size_bytes for entry in view.entries if entry.trouble is None}))
