"""What the installed transformers knows, read from its files: it is not imported."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tools.file_facts import fact_of

if TYPE_CHECKING:
    import ast

_CLASS = re.compile(r'"([A-Z]\w+)"')


@lru_cache(maxsize=1)
def known_model_types() -> frozenset[str]:
    """All `model_type` values the installed transformers has classes for; empty when it cannot be told."""
    found = importlib.util.find_spec("transformers")  # finds a top-level package without running it
    if found is None or found.origin is None:
        return frozenset()
    folder = Path(found.origin).parent / "models" / "auto"
    types: set[str] = set()
    for name in ("auto_mappings.py", "configuration_auto.py"):
        if (folder / name).is_file():
            types |= set(fact_of("model-types", folder / name, partial(_types_in, folder / name)))
    return frozenset(types)


@lru_cache(maxsize=1)
def known_classes() -> frozenset[str]:
    """All classes of networks that the installed transformers can choose by itself; empty when it cannot be told."""
    found = importlib.util.find_spec("transformers")
    file = Path(found.origin).parent / "models" / "auto" / "modeling_auto.py" if found and found.origin else None
    if file is None or not file.is_file():
        return frozenset()
    return frozenset(fact_of("model-classes", file, partial(_classes_in, file)))


def _classes_in(file: Path) -> list[str]:
    return sorted(set(_CLASS.findall(file.read_text(encoding="utf-8"))))


def _types_in(file: Path) -> list[str]:
    return sorted(_keys_of_config_mapping(file.read_text(encoding="utf-8")))


def _keys_of_config_mapping(source: str) -> set[str]:
    """First entries of pairs, and keys of dictionaries, whose second part names a config class."""
    import ast  # noqa: PLC0415 (only when transformers was installed anew)

    keys: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            pairs = [(node.elts[0], node.elts[1])]
        elif isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        else:
            continue
        texts = [(_text(key), _text(value)) for key, value in pairs]
        keys |= {key for key, value in texts if key and value.endswith("Config")}
    return keys


def _text(node: ast.expr | None) -> str:
    value = getattr(node, "value", None)  # of a constant; what other expressions hold there is no text
    return value if isinstance(value, str) else ""
