"""Compares two versions of a model file by file, each by what its kind means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tools.comparing.change import Change, change_of, kind_of, told_first
from tools.comparing.pair import MAX_TEXT_BYTES, Pair
from tools.comparing.sentencepiece_file import MAX_MODEL_BYTES, BadSentencePiece
from tools.comparing.settings_files import LAYOUT, compare_settings
from tools.comparing.text_files import compare_card, compare_licence_text, compare_template, template_of
from tools.comparing.tokenizer_files import compare_sentencepiece, compare_tokenizer, compare_word_list
from tools.comparing.weight_changes import compare_weights
from tools.errors import AccessDenied, SourceUnavailable
from tools.file_safety.file_view import FileView
from tools.file_safety.inspected import MAX_CONFIG_BYTES, MAX_JSON_BYTES
from tools.hub_access.files import HubView
from tools.progress import CancelToken, Progress, ignore_progress
from tools.strict_json import BadJson

MOST_CHANGES = 300
"""More files than a model has; the rest is counted on the last change."""
_Comparer = Callable[[Pair, str], Iterator[Change]]


def compare_contents(
    before: FileView,
    after: FileView,
    *,
    progress: Progress = ignore_progress,
    cancel: CancelToken | None = None,
) -> tuple[Change, ...]:
    """Tell by meaning what differs between two versions of a model, without loading either.

    Files on the hub are compared by their listed hashes, headers and small files; nothing large is downloaded.

    Args:
        before: Files of the first version.
        after: Files of the second version.
        progress: Told about large files and tensors.
        cancel: Stops while large files are read.

    Returns:
        The changes, weights first; empty when both hold the same files. Each names a file of one of the two.
    """
    pair = Pair(before, after, cancel, progress)
    differing = pair.differing()
    _prepare(pair, differing)
    changes, told = compare_weights(pair, differing)
    for name in differing:
        if name not in told:
            changes += _compare_file(pair, name)
    changes.sort(key=told_first)
    return _capped(changes)


def _prepare(pair: Pair, differing: list[str]) -> None:
    """Let files on the hub be read several at a time."""
    for model in (pair.before, pair.after):
        if isinstance(model.view, HubView):
            model.view.warm([name for name in differing if name in model.plain and pair.in_both(name)])


def _capped(changes: list[Change]) -> tuple[Change, ...]:
    kept, left = changes[:MOST_CHANGES], len(changes) - MOST_CHANGES
    if left > 0:
        last = kept[-1]
        kept[-1] = last.model_copy(update={"details": (*last.details[:-1], f"{left:,} further files differ as well.")})
    return tuple(kept)


def _compare_file(pair: Pair, name: str) -> list[Change]:
    kind = kind_of(name)
    if not pair.in_both(name):
        return [change_of(kind, name, "It was added." if name in pair.after.plain else "It was removed.")]
    comparer, max_bytes = _comparer_of(name)
    if comparer is None:
        return [change_of(kind, name, _by_size(pair, name))]
    if not pair.readable(name, max_bytes):
        return [_unread(pair, name, "It is too large to be compared here by more than its hash.")]
    try:
        return list(comparer(pair, name))
    except (BadJson, BadSentencePiece) as error:
        return [_unread(pair, name, f"One of the two versions {error}, so its entries were not compared.")]
    except (SourceUnavailable, AccessDenied) as error:
        return [_unread(pair, name, error.message)]


def _unread(pair: Pair, name: str, why: str) -> Change:
    return change_of(kind_of(name), name, _by_size(pair, name), details=(why,))


def _by_size(pair: Pair, name: str) -> str:
    first, second = pair.sizes(name)
    if first == second:
        return f"Its content changed at the same size of {first:,} bytes."
    return f"Its content changed, from {first:,} to {second:,} bytes."


def _compare_tokenizer_config(pair: Pair, name: str) -> Iterator[Change]:
    """A tokenizer's settings, and the chat template that can stand among them."""
    old, new = pair.json(name)
    first, second = template_of(old), template_of(new)
    if first is None or second is None:
        if first != second:
            added = "A chat template was added." if first is None else "The chat template was removed."
            yield change_of("chat_template", name, added)
    elif first != second:
        yield compare_template(name, first, second)
    told = frozenset({"chat_template"}) if first != second else frozenset()
    settings = list(compare_settings(pair, name, told))
    yield from (each for each in settings if first == second or each.description != LAYOUT)


def _compare_template_file(pair: Pair, name: str) -> Iterator[Change]:
    if not name.endswith(".json"):
        yield compare_template(name, *pair.texts(name))
        return
    old, new = pair.json(name)
    first, second = template_of(old), template_of(new)
    if first is None or second is None or first == second:
        yield from compare_settings(pair, name)
    else:
        yield compare_template(name, first, second)


def _comparer_of(name: str) -> tuple[_Comparer | None, int]:
    return next(((found, limit) for pattern, found, limit in _COMPARERS if pattern.search(name)), (None, 0))


_COMPARERS: tuple[tuple[re.Pattern[str], _Comparer | None, int], ...] = (
    (re.compile(r"(?:^|/)tokenizer\.json\Z"), compare_tokenizer, MAX_JSON_BYTES),
    (re.compile(r"(?:^|/)(?:vocab\.(?:txt|json)|merges\.txt|added_tokens\.json)\Z"), compare_word_list, MAX_JSON_BYTES),
    (re.compile(r"(?:^|/)tokenizer_config\.json\Z"), _compare_tokenizer_config, MAX_CONFIG_BYTES),
    (re.compile(r"(?:^|/)[^/]+\.(?:model|spm)\Z"), compare_sentencepiece, MAX_MODEL_BYTES),
    (re.compile(r"chat_template[^/]*\.json\Z|\.jinja\Z"), _compare_template_file, MAX_TEXT_BYTES),
    (re.compile(r"\.(?:safetensors|bin)\.index\.json\Z"), None, 0),
    (re.compile(r"\.json\Z"), compare_settings, MAX_CONFIG_BYTES),
    (re.compile(r"(?:^|/)(?:readme|model_card)[^/]*\Z|\.md\Z", re.IGNORECASE), compare_card, MAX_TEXT_BYTES),
    (
        re.compile(r"(?:^|/)(?:licen[cs]e|notice|copying|use_policy)[^/]*\Z", re.IGNORECASE),
        compare_licence_text,
        MAX_TEXT_BYTES,
    ),
)
