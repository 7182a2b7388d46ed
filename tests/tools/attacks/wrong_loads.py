"""Wrong loads that the library would not complain of: each saved model with one thing of config or weights changed.

Only what headers and config can show is planted: a number of heads that changes no shape, or another model's values under the
same names, can not be seen before the model is run.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.tools.attacks.sound import saved_models

Row = dict[str, Any]
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
_WIDTHS = ("hidden_size", "d_model", "n_embd", "dim")
_INNER = ("intermediate_size", "d_ff", "hidden_dim", "encoder_ffn_dim", "ffn_dim")
_NUMBERED = re.compile(r"\.(\d+)\.")
_OTHERS = {"bert": "gpt2", "gpt2": "bert"}


class WrongLoad(NamedTuple):
    """A saved model that is no longer whole."""

    change: str
    model: str
    row: Row


def wrong_loads(seed: int = 0) -> Iterator[WrongLoad]:
    """Every change to every saved model that it applies to, the same ones for the same seed."""
    chance = random.Random(seed)
    rows = list(saved_models())
    for row in rows:
        for name, change in _CHANGES.items():
            changed = change(row, chance)
            if changed is not None:
                yield WrongLoad(name, f"{row['type']}, {row['config']['architectures'][0]}", changed)
    configs = {row["type"]: row["config"] for row in rows}
    for row in rows:
        other = configs[_OTHERS.get(row["type"], "gpt2" if "hidden_size" in row["config"] else "llama")]
        if other["model_type"] != row["type"]:
            yield WrongLoad("config of another family", row["type"], {**row, "config": other})


def _config(keys: tuple[str, ...], new: Callable[[int], int]) -> Callable[[Row, random.Random], Row | None]:
    def change(row: Row, _chance: random.Random) -> Row | None:
        key = next((each for each in keys if type(row["config"].get(each)) is int), None)
        if key is None or (
            key not in _LAYERS and not any(row["config"][key] in shape for _, shape in row["tensors"].values())
        ):
            return None  # a size that no tensor has, as the inner width of a model that has experts only, does nothing
        return {**row, "config": row["config"] | {key: new(row["config"][key])}}

    return change


def _without(chosen: Callable[[list[str], random.Random], set[str]]) -> Callable[[Row, random.Random], Row | None]:
    def change(row: Row, chance: random.Random) -> Row | None:
        layered = [name for name in row["tensors"] if _NUMBERED.search(name)]
        gone = chosen(layered, chance)
        return {**row, "tensors": {n: t for n, t in row["tensors"].items() if n not in gone}} if gone else None

    return change


def _matrices(names: list[str]) -> list[str]:
    return [name for name in names if name.endswith("proj.weight") or "dense" in name and name.endswith("weight")]


def _one(names: list[str], chance: random.Random) -> set[str]:
    matrices = _matrices(names)
    return {chance.choice(matrices)} if matrices else set()


def _last_layer(names: list[str], _chance: random.Random) -> set[str]:
    last = max((int(match[1]) for name in names if (match := _NUMBERED.search(name))), default=0)
    return {name for name in names if (match := _NUMBERED.search(name)) and int(match[1]) == last} if last else set()


def _half(names: list[str], chance: random.Random) -> set[str]:
    return set(chance.sample(names, len(names) // 2))


def _renamed(row: Row, _chance: random.Random) -> Row:
    return {
        **row,
        "tensors": {
            re.sub(r"\.(?:layers?|h|block)\.(\d+)\.", r".stack.\1.inner.", f".{n}")[1:]: t
            for n, t in row["tensors"].items()
        },
    }


_CHANGES: dict[str, Callable[[Row, random.Random], Row | None]] = {
    "a layer more in the config": _config(_LAYERS, lambda value: value + 1),
    "a layer fewer in the config": _config(_LAYERS, lambda value: value - 1),
    "twice the width": _config(_WIDTHS, lambda value: 2 * value),
    "another inner width": _config(_INNER, lambda value: value + 16),
    "another vocabulary": _config(("vocab_size",), lambda value: value + 7),
    "one matrix missing": _without(_one),
    "the last layer missing": _without(_last_layer),
    "half the tensors missing": _without(_half),
    "layers under other names": _renamed,
}  # fmt: skip
