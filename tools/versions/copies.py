"""Finds models on this machine that have the same weights under another name, or other weights under the same name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tools.file_safety.file_view import FolderView
from tools.file_safety.inspected import Inspected
from tools.hub_access.cache import cache_folder
from tools.locating import ModelLocation
from tools.mirrors import mirror_folder, mirror_ids
from tools.model_sources import ModelSources
from tools.versions.lineage_check import same_weights

_MOST_LOOKED_AT = 200
_WEIGHTS = "model.safetensors"


class Copies(NamedTuple):
    """Models on this machine that are like another one."""

    same_weights: tuple[str, ...]
    """Ids of those whose weights are the same, under another name."""
    same_name: tuple[str, ...]
    """Ids of those that are called the same and have other weights."""


class _Here(NamedTuple):
    name: str
    folder: Path
    cached: bool
    """Whether it lies in the hub's cache, where versions of one model lie side by side."""


def find_copies(location: ModelLocation, model: Inspected, sources: ModelSources) -> Copies:
    """Look through the mirrors and the hub's cache for a model's copies and namesakes, by size and then by hash.

    Args:
        location: Where the model is; it is no copy of itself.
        model: Its files.
        sources: Names the mirrors and the cache.
    """
    weights = model.plain.get(_WEIGHTS)
    if weights is None:
        return Copies((), ())
    own = (location.reference.id or (location.root.name if location.root else "")).casefold()
    copies: dict[str, None] = {}
    namesakes: dict[str, None] = {}
    for here in islice(_models_here(sources), _MOST_LOOKED_AT):
        file = here.folder / _WEIGHTS
        if here.folder == location.root or not file.is_file():
            continue
        name = here.name.casefold()
        called_the_same = name.rpartition("/")[2] == own.rpartition("/")[2] and not (here.cached and name == own)
        of_that_size = file.stat().st_size == weights.size_bytes
        if of_that_size and same_weights(Inspected(FolderView(here.folder)), model):
            if name != own:
                copies.setdefault(here.name)
        elif called_the_same:
            namesakes.setdefault(here.name)
    return Copies(tuple(copies), tuple(namesakes))


def _models_here(sources: ModelSources) -> Iterator[_Here]:
    for identifier in mirror_ids(sources):
        found = mirror_folder(identifier, sources)
        if found is not None:
            yield _Here(*found, cached=False)
    store = cache_folder("any/model", sources).parent
    for folder in sorted(store.glob("models--*/snapshots/*"))[:_MOST_LOOKED_AT]:
        name = folder.parent.parent.name.removeprefix("models--").replace("--", "/")
        yield _Here(name, folder, cached=True)
