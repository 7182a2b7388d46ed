"""The records of a forecast."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

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


class MemoryForecast(BaseModel):
    """Peak memory that a run will need, forecast from the files alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash of the files."""
    dtype: str
    """Number format the run would use: float32, bfloat16, float16, int8 or int4."""
    batch_size: int
    """Inputs processed together."""
    sequence_length: int
    """Tokens of each input."""
    new_tokens: int
    """Tokens generated for each input."""
    parameters: int
    """Parameters in the files."""
    terms: tuple[MemoryTerm, ...]
    """The parts of the forecast."""
    total_mib: float
    """Peak in MiB: runtime and weights, and the larger of what loading and running add."""
    device_memory_gib: float | None = None
    """Memory of the device it should fit, in GiB; absent when none was named."""
    fits: bool | None = None
    """Whether the total fits that memory; absent when none was named."""
    margin_mib: float | None = None
    """Memory left over in MiB, negative when it does not fit; absent when no device memory was named."""
    largest_batch_that_fits: int | None = None
    """Largest batch size, at most 4096, whose total fits; 0 when none does; absent when no device memory was named."""
    own_error_percent: float | None = None
    """Error of this forecast on this machine in percent, from an earlier measurement; absent when none is known."""
    assumptions: tuple[str, ...]
    """What the forecast takes for granted."""
