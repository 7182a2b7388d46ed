"""Finds models on this machine that have the same weights under another name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tools.file_safety.file_view import FolderView
from tools.file_safety.inspected import Inspected
from tools.hub_cache import cache_folder
from tools.lineage_check import same_weights
from tools.locating import ModelLocation
from tools.mirrors import mirror_folder, mirror_ids
from tools.model_sources import ModelSources

_MOST_LOOKED_AT = 200
_WEIGHTS = "model.safetensors"


def copies_here(location: ModelLocation, model: Inspected, sources: ModelSources) -> Iterator[str]:
    """Ids of models in the mirrors and in the hub's cache whose weights are the same, by size and then by hash.

    Args:
        location: Where the model is; it is no copy of itself.
        model: Its files.
        sources: Names the mirrors and the cache.
    """
    weights = model.plain.get(_WEIGHTS)
    if weights is None:
        return
    for name, folder in islice(_models_here(sources), _MOST_LOOKED_AT):
        file = folder / _WEIGHTS
        if folder == location.root or not file.is_file() or file.stat().st_size != weights.size_bytes:
            continue
        if same_weights(Inspected(FolderView(folder)), model):
            yield name


def _models_here(sources: ModelSources) -> Iterator[tuple[str, Path]]:
    for identifier in mirror_ids(sources):
        found = mirror_folder(identifier, sources)
        if found is not None:
            yield found
    store = cache_folder("any/model", sources).parent
    for folder in sorted(store.glob("models--*/snapshots/*"))[:_MOST_LOOKED_AT]:
        yield folder.parent.parent.name.removeprefix("models--").replace("--", "/"), folder
