"""Which tensors every model of an architecture has, and the sizes that its config gives them.

`architectures.jsonl` was learnt from the classes of transformers themselves, a line for each `model_type`. A formula is a sum
of products of config keys, such as `num_attention_heads*head_dim`; None stands for a size that no formula gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_name("architectures.jsonl")
_HEAD = re.compile(rb'\{"type":"([^"]+)","family":"([^"]+)"')

Formula = str | None


class Stack(NamedTuple):
    """Numbered layers that all have the same tensors."""

    path: str
    """What stands before the number in the bare model, such as `encoder.layer`."""
    depth: Formula
    """How many layers there are."""
    tensors: dict[str, list[Formula]]
    """Weights that every layer has, by what follows the number, with a formula for each dimension."""
    optional: bool
    """Whether some classes of the architecture have no such stack."""


class Architecture(NamedTuple):
    """What all models of one `model_type` share."""

    family: str
    """How the names of its classes begin."""
    foreign_classes: frozenset[str]
    """Classes that are its own and named otherwise."""
    stacks: tuple[Stack, ...]
    """Its layers; empty where they were not learnt."""
    tensors: dict[str, list[Formula]]
    """Weights outside of the layers."""
    defaults: dict[str, int]
    """Sizes that hold where a config leaves them out."""
    heads: dict[str, dict[str, list[Formula]]]
    """Weights that a class has on top of the bare model, by the class's name."""
    free_if_tied: frozenset[str]
    """Those of them that are the embedding's where both are tied."""
    tied: bool
    """Whether they are tied where the config does not say."""


@lru_cache(maxsize=64)
def architecture_of(model_type: str) -> Architecture | None:
    """The row of a `model_type`; None when the table has none.

    Args:
        model_type: As a config names it. Untrusted text.
    """
    content = _FILE.read_bytes()
    start = content.find(b'{"type":%s,' % json.dumps(model_type).encode("ascii"))
    if start < 0:
        return None
    row: dict[str, Any] = json.loads(content[start : content.index(b"\n", start)])
    stacks = (Stack(each["path"], each["count"], each["tensors"], "optional" in each) for each in row.get("stacks", ()))
    return Architecture(
        family=row["family"],
        foreign_classes=frozenset(row.get("foreign_classes", ())),
        stacks=tuple(stacks),
        tensors=row.get("tensors", {}),
        defaults=row.get("defaults", {}),
        heads=row.get("heads", {}),
        free_if_tied=frozenset(row.get("free_if_tied", ())),
        tied=row.get("tied", True),
    )


@cache
def types_by_family() -> dict[str, frozenset[str]]:
    """Every `model_type` by how the names of its classes begin."""
    found: dict[str, set[str]] = {}
    for kind, family in _HEAD.findall(_FILE.read_bytes()):
        found.setdefault(family.decode("ascii"), set()).add(kind.decode("ascii"))
    return {family: frozenset(kinds) for family, kinds in found.items()}


def evaluate(formula: Formula, sizes: Mapping[str, int]) -> int | None:
    """The value of a formula; None when a size is not known.

    Args:
        formula: A sum of products, or None.
        sizes: Whole numbers of a config by key.
    """
    if formula is None:
        return None
    total = 0
    for product in formula.split("+"):
        value = 1
        for factor in product.split("*"):
            if not factor.isdecimal() and factor not in sizes:
                return None
            value *= int(factor) if factor.isdecimal() else sizes[factor]
        total += value
    return total
