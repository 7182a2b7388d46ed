"""The records of a measurement."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.device_limits import DeviceLimits

MemoryKind = Literal["runtime", "weights", "load_peak", "activations", "kv_cache", "reserved", "context"]
"""What memory is held for; `reserved` and `context` are a GPU's: what its allocator and its driver hold beside the rest."""
Bound = Literal["compute", "bandwidth", "overhead"]
"""What a run spends its time on: arithmetic, reading memory, or neither (calls, small operations, waiting)."""


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
    latency_p99_ms: float | None = None
    """Time that 99 % of the calls stay under, in milliseconds; absent with fewer than twenty repeats."""
    latency_p50_low_ms: float | None = None
    """Lower end of the median's 95 % bootstrap interval, in milliseconds; absent with fewer than five repeats."""
    latency_p50_high_ms: float | None = None
    """Upper end of that interval, in milliseconds."""
    latency_min_ms: float | None = None
    """Fastest call in milliseconds; absent when the run failed."""
    latency_max_ms: float | None = None
    """Slowest call in milliseconds; absent when the run failed."""
    throughput_per_s: float | None = None
    """Units finished in a second, at the median time; the unit is in `unit`."""
    unit: str = "texts"
    """What is counted: `texts`, `pairs`, `tokens`, `images`, `seconds of audio` or `inputs`."""
    repeats: int = 0
    """Timed calls after warming up."""
    peak_memory_mib: float | None = None
    """Peak of the whole worker process on CPU, of the device's allocator on GPU, while this run lasted, in MiB."""
    peak_anonymous_mib: float | None = None
    """Of the peak what is memory of the process's own, in MiB; absent on GPU and where the kernel does not say."""
    peak_file_mib: float | None = None
    """Of the peak what are pages of files (libraries, mapped weights), in MiB; the system can take them back."""
    time_to_first_token_ms: float | None = None
    """Median time until the first new token (prefill), in milliseconds; only for text generation."""
    inter_token_latency_ms: float | None = None
    """Time between later tokens (decode), in milliseconds: the median call's average; only for text generation."""
    inter_token_latency_p95_ms: float | None = None
    """Time between later tokens that 95 % of all steps stay under, in milliseconds; only for text generation."""
    tokens_per_s: float | None = None
    """New tokens in a second over the whole batch while decoding; only for text generation."""
    gflop: float | None = None
    """Floating-point operations of one call in 10^9, by torch's own counter; of the prefill when text is generated."""
    mfu_percent: float | None = None
    """Achieved operations in percent of the fastest matrix product measured on this device in the same number format."""
    mbu_percent: float | None = None
    """Bytes that must be read (weights, and the cache while decoding) a second, in percent of the measured bandwidth."""
    bound: Bound | None = None
    """What the time goes into; absent when the device's limits were not measured."""
    forecast_latency_ms: float | None = None
    """What the speed forecast says for this run (the whole call), in milliseconds; absent when it cannot say."""
    energy_j: float | None = None
    """Energy of one call in joules; absent without a counter."""
    error: str | None = None
    """Why this run has no figures; absent when it succeeded."""


class MemoryByKind(BaseModel):
    """Memory measured, by what it is held for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: MemoryKind
    """What it is held for; `load_peak` comes on top of runtime and weights while loading only."""
    mib: float
    """Measured size in MiB."""


class MemoryStage(BaseModel):
    """Host memory of the worker at the end of a stage, and its peak within the stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Literal["runtime", "load", "first_call", "runs"]
    """After the imports, after loading, after the first call, after all runs."""
    anonymous_mib: float
    """Memory of the process's own at the end of the stage, in MiB."""
    file_mib: float
    """Pages of files (libraries, mapped weights) at the end of the stage, in MiB."""
    peak_mib: float
    """The kernel's exact peak within the stage (VmHWM), in MiB."""


class Variant(BaseModel):
    """The same input under one changed setting, beside the same model in float32 as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    """What was changed, such as `dtype=bfloat16`, `attention=eager`, `compile=default` or `quantization=int8`."""
    batch_size: int
    """Inputs processed together."""
    sequence_length: int
    """Tokens of each input."""
    latency_p50_ms: float | None = None
    """Median time of one call in milliseconds."""
    speedup: float | None = None
    """Median time of the baseline divided by this one's, pairs taken in turn; above 1 is faster."""
    speedup_low: float | None = None
    """Lower end of the speed-up's 95 % bootstrap interval."""
    speedup_high: float | None = None
    """Upper end of that interval."""
    weights_mib: float | None = None
    """Size of the weights under this setting in MiB."""
    lowest_cosine: float | None = None
    """Lowest cosine similarity of an output with that in float32, in [-1, 1]."""
    flips_percent: float | None = None
    """Share of positions whose likeliest prediction differs from that in float32, in percent; absent without a head."""
    error: str | None = None
    """Why this setting has no figures; absent when it succeeded."""


class LargestThatFits(BaseModel):
    """The largest value that ran, found by doubling and bisection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["batch_size", "sequence_length"]
    """What was made larger."""
    value: int
    """The largest that ran."""
    peak_memory_mib: float
    """Peak memory at that value, in MiB."""
    limited_by: str
    """What the next larger one met: memory, positions, the time, or the end of the search."""
    tried: tuple[int, ...]
    """Values tried, in order."""


class Profile(BaseModel):
    """What running a model on this machine took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash of the files that were loaded."""
    task: str
    """What was run, as the Hub names tasks (`feature-extraction`, `text-generation`, `image-classification`, ...), or
    `bare forward pass of` the architecture where its task is not known."""
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
    """Seconds to import the libraries; in a fork server as measured when that was started."""
    load_s: float
    """Seconds to load the weights."""
    first_call_ms: float
    """Time of the very first call in milliseconds, warm-up included."""
    memory: tuple[MemoryByKind, ...]
    """Memory by what it is held for."""
    peak_memory_mib: float
    """Highest peak over loading and all runs, in MiB."""
    memory_stages: tuple[MemoryStage, ...] = ()
    """Host memory stage by stage; empty where the kernel does not say."""
    limits: DeviceLimits | None = None
    """What the device reached in the probe; absent in records made before there was one."""
    variants: tuple[Variant, ...] = ()
    """Settings that were tried beside the one asked for."""
    largest: tuple[LargestThatFits, ...] = ()
    """The largest batch or sequence that ran, where that was asked for."""
    limit_share_percent: float | None = None
    """Highest MFU over the runs, in percent."""
    bound: Bound | None = None
    """What the longest run spends its time on."""
    try_next: str | None = None
    """The one thing to try next for speed, and why."""
    ended_early: str | None = None
    """Why the measurement stopped before its end; what was measured by then is here."""
    executor: Literal["local", "ray"] = "local"
    """Where the worker ran: on this machine, or as a task of a Ray cluster."""
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
