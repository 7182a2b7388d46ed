"""What a device reaches at most: the record of the short probe that a measurement begins with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class DeviceLimits(BaseModel):
    """What this device reached in a short probe right before the runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    copy_gb_per_s: float
    """Bytes read and written by a large copy, in 10^9 bytes a second."""
    matvec_gb_per_s: dict[str, float]
    """Bytes of the matrix read by a large matrix-vector product, in 10^9 bytes a second, by number format."""
    matmul_gflop_per_s: dict[str, float]
    """Rate of a large matrix product in 10^9 operations a second, by number format."""
    call_us: float | None = None
    """Time of one call of a tiny linear layer in microseconds: what an operation costs before it computes anything."""
    probe_s: float
    """Seconds the probe took."""
