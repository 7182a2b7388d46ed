"""Which of a model's files are needed to load, measure and judge it; pickles never are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_TEXTS = re.compile(
    r"(?:[^/]+\.(?:json|txt|md|jinja|tiktoken)|(?:tokenizer|spiece|sentencepiece(?:\.bpe)?|source|target)\.(?:model|spm)|"
    r"(?:LICEN[CS]E|NOTICE|COPYING|USE_POLICY)(?:[.-][^/]*)?)\Z",
    re.IGNORECASE,
)
_TRAINING = re.compile(r"(?:trainer_state|training_args|rng_state|all_results|train_results)\.json\Z", re.IGNORECASE)
_MODULE_FOLDER = re.compile(r"\d+_\w+/[^/]+\.(?:json|txt|model|safetensors)\Z")
_TEMPLATE_FOLDER = re.compile(r"additional_chat_templates/[^/]+\.jinja\Z")
_SHARD = re.compile(r"model-\d{5}-of-(\d{5})\.safetensors\Z")
_LARGEST_TEXT_BYTES = 256_000_000


def needed_names(sizes_bytes: Mapping[str, int]) -> tuple[str, ...]:
    """Choose the needed files from a listing.

    Args:
        sizes_bytes: Size by name of all files.

    Returns:
        Names, sorted: configs, tokenizer, card, licence, and one set of safetensors weights.
    """
    chosen = [
        name
        for name, size in sizes_bytes.items()
        if name.isprintable() and size <= _LARGEST_TEXT_BYTES and _is_text(name)
    ]
    chosen += [name for name in sizes_bytes if name.isprintable() and _MODULE_FOLDER.match(name)]
    return tuple(sorted({*chosen, *_weights(sizes_bytes)}))


def _is_text(name: str) -> bool:
    wanted = _TEXTS.match(name) or _TEMPLATE_FOLDER.match(name)
    return wanted is not None and not _TRAINING.match(name)


def _weights(names: Iterable[str]) -> list[str]:
    """The files a loader takes: the single file, else the shards, else every safetensors file at the top."""
    top = [name for name in names if "/" not in name and name.isprintable() and name.endswith(".safetensors")]
    if "model.safetensors" in top:
        return ["model.safetensors"]
    sets: dict[str, list[str]] = {}
    for name in top:
        if shard := _SHARD.match(name):
            sets.setdefault(shard[1], []).append(name)
    whole = [shards for count, shards in sets.items() if len(shards) == int(count)]
    if len(whole) == 1:  # of another split only some shards were left behind
        return whole[0]
    return [name for shards in sets.values() for name in shards] or top
