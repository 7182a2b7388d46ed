"""Compares a model with one that it is said to be made from: by hashes, by the shapes of tensors, and by sizes in the config."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from tools.comparing.closeness import closeness_of
from tools.comparing.pair import Pair
from tools.comparing.quoting import shown
from tools.comparing.weight_changes import Tensors, loaded_weights, read_tensors
from tools.errors import ToolError
from tools.file_safety.inspected import Inspected, text_config
from tools.weight_files import TensorInfo

_MOST_OF = 0.8
_CLOSE, _APART = 0.6, 0.2
_MOST_WRAPPERS = 6
_MOST_PARTS = 30
_SIZES = (
    ("hidden_size", "d_model", "n_embd", "dim"),
    ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    ("intermediate_size", "d_ff", "n_inner", "ffn_dim"),
)


class Finding(NamedTuple):
    """What a comparison with an ancestor came to."""

    confirmed: bool | None
    """Whether it bears the descent out; absent when it tells nothing."""
    means: str
    """`hashes`, `numbers`, `shapes` or `config.json`; empty when nothing was compared."""
    note: str
    """What was found, one sentence."""


def check_descent(model: Inspected, base: Inspected, name: str, relation: str) -> Finding:
    """Tell whether a model can have been made from another one.

    Args:
        model: The model.
        base: The one it is said to be made from.
        name: That one's name.
        relation: What is said to have been done to it.

    Returns:
        The finding, from hashes, headers and configs, and where both are on this machine from a sample of the numbers.
    """
    name = shown(name, 120)
    if same_weights(base, model):
        return Finding(True, "hashes", f"The weights are those of `{name}`, to the last bit.")
    if relation == "quantized":
        return _by_config(model, base, name)
    try:
        first, second = (read_tensors(each, loaded_weights(each).get("", [])) for each in (base, model))
    except ToolError:
        first, second = {}, {}
    if not first or not second:
        return _by_config(model, base, name)
    if relation == "adapter" or any(".lora_A." in tensor for tensor in second):
        return _adapter(first, second, name)
    return _by_shapes(base, model, first, second, name) or _by_config(model, base, name)


def same_weights(first: Inspected, second: Inspected) -> bool:
    """Whether two models have the same weight files, by size and hash."""
    one, other = loaded_weights(first), loaded_weights(second)
    names = [name for folder in one.values() for name in folder]
    if not names or one != other:
        return False
    pair = Pair(first.view, second.view)
    return not any(pair.differs(name) for name in names)


def _by_shapes(base: Inspected, model: Inspected, first: Tensors, second: Tensors, name: str) -> Finding | None:
    old, new = _bare(first), _bare(second)
    common = [each for each in old if each in new]
    if len(common) < _MOST_OF * min(len(old), len(new)) or len(common) < len(old) / 2:
        return None
    fitting = [(old[each], new[each]) for each in common if old[each].shape == new[each].shape]
    if len(fitting) < _MOST_OF * len(common):
        note = f"{len(common) - len(fitting):,} of {len(common):,} tensors have other shapes than in `{name}`, so it was not simply trained further."
        return Finding(False, "shapes", note)
    return _by_numbers(Pair(base.view, model.view), fitting, name) or Finding(
        True,
        "shapes",
        f"{len(fitting):,} of its {len(new):,} tensors have the names and shapes of `{name}`, so it can have been made from it.",
    )


def _by_numbers(pair: Pair, tensors: list[tuple[TensorInfo, TensorInfo]], name: str) -> Finding | None:
    """What a sample of the numbers tells; None where they are not on this machine or stand between."""
    closeness = None if pair.remote else closeness_of(pair, tensors)
    if closeness is not None and closeness >= _CLOSE:
        note = f"Shapes are those of `{name}`, and the numbers are close to its own (cosine similarity {closeness:.2f}): it was made from it."
        return Finding(True, "numbers", note)
    if closeness is not None and closeness <= _APART:
        note = f"Shapes are those of `{name}`, but the numbers have nothing in common with it (cosine similarity {closeness:.2f})."
        return Finding(False, "numbers", note)
    return None


def _bare(tensors: Tensors) -> Tensors:
    """Tensors by name without the beginnings that most names share: heads and wrappers put one in front."""
    for _ in range(_MOST_WRAPPERS):
        heads = Counter(name.partition(".")[0] for name in tensors if "." in name)
        head, count = heads.most_common(1)[0] if heads else ("", 0)
        if count < _MOST_OF * len(tensors) or head.isdigit():
            break
        tensors = {
            name.removeprefix(f"{head}.") if name.startswith(f"{head}.") else f"/{name}": tensor
            for name, tensor in tensors.items()
        }
    return tensors


def _adapter(base: Tensors, adapter: Tensors, name: str) -> Finding:
    """Whether the small matrices of an adapter fit the weights that they are added to."""
    bare = _bare(base)
    fitting = missing = other = 0
    for tensor, info in adapter.items():
        place, found, _ = tensor.partition(".lora_A.")
        if not found or len(info.shape) != 2:
            continue
        target = _target(place, bare)
        second = adapter.get(tensor.replace(".lora_A.", ".lora_B."))
        if target is None:
            missing += 1
        elif info.shape[1] in target and (second is None or second.shape[0] in target):
            fitting += 1
        else:
            other += 1
    if not fitting and not other:
        return Finding(None, "", f"None of the adapter's places was found in `{name}` by name.")
    if other or missing > fitting:
        return Finding(
            False,
            "shapes",
            f"{other + missing:,} of the adapter's {fitting + other + missing:,} parts do not fit `{name}`.",
        )
    return Finding(True, "shapes", f"All {fitting:,} parts of the adapter that were found fit the shapes of `{name}`.")


def _target(place: str, tensors: Tensors) -> tuple[int, ...] | None:
    """Shape of the weight that an adapter's part is added to, found by the end of its name."""
    parts = place.rsplit(".", _MOST_PARTS)
    for start in range(len(parts)):
        tensor = tensors.get(".".join([*parts[start:], "weight"]))
        if tensor is not None:
            return tensor.shape
    return None


def _by_config(model: Inspected, base: Inspected, name: str) -> Finding:
    first, second = (text_config(each.object("config.json")) for each in (base, model))
    kinds = first.get("model_type"), second.get("model_type")
    sizes = [(_size(first, keys), _size(second, keys)) for keys in _SIZES]
    known = [(one, other) for one, other in sizes if one is not None and other is not None]
    if not known or not all(isinstance(kind, str) for kind in kinds):
        return Finding(None, "", f"The files of `{name}` that are at hand do not tell.")
    if kinds[0] != kinds[1]:
        note = f"`{name}` is a network of the kind `{shown(kinds[0])}`, this one is of the kind `{shown(kinds[1])}`."
        return Finding(False, "config.json", note)
    if all(one == other for one, other in known):
        return Finding(
            True,
            "config.json",
            f"Kind and sizes in the config are those of `{name}`, so it can have been made from it.",
        )
    return Finding(
        False,
        "config.json",
        f"The config states other sizes than that of `{name}`, so it was not simply trained further.",
    )


def _size(config: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    return next((config[key] for key in keys if type(config.get(key)) is int), None)
