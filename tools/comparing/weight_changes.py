"""What differs between two sets of weights: tensors by their headers, and their numbers where both lie on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from tools.comparing.change import Change, Risk, change_of
from tools.comparing.numbers import NumberDifference, compare_numbers
from tools.comparing.pair import Pair
from tools.comparing.quoting import listed, shown
from tools.errors import AccessDenied, SourceUnavailable, UnsafeModel
from tools.file_safety.inspected import Inspected
from tools.needed_files import needed_names
from tools.weight_files import TensorInfo, header_from

Tensors = dict[str, TensorInfo]


class _Shapes(NamedTuple):
    added: list[str]
    removed: list[str]
    reshaped: list[str]
    retyped: list[str]
    prefix: tuple[str, str] | None
    """What all names began with before and after, when nothing but that differs."""


def loaded_weights(model: Inspected) -> dict[str, list[str]]:
    """Safetensors files that a loader takes, by folder: the network's own, and those of further steps."""
    sizes = {name: entry.size_bytes for name, entry in model.plain.items()}
    found: dict[str, list[str]] = {}
    for name in needed_names(sizes):
        if name.endswith(".safetensors"):
            found.setdefault(name.rpartition("/")[0], []).append(name)
    return found


def read_tensors(model: Inspected, names: list[str]) -> Tensors:
    """Tensors of several files by name, from their headers alone.

    Raises:
        UnsafeModel: A header is not sound.
    """
    tensors: Tensors = {}
    for name in names:
        header = header_from(partial(model.view.read, name), model.plain[name].size_bytes, name)
        tensors |= header.tensors
    return tensors


def compare_weights(pair: Pair, differing: list[str]) -> tuple[list[Change], set[str]]:
    """Compare the weights that a loader takes, folder by folder.

    Args:
        pair: The two versions.
        differing: Names of all files that differ.

    Returns:
        The changes, and the names of the files that they are about.
    """
    old, new = loaded_weights(pair.before), loaded_weights(pair.after)
    changes: list[Change] = []
    told: set[str] = set()
    for folder in sorted(old.keys() & new.keys()):
        names = sorted({*old[folder], *new[folder]} & set(differing))
        if names:
            changes.append(_compare_set(pair, names, old[folder], new[folder]))
            told |= {*names, *(name for name in differing if name.endswith(".index.json") and _is_in(folder, name))}
    return changes, told


def _is_in(folder: str, name: str) -> bool:
    return name.rpartition("/")[0] == folder and name.endswith(".safetensors.index.json")


def _compare_set(pair: Pair, names: list[str], old: list[str], new: list[str]) -> Change:
    file = names[0]
    try:
        first, second = read_tensors(pair.before, old), read_tensors(pair.after, new)
    except (UnsafeModel, SourceUnavailable, AccessDenied) as error:
        description = "Its content changed; its tensors could not be compared."
        return change_of("weights", file, description, details=(error.message,))
    shapes = _compare_shapes(first, second)
    numbers = _compare_numbers(pair, first, second, shapes, set(names))
    risk, description = _judged(shapes, numbers)
    details = [*_shape_lines(shapes, first, second), *_number_lines(numbers)]
    if old != new:
        details.append(f"The weights are kept in {len(new)} files instead of {len(old)}.")
    elif len(names) > 1:
        details.append(f"{len(names)} of {len(new)} files differ.")
    return change_of("weights", file, description, risk=risk, details=tuple(details))


def _compare_shapes(old: Tensors, new: Tensors) -> _Shapes:
    prefix = _moved_prefix(old, new)
    if prefix is not None:
        return _Shapes([], [], [], [], prefix)
    both = [name for name in old if name in new]
    return _Shapes(
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        reshaped=[name for name in both if old[name].shape != new[name].shape],
        retyped=[name for name in both if old[name].dtype != new[name].dtype and old[name].shape == new[name].shape],
        prefix=None,
    )


def _moved_prefix(old: Tensors, new: Tensors) -> tuple[str, str] | None:
    """What all names began with, when the same tensors only have another beginning, such as `model.`."""
    if len(old) != len(new) or not old or set(old) == set(new):
        return None
    first, second = min(old), min(new)
    tail = _common_tail(first, second)
    before, after = first.removesuffix(tail), second.removesuffix(tail)
    if (before and not before.endswith(".")) or (after and not after.endswith(".")):
        return None
    for name, tensor in old.items():
        other = new.get(after + name.removeprefix(before)) if name.startswith(before) else None
        if other is None or (other.shape, other.dtype) != (tensor.shape, tensor.dtype):
            return None
    return before, after


def _common_tail(first: str, second: str) -> str:
    parts, others = first.split("."), second.split(".")
    count = 0
    while count < min(len(parts), len(others)) and parts[-1 - count] == others[-1 - count]:
        count += 1
    return ".".join(parts[len(parts) - count :])


def _compare_numbers(
    pair: Pair, old: Tensors, new: Tensors, shapes: _Shapes, files: set[str]
) -> NumberDifference | None:
    """Differences of the numbers; None where they are not all on this machine."""
    if pair.remote:
        return None
    before, after = shapes.prefix or ("", "")
    pairs = {
        name: (old[name], new[after + name.removeprefix(before)])
        for name in old
        if after + name.removeprefix(before) in new
        and old[name].shape == new[after + name.removeprefix(before)].shape
        and (old[name].file in files or new[after + name.removeprefix(before)].file in files)
    }
    return compare_numbers(pair, pairs)


def _judged(shapes: _Shapes, numbers: NumberDifference | None) -> tuple[Risk, str]:
    if shapes.added or shapes.removed or shapes.reshaped:
        return "high", "The weights have other tensors: it is another network, or another part of it."
    if numbers is None:
        if shapes.retyped:
            return "high", "The weights changed: tensors of the same shapes are stored in another type."
        return "high", "The weights changed: the same tensors hold, as far as hashes tell, other numbers."
    if numbers.changed_tensors:
        if numbers.only_rounded:
            return "medium", "The weights are the same numbers, rounded to another type."
        return "high", "The weights changed: the same tensors hold other numbers."
    if not numbers.complete:
        return "high", "The weights changed; not all tensors were compared in the time allowed."
    if shapes.prefix is not None:
        return "medium", "The numbers are the same, but every tensor has another name: not every loader finds them."
    if shapes.retyped:
        return "low", "The weights are the same numbers in another type."
    return "low", "Only the layout of the files changed: every tensor is the same to the last bit."


def _shape_lines(shapes: _Shapes, old: Tensors, new: Tensors) -> Iterator[str]:
    if shapes.removed:
        yield f"Tensors removed: {listed(shapes.removed)}."
    if shapes.added:
        yield f"Tensors added: {listed(shapes.added)}."
    for name in shapes.reshaped[:3]:
        before, after = shown(list(old[name].shape)), shown(list(new[name].shape))
        yield f"Tensor `{shown(name)}` has the shape `{after}` instead of `{before}`."
    if len(shapes.reshaped) > 3:
        yield f"Tensors of another shape in all: {len(shapes.reshaped):,}."
    if shapes.retyped:
        one = shapes.retyped[0]
        yield f"{len(shapes.retyped):,} tensors are stored as {new[one].dtype} instead of {old[one].dtype}."
    if shapes.prefix is not None:
        yield f"The names begin with `{shown(shapes.prefix[1])}` instead of `{shown(shapes.prefix[0])}`."


def _number_lines(numbers: NumberDifference | None) -> Iterator[str]:
    if numbers is None:
        yield "Which numbers differ, and by how much, needs both versions on this machine: fetch them, then compare again."
        return
    if not numbers.changed_tensors:
        return
    yield (
        f"{numbers.changed_tensors:,} of {numbers.tensors:,} compared tensors differ, in {numbers.changed_share * 100:.3g} % of their numbers."
    )
    if numbers.relative_l2 is not None:
        yield f"Relative difference (L2) {numbers.relative_l2:.2e}, largest difference of a number {numbers.largest:.3g}."
    for name, relative in numbers.most_changed:
        yield f"Most changed: `{shown(name)}`, relative difference {relative:.2e}."
    if numbers.not_finite:
        yield f"{numbers.not_finite:,} numbers are infinite or not numbers in one of the two."
    if not numbers.complete:
        yield f"{numbers.left_out:,} tensors were not compared: the time allowed was over."
