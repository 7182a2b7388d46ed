"""Learn from the installed transformers which tensors each architecture always has, and write the table of rule T10.

Every architecture is built many times over without memory for its weights: in several sizes, and with each switch of its
config turned. A tensor that is in every layer of every build, and a size that one formula of the config gives in all of
them, go into the table; whatever depends on a switch is left out, so that a sound model is never refused for it. Run it with
`python -m tests.bench.architecture_table` after transformers was updated.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.small_builds import (
    BUILDS,
    ROLE_OF,
    ROLES,
    Build,
    Shapes,
    build_small,
    classes_of,
    config_class,
    model_types,
    sized,
    switches,
)  # fmt: skip
from tools.file_safety.architecture_table import evaluate

TABLE = Path(__file__).parents[2] / "tools" / "file_safety" / "architectures.jsonl"
_NUMBERED = re.compile(r"(?P<path>[^.\d][^.]*(?:\.[^.\d][^.]*)*)\.(?P<index>\d+)\.(?P<rest>.+)\Z")


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.architecture_table", description=__doc__)
    parser.add_argument("--only", nargs="+", help="these model types, printed and not written")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import transformers

    transformers.logging.set_verbosity_error()
    rows = [row for kind in options.only or model_types() if (row := learn(kind)) is not None]
    lines = [json.dumps(row, separators=(",", ":")) for row in rows]
    if options.only:
        print("\n".join(lines))
    else:
        TABLE.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        print(f"{len(rows)} architectures, {TABLE.stat().st_size} bytes", file=sys.stderr)


def learn(kind: str) -> dict[str, Any] | None:
    """The row of one architecture; None when it cannot be built small, or consists of several models."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    family = CONFIG_MAPPING_NAMES[kind].removesuffix("Config")
    row: dict[str, Any] = {"type": kind, "family": family}
    classes = classes_of(kind)
    if foreign := [name for name in classes if not name.startswith(family)]:
        row["foreign_classes"] = foreign
    try:
        defaults = config_class(kind)().to_dict()
    except Exception:  # noqa: BLE001 (whatever a config cannot do without arguments, it is left out)
        return row
    if not classes or any(isinstance(value, dict) and "model_type" in value for value in defaults.values()):
        return row
    builds = [build for sizes in BUILDS for name in classes if (build := build_small(kind, name, defaults, sizes, {}))]
    if len({build.config["_sizes"] for build in builds}) < 2:
        return row
    # What one class has beside is no part of the architecture; switches are turned on the first class, which has least.
    for turned in switches(defaults):
        build = build_small(kind, classes[0], defaults, BUILDS[0], turned)
        if build is not None:
            builds.append(build)
    row |= _invariants(kind, builds, defaults)
    row |= _heads(kind, classes[1:], defaults, builds[0])
    print(f"{kind}: {len(builds)} builds, {len(row.get('stacks', ()))} stacks", file=sys.stderr)
    return row


def _invariants(kind: str, builds: list[Build], defaults: dict[str, Any]) -> dict[str, Any]:
    """Stacks of layers and single tensors that all builds share."""
    stacks = [_stacks(build) for build in builds]
    found: list[dict[str, Any]] = []
    for path in sorted(stacks[0]):
        having = [(each, build) for each, build in zip(stacks, builds, strict=True) if _find(each, path)]
        stack = _stack(path, [_find(each, path) or {} for each, _ in having], [build for _, build in having])
        if stack is not None:
            found.append(stack if len(having) == len(builds) else stack | {"optional": True})
    single = _tops(builds)
    formulas = [*(each["count"] for each in found), *(f for each in found for dims in each["tensors"].values() for f in dims),
                *(f for dims in single.values() for f in dims)]  # fmt: skip
    keys = {key for formula in formulas if formula for key in re.findall(r"[a-z_]\w*", formula)}
    return {"stacks": found, "tensors": single, "defaults": _fixed_defaults(kind, defaults, keys)}


def _stack(path: str, layers: list[dict[int, Shapes]], builds: list[Build]) -> dict[str, Any] | None:
    """The tensors that every layer of every build has."""
    always = set.intersection(*(set(rests) for each in layers for rests in each.values()))
    tensors: dict[str, Any] = {}
    for rest in sorted(always):
        shapes = [{rests[rest] for rests in each.values()} for each in layers]
        ranks = {len(shape) for each in shapes for shape in each}
        if (
            rest.endswith((".weight", ".bias"))
            and "parametrizations" not in rest
            and ranks <= {1, 2, 3, 4}
            and len(ranks) == 1
        ):
            tensors[rest] = [_dimension(shapes, axis, builds) for axis in range(ranks.pop())]
    if not tensors or min(len(each) for each in layers) < 2:
        return None
    return {"path": path, "count": _formula([len(each) for each in layers], builds, ("layers",)), "tensors": tensors}


def _fixed_defaults(kind: str, defaults: dict[str, Any], keys: set[str]) -> dict[str, int]:
    """Defaults of the keys that do not follow from other sizes: what holds where a config leaves the key out."""
    fixed: dict[str, int] = {}
    for key in sorted(keys):
        try:
            values = {
                config_class(kind)
                .from_dict({k: v for k, v in sized(defaults, sizes).items() if k != key})
                .to_dict()[key]
                for sizes in BUILDS[:2]
            }
        except Exception:  # noqa: BLE001 (a config that cannot be without the key has no default)
            continue
        if values == {defaults.get(key)} and type(defaults.get(key)) is int:
            fixed[key] = defaults[key]
    return fixed


def _stacks(build: Build) -> dict[str, dict[int, Shapes]]:
    groups: dict[str, dict[int, Shapes]] = defaultdict(lambda: defaultdict(dict))
    for name, shape in build.shapes.items():
        match = _NUMBERED.match(name)
        if match is not None:
            groups[match["path"]][int(match["index"])][match["rest"]] = shape
    return groups


def _find(stacks: dict[str, dict[int, Shapes]], path: str) -> dict[int, Shapes] | None:
    """The stack of that path, before which a class with a head has its own part."""
    name = min((each for each in stacks if f".{each}".endswith(f".{path}")), key=len, default=None)
    return None if name is None else stacks[name]


def _tops(builds: list[Build]) -> dict[str, Any]:
    """Tensors outside of the layers that every build has, under the name of the bare class."""
    found: dict[str, Any] = {}
    for name, shape in builds[0].shapes.items():
        if _NUMBERED.match(name) or not name.endswith("weight") or len(shape) != 2 or name in builds[0].tied:
            continue
        shapes = [[s for each, s in build.shapes.items() if f".{each}".endswith(f".{name}")] for build in builds]
        if all(len(each) == 1 and len(each[0]) == 2 for each in shapes):
            found[name] = [_dimension([set(each) for each in shapes], axis, builds) for axis in range(2)]
    return found


def _heads(kind: str, classes: list[str], defaults: dict[str, Any], bare: Build) -> dict[str, Any]:
    """What classes have on top of the bare model, and which of it may be one with the embedding."""
    heads: dict[str, dict[str, Any]] = {}
    free: set[str] = set()
    for name in classes:
        apart, tied = ({**defaults, "tie_word_embeddings": value} for value in (False, True))
        builds = [build for sizes in BUILDS if (build := build_small(kind, name, apart, sizes, {}))]
        together = build_small(kind, name, tied, BUILDS[builds[0].config["_sizes"]], {}) if builds else None
        if not builds or together is None:
            continue
        found = _tops([builds[0]._replace(tied=frozenset()), *builds[1:]])
        heads[name] = {each: dims for each, dims in found.items() if not _has(bare, each)}
        free |= {each for each in heads[name] if each not in together.shapes}
    used = {name: found for name, found in heads.items() if found}
    return {"heads": used, "free_if_tied": sorted(free), "tied": bool(defaults.get("tie_word_embeddings", True))}


def _has(bare: Build, name: str) -> bool:
    return any(f".{name}".endswith(f".{each}") for each in bare.shapes)


def _dimension(shapes: list[set[tuple[int, ...]]], axis: int, builds: list[Build]) -> str | None:
    values = [{shape[axis] for shape in each} for each in shapes]
    if any(len(each) != 1 for each in values):
        return None
    return _formula([each.pop() for each in values], builds, None)


def _formula(values: list[int], builds: list[Build], roles: tuple[str, ...] | None) -> str | None:
    """The simplest sum of products of config keys that gives the value in every build."""
    if len({build.config["_sizes"] for build in builds}) < 2:
        return None
    return next((each for each in _candidates(builds[0].config, roles) if _fits(each, values, builds)), None)


def _candidates(config: dict[str, Any], roles: tuple[str, ...] | None) -> Iterator[str]:
    by_role: dict[str, list[str]] = defaultdict(list)
    for key in config:
        by_role[ROLE_OF.get(key, "other")].append(key)
    yield from (key for role in roles or ROLES for key in by_role[role])
    if roles is not None:
        return
    heads = [f"{one}*{two}" for one in by_role["heads"] + by_role["key_heads"] for two in by_role["head_width"]]
    yield from heads
    yield from (f"{factor}*{key}" for factor in (2, 3, 4) for key in by_role["width"] + by_role["inner"])
    yield from (f"{factor}*{pair}" for factor in (2, 3) for pair in heads)
    for one in by_role["heads"]:
        for two in by_role["key_heads"]:
            yield from (f"{one}*{width}+2*{two}*{width}" for width in by_role["head_width"])


def _fits(formula: str, values: list[int], builds: list[Build]) -> bool:
    return all(evaluate(formula, build.config) == value for value, build in zip(values, builds, strict=True))


if __name__ == "__main__":
    main()
