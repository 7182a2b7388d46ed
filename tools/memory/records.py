"""The records of a forecast."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.memory.speed_forecast import SpeedForecast

TermName = Literal["runtime", "weights", "joined_experts", "load_peak", "kv_cache", "activations"]
"""What memory is needed for."""


class MemoryTerm(BaseModel):
    """One part of the forecast."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TermName
    """What the memory is needed for; `load_peak` comes on top of the weights while loading only."""
    mib: float
    """Size in MiB."""
    formula: str
    """How the size follows from the figures, with the figures filled in."""
    source: str
    """Where the figures come from."""


class DtypeForecast(BaseModel):
    """The same run in one number format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: str
    """Number format: float32, bfloat16, int8 or int4."""
    weights_mib: float
    """Weights in MiB."""
    total_mib: float
    """Host peak on a CPU in MiB."""
    device_total_mib: float
    """Memory on a GPU in MiB, without the driver's context."""


class DeviceFit(BaseModel):
    """Whether the run fits a common size of memory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_gib: int
    """Size of the memory in GiB; a plain size, no product."""
    fits_gpu: bool
    """Whether what lies on a GPU fits it, without the driver's context."""
    fits_host: bool
    """Whether the whole process on a CPU fits it."""


class MemoryForecast(BaseModel):
    """Peak memory that a run will need, forecast from the files alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash of the files."""
    dtype: str
    """Number format the run would use: float32, bfloat16, float16, int8 or int4; of quantized files also float8, nf4, fp4,
    mxfp4, nvfp4 and the like."""
    batch_size: int
    """Inputs processed together."""
    sequence_length: int
    """Tokens of each input."""
    new_tokens: int
    """Tokens generated for each input."""
    parameters: int
    """Parameters in the files, counted one by one where several are packed into one element."""
    terms: tuple[MemoryTerm, ...]
    """The parts of the forecast."""
    total_mib: float
    """Peak in MiB of the whole process on a CPU: runtime and weights, and the larger of what loading and running add."""
    device_total_mib: float | None = None
    """Peak on a GPU in MiB: weights, cache and activations, without the driver's context."""
    device_memory_gib: float | None = None
    """Memory of the device it should fit, in GiB; absent when none was named."""
    fits: bool | None = None
    """Whether the total fits that memory; absent when none was named."""
    margin_mib: float | None = None
    """Memory left over in MiB, negative when it does not fit; absent when no device memory was named."""
    largest_batch_that_fits: int | None = None
    """Largest batch size, at most 4096, whose total fits; 0 when none does; absent when no device memory was named."""
    longest_sequence_that_fits: int | None = None
    """Most tokens of each input, at this batch size, whose total fits; 0 when none does; absent when no device memory was
    named or the length makes no difference."""
    longest_sequence_limit: Literal["memory", "positions", "search"] | None = None
    """What the next longer one meets: the memory, the positions that the model claims, or the end of what is forecast."""
    devices: tuple[DeviceFit, ...] = ()
    """Common sizes of memory, the smallest first, and whether the run fits them."""
    smallest_device_gib: int | None = None
    """Smallest common size that what lies on a GPU fits; absent when it fits none."""
    smallest_host_gib: int | None = None
    """Smallest common size that the whole process on a CPU fits; absent when it fits none."""
    by_dtype: tuple[DtypeForecast, ...] = ()
    """The same run in other number formats."""
    own_error_percent: float | None = None
    """Error of such forecasts on this machine in percent, from earlier measurements; absent when none is known. Signed for
    the same model (positive: too much was forecast), a median size over several models."""
    own_error_basis: Literal["same_model", "other_models"] | None = None
    """What the error comes from; absent where none is known."""
    own_error_count: int | None = None
    """Number of measurements it comes from."""
    speed: SpeedForecast | None = None
    """How long the run will take on this machine's CPU; absent without a probe of it, and for what is not covered."""
    speed_error_percent: float | None = None
    """Median size of the error of such speed forecasts on this machine in percent; absent when none is known."""
    assumptions: tuple[str, ...]
    """What the forecast takes for granted."""
