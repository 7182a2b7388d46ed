"""Rule T10, tensor by tensor: layers, names and shapes against what the table says of the architecture."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.file_safety.architecture_table import Architecture, Formula, Stack, evaluate
from tools.file_safety.expert_rules import trouble_with_experts
from tools.file_safety.findings import Finding, finding
from tools.weight_files import TensorInfo

MISMATCH_STEP = "Do not use this copy: config and weights do not belong together. Fetch both again from the publisher."
_NUMBERED = re.compile(r"(?P<path>[^.\d][^.]*(?:\.[^.\d][^.]*)*)\.(?P<index>\d{1,6})\.(?P<rest>.+)\Z")
_PACKED_TYPES = {"U8", "I8", "I32", "F4", "F6_E2M3", "F6_E3M2"}
"""Types of weights that a quantizer packed, whose shape is not that of the layer."""
_PART_OF_MODEL = re.compile(r"Encoder|Decoder|Text|Vision|Projection")
"""Classes that take one side of an architecture."""
_SAME_SIZE = (
    ("hidden_size", "d_model", "n_embd", "n_embed", "dim", "embed_dim"),
    ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers"),
    ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    ("intermediate_size", "ffn_dim", "d_ff", "n_inner", "hidden_dim", "d_inner"),
)
"""Names of one size in different configs: the default of one does not hold where another stands."""
_NEEDED_HEAD = re.compile(r"For(?:CausalLM|\w*Classification|\w*QuestionAnswering)\Z|LMHeadModel\Z")

Layers = dict[int, set[str]]


class Weights(NamedTuple):
    """The tensors of one architecture and the config that describes them."""

    tensors: dict[str, TensorInfo]
    config: dict[str, Any]
    """The part of the config about these tensors."""
    whole_config: dict[str, Any]
    is_part: bool
    """Whether they are one part of a model with several inputs."""
    is_quantized: bool
    """Whether a quantizer may have packed or renamed them."""
    is_embedder: bool
    """Whether a list of modules takes the bare model only, whatever class the config names."""

    @property
    def class_name(self) -> str:
        """The class that the config names."""
        classes = self.whole_config.get("architectures")
        return str(classes[0]) if isinstance(classes, list) and classes else ""


def check_tensors(kind: str, architecture: Architecture, weights: Weights) -> Iterator[Finding]:
    """Compare tensors with what their architecture always has.

    Args:
        kind: The `model_type`.
        architecture: Its row of the table.
        weights: Tensors and config.

    Yields:
        Findings of rule T10.
    """
    sizes = _sizes(architecture, weights.config)
    groups = _groups(weights.tensors)
    paths = _paths(architecture.stacks, groups)
    for stack in architecture.stacks:
        path = paths.get(stack.path)
        if path is not None:
            yield from _check_stack(stack, path, groups[path], sizes, weights)
        elif not paths or not _may_lack(stack, architecture, weights):
            if weights.is_part or weights.is_quantized:
                continue
            mark = f"{stack.path}.0.{max(stack.tensors, key=lambda rest: len(stack.tensors[rest]))}"
            found = (
                f"The config says `{kind}`, but no tensor is named `…{mark}` as in every layer of that architecture."
            )
            yield finding("T10", "config.json", found, MISMATCH_STEP)
            return
    experts = None if weights.is_quantized else trouble_with_experts(weights.tensors, sizes)
    if experts is not None:
        yield finding("T10", "config.json", experts, MISMATCH_STEP)
    yield from _check_single(kind, architecture, sizes, weights)
    yield from _check_head(architecture, sizes, weights)


def check_layer_count(config: dict[str, Any], tensors: dict[str, TensorInfo]) -> Iterator[Finding]:
    """Compare the number of layers alone, for an architecture that the table does not know."""
    keys = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    expected = next((config[key] for key in keys if type(config.get(key)) is int), None)
    largest = max((len(layers) for layers in _groups(tensors).values()), default=0)
    if expected is not None and 0 < largest < expected:
        yield finding(
            "T10", "config.json", f"The config states {expected} layers, the weights hold {largest}.", MISMATCH_STEP
        )


def _sizes(architecture: Architecture, config: dict[str, Any]) -> dict[str, int]:
    """Whole numbers of the config, with what the library takes for those that are left out."""
    given = {key: value for key, value in config.items() if type(value) is int and value > 0}
    sizes = dict(given)
    for key, value in architecture.defaults.items():
        if key in config or any(key in group and not given.keys().isdisjoint(group) for group in _SAME_SIZE):
            continue
        sizes[key] = value
    if "num_attention_heads" in sizes:
        sizes.setdefault("num_key_value_heads", sizes["num_attention_heads"])
        if "hidden_size" in sizes:
            sizes.setdefault("head_dim", sizes["hidden_size"] // sizes["num_attention_heads"])
    labels = config.get("id2label")
    if isinstance(labels, dict) and labels:
        sizes["num_labels"] = len(labels)
    return sizes


def _groups(tensors: dict[str, TensorInfo]) -> dict[str, Layers]:
    """What follows the number in the names of numbered layers, by what stands before it."""
    groups: dict[str, Layers] = defaultdict(lambda: defaultdict(set))
    for name in tensors:
        match = _NUMBERED.match(name)
        if match is not None:
            groups[match["path"]][int(match["index"])].add(match["rest"])
    return groups


def _paths(stacks: tuple[Stack, ...], groups: dict[str, Layers]) -> dict[str, str]:
    """Where the layers of each stack are; a class with a head, and older releases, have other names before them."""
    found: dict[str, str] = {}
    for stack in stacks:
        named = [path for path in groups if f".{path}".endswith(f".{stack.path}")]
        if named:
            found[stack.path] = min(named, key=len)
    for stack in stacks:
        last = stack.path.rpartition(".")[2]
        alike = [
            path
            for path, layers in groups.items()
            if stack.path not in found
            and path not in found.values()
            and path.rpartition(".")[2] == last
            and any(not rests.isdisjoint(stack.tensors) for rests in layers.values())
        ]
        if alike:
            found[stack.path] = max(alike, key=lambda path: len(groups[path]))
    return found


def _may_lack(stack: Stack, architecture: Architecture, weights: Weights) -> bool:
    """Whether a class can be without a stack while it has another one."""
    return stack.optional or (len(architecture.stacks) > 1 and _PART_OF_MODEL.search(weights.class_name) is not None)


def _check_stack(stack: Stack, path: str, layers: Layers, sizes: dict[str, int], weights: Weights) -> Iterator[Finding]:
    expected = evaluate(stack.depth, sizes)
    count = len(layers)
    if expected is not None and count < expected:
        gap = next((index for index in range(max(layers) + 1) if index not in layers), None)
        found = f"The config states {expected} layers, the weights hold {count}."
        found = found if gap is None else f"Layer {gap} of `{path}` is not in the weights."
        yield finding("T10", "config.json", found, MISMATCH_STEP)
        return
    if expected is not None and count > expected + sizes.get("num_nextn_predict_layers", 0):
        found = (
            f"The config states {expected} layers, the weights hold {count}; the rest would be left out without a word."
        )
        yield finding("T10", "config.json", found, MISMATCH_STEP)
        return
    used = {index: rests for index, rests in layers.items() if expected is None or index < expected}
    missing = _missing_tensor(stack, path, used, weights)
    if missing is not None:
        yield finding("T10", "config.json", missing, MISMATCH_STEP)
        return
    if weights.config.get("pruned_heads"):
        return
    for index in used:
        named = {f"{path}.{index}.{rest}": formulas for rest, formulas in stack.tensors.items()}
        wrong = _wrong_shape(named, sizes, weights.tensors)
        if wrong is not None:
            yield wrong
            return


def _missing_tensor(stack: Stack, path: str, layers: Layers, weights: Weights) -> str | None:
    """What is not there; biases and norms go by other names in old releases, so that a layer is held to the others only."""
    for rest, formulas in stack.tensors.items():
        lacking = [index for index, rests in layers.items() if rest not in rests]
        if not lacking or (len(lacking) == len(layers) and (weights.is_quantized or len(formulas) == 1)):
            continue
        if len(lacking) == len(layers):
            return f"No layer of `{path}` has the tensor `{rest}`, which every layer of that architecture has."
        have = len(layers) - len(lacking)
        return f"Tensor `{path}.{lacking[0]}.{rest}` is missing, though {have} of {len(layers)} layers have it."
    return None


def _wrong_shape(
    named: dict[str, list[Formula]], sizes: dict[str, int], tensors: dict[str, TensorInfo]
) -> Finding | None:
    for name, formulas in named.items():
        info = tensors.get(name)
        if info is None or info.dtype in _PACKED_TYPES or len(info.shape) != len(formulas):
            continue
        wanted = [evaluate(formula, sizes) for formula in formulas]
        if any(want is not None and want != have for want, have in zip(wanted, info.shape, strict=True)):
            shape = [have if want is None else want for want, have in zip(wanted, info.shape, strict=True)]
            found = f"By the config `{name}` has the shape {shape}, in the weights it has {list(info.shape)}."
            return finding("T10", info.file, found, MISMATCH_STEP)
    return None


def _named_like(name: str, tensors: dict[str, TensorInfo]) -> str | None:
    return min((each for each in tensors if f".{each}".endswith(f".{name}")), key=len, default=None)


def _check_single(kind: str, architecture: Architecture, sizes: dict[str, int], weights: Weights) -> Iterator[Finding]:
    """Weights outside of the layers; an embedding may be kept under the name of the head that shares it."""
    for name, formulas in architecture.tensors.items():
        there = _named_like(name, weights.tensors)
        if there is not None:
            wrong = _wrong_shape({there: formulas}, sizes, weights.tensors)
            if wrong is not None:
                yield wrong
                return
            continue
        wanted = tuple(evaluate(formula, sizes) for formula in formulas)
        shared = formulas[0] == "vocab_size" and any(info.shape == wanted for info in weights.tensors.values())
        if not (shared or weights.is_part or weights.is_quantized or _PART_OF_MODEL.search(weights.class_name)):
            found = f"The weights have no tensor `{name}`, which every model of the type `{kind}` has."
            yield finding("T10", "config.json", found, MISMATCH_STEP)
            return


def _check_head(architecture: Architecture, sizes: dict[str, int], weights: Weights) -> Iterator[Finding]:
    """Weights on top of the bare model, without which a class answers at random."""
    if weights.is_part or weights.is_quantized or weights.is_embedder:
        return
    tied = weights.config.get("tie_word_embeddings", architecture.tied)
    for name, formulas in architecture.heads.get(weights.class_name, {}).items():
        there = _named_like(name, weights.tensors)
        if there is not None:
            wrong = _wrong_shape({there: formulas}, sizes, weights.tensors)
            if wrong is not None:
                yield wrong
        elif not (tied and name in architecture.free_if_tied):
            found = f"The class `{weights.class_name}` needs the tensor `{name}`, which the weights do not have."
            step = "Use a copy that was trained for that task; this one would answer with random numbers."
            severity = "refuse" if _NEEDED_HEAD.search(weights.class_name) else "flag"
            yield finding("T10", "config.json", found, step, severity)
            return
