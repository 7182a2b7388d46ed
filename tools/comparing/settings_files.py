"""JSON files that set how a model works: its config, generation defaults, modules, and settings for images and sound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.comparing.change import Change, change_of, kind_of
from tools.comparing.config_keys import (
    CONFIG_KEYS,
    GENERATION_KEYS,
    MODULE_KEYS,
    PREPROCESSOR_KEYS,
    TOKENIZER_CONFIG_KEYS,
)
from tools.comparing.entries import Known, compare_entries, same_values
from tools.comparing.pair import Pair
from tools.comparing.quoting import listed, shown

LAYOUT = "Only its layout changed, such as the order of its entries; the content is the same."
"""Said of JSON whose values are all the same."""
_TABLES: tuple[tuple[re.Pattern[str], Mapping[str, Known]], ...] = (
    (re.compile(r"generation_config\.json\Z"), GENERATION_KEYS),
    (re.compile(r"(?:tokenizer_config|special_tokens_map)\.json\Z"), TOKENIZER_CONFIG_KEYS),
    (re.compile(r"(?:preprocessor|processor|image_processor|video_preprocessor|feature_extractor)_config\.json\Z"), PREPROCESSOR_KEYS),
    (re.compile(r"(?:sentence_\w[\w-]*_config|config_sentence_transformers)\.json\Z|(?:^|/)\d+_\w+/config\.json\Z"), MODULE_KEYS),
)  # fmt: skip


def compare_settings(pair: Pair, name: str, without: frozenset[str] = frozenset()) -> Iterator[Change]:
    """Compare a JSON file of settings entry by entry.

    Args:
        pair: The two versions.
        name: A file that both have.
        without: Entries that are compared elsewhere.

    Raises:
        BadJson: One of the two is not acceptable JSON.
    """
    old, new = pair.json(name)
    if name.rpartition("/")[2] == "modules.json":
        yield _compare_modules(name, old, new)
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield _compare_values(name, old, new)
        return
    kind = kind_of(name)
    first, second = ({key: each[key] for key in each if key not in without} for each in (old, new))
    difference = compare_entries(first, second, _table_of(name))
    if same_values(first, second):
        yield change_of(kind, name, LAYOUT, risk="low")
    elif not difference.keys:
        yield change_of(kind, name, "Its entries stand within others in another way.", risk="high")
    else:
        description = f"Entries that differ: {listed(difference.keys)}."
        yield change_of(kind, name, description, risk=difference.risk, details=difference.lines)


def _table_of(name: str) -> Mapping[str, Known]:
    return next((table for pattern, table in _TABLES if pattern.search(name)), CONFIG_KEYS)


def _compare_values(name: str, old: object, new: object) -> Change:
    """Two contents of which at least one is no object."""
    if same_values(old, new):
        return change_of(kind_of(name), name, LAYOUT, risk="low")
    return change_of(kind_of(name), name, f"Its content changed, from `{shown(old)}` to `{shown(new)}`.")


def _compare_modules(name: str, old: Any, new: Any) -> Change:
    """The steps of a sentence-transformers model, such as pooling and normalisation."""
    before, after = _steps(old), _steps(new)
    if before is None or after is None:
        return _compare_values(name, old, new)
    if same_values(old, new):
        return change_of("config", name, LAYOUT, risk="low")
    if before == after:
        return change_of("config", name, "The steps are the same; their names or numbers differ.", risk="medium")
    gone, come = [each for each in before if each not in after], [each for each in after if each not in before]
    details = [f"Step removed: `{shown(each)}`." for each in gone] + [f"Step added: `{shown(each)}`." for each in come]
    if not details:
        details = [f"The steps stand in another order: {listed(after)}."]
    if any(each.partition(":")[0].endswith("Normalize") for each in (*gone, *come)):
        details.insert(0, "Embeddings change their length: similarity by dot product gives other values.")
    description = "The steps from text to embedding changed."
    return change_of("config", name, description, risk="high", details=tuple(details))


def _steps(content: Any) -> list[str] | None:
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        return None
    return [f"{str(each.get('type'))[:200]}:{str(each.get('path'))[:80]}" for each in content[:100]]
