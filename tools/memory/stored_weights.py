"""What the weights are as they lie in the files: number format, parameters, and the bytes that stay in memory.

Quantizers pack several weights into one element and store scales beside them. Tensors and names are those of:

- GPTQ and AWQ: `qweight` (int32, 32 / bits weights in each), `qzeros`, `scales`, `g_idx`
- bitsandbytes: 4 bits as bytes of two weights with `absmax`, `quant_map`, `quant_state.*`; 8 bits with `SCB`
- FP8: `weight` in F8_E4M3 with `weight_scale_inv` (a block each) or `weight_scale`
- compressed-tensors: `weight_packed` with `weight_scale`, `weight_zero_point`, `weight_shape`
- MXFP4: `*_blocks` of bytes with two weights each, and `*_scales`
"""

from __future__ import annotations

from typing import NamedTuple

from tools.errors import UnsupportedModel
from tools.memory.model_shape import ModelShape
from tools.memory.quantization import Quantization
from tools.weight_files import TensorInfo, WeightHeader

BYTES: dict[str, float] = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "int4": 0.5}
"""Bytes of one parameter by number format."""
_NAME_OF_FILE_TYPE = {
    "F64": "float32",
    "F32": "float32",
    "BF16": "bfloat16",
    "F16": "float16",
    "I8": "int8",
    "U8": "int8",
    "F8_E4M3": "float8",
    "F8_E5M2": "float8",
}
_NO_PARAMETERS = ("I64", "U64", "BOOL")
_INT32_BITS, _BYTE_BITS = 32, 8
_HELPERS = (
    ".qzeros", ".scales", ".g_idx", ".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".SCB",
    ".weight_format", ".weight_scale", ".weight_scale_inv", ".weight_zero_point", ".weight_shape", ".weight_g_idx",
    ".weight_global_scale", ".input_global_scale", ".input_scale", ".output_scale", ".k_scale", ".v_scale", "_scales",
    "_scale_inv", ".activation_scale",
)  # fmt: skip
_BITSANDBYTES_STATE = ".quant_state.bitsandbytes__"
_UNPACKED_WITHOUT_KERNELS = {"fp8", "fbgemm_fp8", "mxfp4"}
_KNOWN = {"gptq", "awq", "bitsandbytes", "fp8", "fbgemm_fp8", "compressed-tensors", "mxfp4"}


class StoredWeights(NamedTuple):
    """The weights as they lie in the files."""

    dtype: str
    """Number format that most parameters have: one of torch's, or int4, int8, float8, nf4, fp4, mxfp4, nvfp4 and the like."""
    parameters: int
    """Parameters, counted one by one however they are packed; scales and tables are none."""
    compute_bytes: float
    """Bytes of a number that is computed with."""
    size_bytes: float
    """Bytes of the weights in memory as they lie in the files, with what unpacking them needs."""
    formula: str
    """The sum in words."""
    quantization: Quantization | None = None
    """How they were quantized; absent when they were not."""

    @property
    def known(self) -> bool:
        """Whether this module knows how the method packs."""
        return self.quantization is None or self.quantization.method in _KNOWN

    @property
    def unpacked_without_kernels(self) -> bool:
        """Whether transformers unpacks them while loading where the device has no kernels for them."""
        return self.quantization is not None and self.quantization.method in _UNPACKED_WITHOUT_KERNELS


def read_stored(header: WeightHeader, shape: ModelShape) -> StoredWeights:
    """What the weights are as they lie in the files.

    Args:
        header: Heads of the weight files.
        shape: The configuration, for what it says of quantization.

    Raises:
        UnsupportedModel: The number format, or how it is packed, cannot be told.
    """
    if shape.quantization is None:
        dtype = file_dtype(header)
        count, width = _plain_parameters(header), _width(dtype)
        compute = width if width >= 2 else 2.0
        return StoredWeights(dtype, count, compute, count * width, f"{count} parameters x {width:g} bytes / 2^20")
    return _quantized(header, shape, shape.quantization)


def file_dtype(header: WeightHeader) -> str:
    """The number format that most parameters of the files have."""
    floats = {name: count for name, count in header.parameters_by_dtype.items() if name in _NAME_OF_FILE_TYPE}
    if not floats:
        raise UnsupportedModel("The weights have no common number format.", "State `dtype`, or take another model.")
    return _NAME_OF_FILE_TYPE[max(floats, key=lambda name: floats[name])]


def _quantized(header: WeightHeader, shape: ModelShape, quantization: Quantization) -> StoredWeights:
    parameters = packed = helpers = rest = 0
    for name, tensor in header.tensors.items():
        if name.endswith(_HELPERS) or _BITSANDBYTES_STATE in name:
            helpers += tensor.size_bytes
            continue
        factor = _weights_in_element(name, tensor, header, quantization)
        if factor == 1 and tensor.dtype in _NO_PARAMETERS:
            rest += tensor.size_bytes
            continue
        parameters += round(tensor.parameters * factor)
        packed, rest = (packed, rest + tensor.size_bytes) if factor == 1 and not _narrow(tensor) else (
            packed + tensor.size_bytes, rest,
        )  # fmt: skip
    formula = f"({packed} bytes of packed weights + {helpers} bytes of scales and tables + {rest} bytes of other tensors) / 2^20"
    compute = BYTES.get(shape.stated_dtype, 2.0)
    dtype = _dtype_name(quantization) or file_dtype(header)
    return StoredWeights(dtype, parameters, compute, packed + helpers + rest, formula, quantization)


def _weights_in_element(name: str, tensor: TensorInfo, header: WeightHeader, quantization: Quantization) -> float:
    """How many weights one element of a tensor holds."""
    if tensor.dtype == "I32" and name.endswith((".qweight", ".weight_packed")):
        return _INT32_BITS / _stated_bits(quantization)
    if tensor.dtype != "U8":
        return 1
    two = name.endswith((".weight_packed", "_blocks")) or any(
        f"{name}{_BITSANDBYTES_STATE}{kind}" in header.tensors for kind in ("nf4", "fp4")
    )
    return 2 if two else 1


def _stated_bits(quantization: Quantization) -> int:
    if quantization.bits is None:
        message = (
            f"The weights are packed by `{quantization.method}`, and `config.json` does not say into how many bits."
        )
        raise UnsupportedModel(message, "Take a copy whose `quantization_config` states the bits.")
    return quantization.bits


def _narrow(tensor: TensorInfo) -> bool:
    """Whether an element has a byte: a weight that was quantized without being packed."""
    return tensor.parameters > 0 and tensor.size_bytes == tensor.parameters


def _dtype_name(quantization: Quantization) -> str:
    if quantization.method not in _KNOWN or quantization.bits is None:
        return ""
    if quantization.number in {"nf4", "fp4"}:
        return quantization.number
    if quantization.number == "int":
        return f"int{quantization.bits}"
    if quantization.bits == _BYTE_BITS:
        return "float8"
    layout = quantization.layout.partition("-")[0] or quantization.method
    return layout if layout in {"nvfp4", "mxfp4"} else f"float{quantization.bits}"


def _plain_parameters(header: WeightHeader) -> int:
    """Parameters in files that were not quantized; counters and masks that some files hold as well are none."""
    return sum(count for name, count in header.parameters_by_dtype.items() if name not in _NO_PARAMETERS)


def _width(dtype: str) -> float:
    return BYTES.get(dtype, 1.0)
