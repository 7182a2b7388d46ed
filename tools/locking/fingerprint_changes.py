"""What differs between two fingerprints, in words and by kind of file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tools.comparing.change import ChangeKind, Risk
from tools.comparing.config_keys import CONFIG_KEYS, GENERATION_KEYS, TOKENIZER_CONFIG_KEYS
from tools.comparing.entries import EntryDifference, compare_entries
from tools.locking.fingerprint import Fingerprint


class Meaning(NamedTuple):
    """What the change of a kind of file means."""

    lines: tuple[str, ...]
    """Sentences, the weightiest first."""
    risk: Risk | None = None
    """What it can do; absent for the kind's usual risk."""


def compare_fingerprints(before: Fingerprint, after: Fingerprint) -> dict[ChangeKind, Meaning]:
    """Say what differs, for each kind of file that fingerprints know.

    Args:
        before: The locked one.
        after: The present one.

    Returns:
        By kind; a kind whose fingerprint is the same says so, for the case that its file changed nevertheless.
    """
    special = compare_entries(before.special_tokens, after.special_tokens, TOKENIZER_CONFIG_KEYS)
    return {
        "weights": Meaning(tuple(_weights(before, after))),
        "tokenizer": Meaning((*_tokenizer(before, after), *special.lines)),
        "chat_template": Meaning(tuple(_template(before.chat_template_sha256, after.chat_template_sha256))),
        "config": _entries(compare_entries(before.config, after.config, CONFIG_KEYS)),
        "generation_defaults": _entries(compare_entries(before.generation, after.generation, GENERATION_KEYS)),
    }


def _weights(before: Fingerprint, after: Fingerprint) -> Iterator[str]:
    if after.parameters is None:
        yield "The weights can no longer be read."
        return
    if before.parameters is None:
        return
    if before.parameters != after.parameters:
        yield f"The model has {after.parameters:,} parameters instead of {before.parameters:,}."
    if before.dtype != after.dtype:
        yield f"Most weights are stored as `{after.dtype}` instead of `{before.dtype}`."
    if before.tensors != after.tensors:
        yield f"The model has {after.tensors:,} tensors instead of {before.tensors:,}."
    if before.tensor_table_sha256 == after.tensor_table_sha256:
        yield "Tensors, shapes and types are the same; their values or their layout are not."
    elif before.tensors == after.tensors and before.parameters == after.parameters:
        yield "Tensors have other names, shapes or types."


def _tokenizer(before: Fingerprint, after: Fingerprint) -> Iterator[str]:
    if after.vocabulary_size is None and before.vocabulary_size is not None:
        yield "The pieces of the tokenizer can no longer be read."
    elif before.vocabulary_size is None or after.vocabulary_size is None:
        return
    elif before.vocabulary_size != after.vocabulary_size:
        yield f"The tokenizer has {after.vocabulary_size:,} pieces instead of {before.vocabulary_size:,}."
    elif before.vocabulary_sha256 != after.vocabulary_sha256:
        yield f"The tokenizer has {after.vocabulary_size:,} pieces as before, but other ones or with other numbers."
    else:
        yield "The pieces are the same; how a text is cut into them may differ."


def _template(before: str | None, after: str | None) -> Iterator[str]:
    if before is None and after is not None:
        yield "There was no chat template; now there is one."
    elif before is not None and after is None:
        yield "The chat template is gone."
    elif before != after:
        yield "The chat template is another one."


def _entries(difference: EntryDifference) -> Meaning:
    if not difference.keys:
        return Meaning(("No entry that matters for the answers changed.",), "low")
    return Meaning(difference.lines, difference.risk)
