"""The records of a measurement."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

MemoryKind = Literal["runtime", "weights", "load_peak", "activations", "kv_cache", "reserved"]
"""What memory is held for."""


class ProfileRun(BaseModel):
    """One combination of batch size and sequence length, measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int
    """Inputs processed together."""
    sequence_length: int
    """Tokens of each input (positions of the prompt when text is generated)."""
    dtype: str
    """Number format the model ran in: float32, bfloat16 or float16."""
    latency_p50_ms: float | None = None
    """Median time of one call in milliseconds; absent with fewer than three repeats."""
    latency_p95_ms: float | None = None
    """Time that 95 % of the calls stay under, in milliseconds; absent with fewer than five repeats."""
    latency_min_ms: float | None = None
    """Fastest call in milliseconds; absent when the run failed."""
    latency_max_ms: float | None = None
    """Slowest call in milliseconds; absent when the run failed."""
    throughput_per_s: float | None = None
    """Units finished in a second, at the median time; the unit is in `unit`."""
    unit: str = "texts"
    """What is counted: `texts`, `tokens` or `inputs`."""
    repeats: int = 0
    """Timed calls after warming up."""
    peak_memory_mib: float | None = None
    """Peak of the whole worker process on CPU, of the device's allocator on GPU, while this run lasted, in MiB."""
    time_to_first_token_ms: float | None = None
    """Time until the first new token, in milliseconds; only for text generation."""
    inter_token_latency_ms: float | None = None
    """Time between later tokens, in milliseconds; only for text generation."""
    tokens_per_s: float | None = None
    """New tokens in a second over the whole batch while decoding; only for text generation."""
    error: str | None = None
    """Why this run has no figures; absent when it succeeded."""


class MemoryByKind(BaseModel):
    """Memory measured, by what it is held for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: MemoryKind
    """What it is held for; `load_peak` comes on top of runtime and weights while loading only."""
    mib: float
    """Measured size in MiB."""


class Profile(BaseModel):
    """What running a model on this machine took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash of the files that were loaded."""
    task: str
    """What was run: `feature-extraction`, `text-generation` or the head's own name with a bare forward pass."""
    device_name: str
    """Name of the processor or the accelerator."""
    device_kind: Literal["cpu", "cuda"]
    """Kind of device."""
    dtype: str
    """Number format the model ran in."""
    threads: int
    """CPU threads used for computing."""
    runs: tuple[ProfileRun, ...]
    """One entry per combination of batch size and sequence length."""
    import_s: float
    """Seconds to import the libraries."""
    load_s: float
    """Seconds to load the weights."""
    first_call_ms: float
    """Time of the very first call in milliseconds, warm-up included."""
    memory: tuple[MemoryByKind, ...]
    """Memory by what it is held for."""
    peak_memory_mib: float
    """Highest peak over loading and all runs, in MiB."""
    limit_share_percent: float | None = None
    """Achieved GFLOP/s in percent of what a large matrix product reached on this machine right before."""
    energy_j: float | None = None
    """Energy in joules; absent without a counter."""
    energy_note: str = "This machine has no readable energy counter."
    """Why the energy is absent, or what was counted."""
    forecast_total_mib: float | None = None
    """Peak forecast from the files for the largest run, in MiB."""
    forecast_error_percent: float | None = None
    """Forecast against measurement in percent; positive means that too much was forecast."""
    noise: Literal["quiet", "noisy"]
    """Whether other work disturbed the measurement."""
    noise_reason: str
    """What the noise verdict rests on, with its figures."""
    conditions: str
    """One line with everything needed to repeat the measurement."""
    not_checked: tuple[str, ...]
    """What this measurement does not say."""
    isolation: tuple[str, ...]
    """What the worker was cut from, and what it could not be cut from here."""
    wall_s: float
    """Seconds from start to end, waiting for the device excluded."""
