"""How a checkpoint was quantized, as its configuration states it; untrusted."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.memory.config_numbers import first_size

_MOST_BITS = 16


class Quantization(BaseModel):
    """What the `quantization_config` of a checkpoint says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """Method by its own name, such as `gptq`, `awq`, `bitsandbytes`, `fp8`, `compressed-tensors` or `mxfp4`."""
    bits: int | None = None
    """Bits of one weight; absent where the configuration does not state a usable number."""
    group_size: int | None = None
    """Weights that share a scale; absent where none is stated, or a scale belongs to a whole row."""
    number: str = "int"
    """Kind of number: `int`, `float`, `nf4` or `fp4`."""
    layout: str = ""
    """How a compressed-tensors checkpoint lays out its tensors, such as `pack-quantized`."""


def read_quantization(config: dict[str, Any]) -> Quantization | None:
    """What a configuration says of its quantization.

    Args:
        config: The whole `config.json`, untrusted.

    Returns:
        The statements that are usable; None where the checkpoint is not quantized.
    """
    stated = config.get("quantization_config")
    if not isinstance(stated, dict):
        return None
    method = _text(stated, "quant_method") or ("bitsandbytes" if stated.get("load_in_4bit") is True else "")
    if method == "bitsandbytes":
        four = stated.get("load_in_4bit") is True
        kind = _text(stated, "bnb_4bit_quant_type") or "fp4"
        return Quantization(method=method, bits=4 if four else 8, number=kind if four else "int")
    if method in {"fp8", "fbgemm_fp8"}:
        return Quantization(method=method, bits=8, number="float")
    if method == "mxfp4":
        return Quantization(method=method, bits=4, group_size=32, number="float")
    if method == "compressed-tensors":
        return _of_groups(stated)
    return Quantization(method=method, bits=_bits(stated, "bits", "w_bit"), group_size=_group_size(stated))


def stated_dtype(config: dict[str, Any]) -> str:
    """The number format a configuration says the model computes in; empty where it says none that is usable."""
    name = (_text(config, "dtype") or _text(config, "torch_dtype")).removeprefix("torch.")
    return name if name in {"float32", "float16", "bfloat16"} else ""


def _of_groups(stated: dict[str, Any]) -> Quantization:
    """The first group's weights stand for all: a checkpoint with several formats is rare, its bytes are counted anyway."""
    groups = stated.get("config_groups")
    group = next((each for each in groups.values() if isinstance(each, dict)), {}) if isinstance(groups, dict) else {}
    weights = group.get("weights")
    weights = weights if isinstance(weights, dict) else {}
    return Quantization(
        method="compressed-tensors",
        bits=_bits(weights, "num_bits"),
        group_size=_group_size(weights),
        number="float" if _text(weights, "type") == "float" else "int",
        layout=_text(group, "format") or _text(stated, "format"),
    )


def _bits(stated: dict[str, Any], *names: str) -> int | None:
    bits = first_size(stated, *names)
    return bits if bits is not None and bits <= _MOST_BITS else None


def _group_size(stated: dict[str, Any]) -> int | None:
    return first_size(stated, "group_size", "q_group_size")


def _text(stated: dict[str, Any], name: str) -> str:
    value = stated.get(name)
    return value[:60] if isinstance(value, str) else ""
