"""The tool `estimate_memory`: a forecast of peak memory from configuration and headers, without loading anything."""

from __future__ import annotations

from tools.device_limits import DeviceLimits
from tools.errors import InvalidArgument
from tools.located_files import inspect_location, local_commit, refuse_unsafe
from tools.locating import locate_model
from tools.memory.measured_here import MeasuredHere
from tools.memory.model_shape import read_shape
from tools.memory.records import MemoryForecast
from tools.memory.reverse import MAX_BATCH, MAX_LENGTH, device_fits, in_other_dtypes, largest_batch, longest_sequence
from tools.memory.speed_forecast import SpeedForecast, forecast_speed
from tools.memory.stored_weights import BYTES
from tools.memory.terms import Plan, total_of
from tools.model_sources import ModelSources
from tools.weight_files import snapshot_tensors

_DEFAULT_LENGTH = 128
_MAX_MEMORY_GIB = 100_000


def estimate_memory(
    model: str,
    dtype: str | None = None,
    batch_size: int = 1,
    sequence_length: int | None = None,
    new_tokens: int = 0,
    device_memory_gib: float | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    measured: MeasuredHere = MeasuredHere(),  # noqa: B008 (as above)
) -> MemoryForecast:
    """Forecast the peak memory a run will need, in milliseconds, without downloading or loading the weights.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        dtype: `float32`, `bfloat16`, `float16`, `int8` or `int4`; that of the files when absent.
        batch_size: Inputs processed together, 1 to 4096.
        sequence_length: Tokens of each input, 1 to 1048576; 128 or the model's limit when absent.
        new_tokens: Tokens generated for each input, 0 to 1048576.
        device_memory_gib: Memory of the device it should fit, in GiB.
        sources: Where models may come from.
        measured: What earlier measurements on this machine say.

    Returns:
        The forecast with the formula of each part.

    Raises:
        InvalidArgument: A value is out of its range.
        UnsupportedModel: The model has no safetensors weights or no usable configuration.
        UnsafeModel: The inspection refuses the files.
    """
    _check(dtype, batch_size, sequence_length, new_tokens, device_memory_gib)
    # Of a model on the hub its configuration and the heads of its weight files are read, and nothing is downloaded.
    location = locate_model(model, sources=sources)
    refuse_unsafe(inspect_location(location, thorough=False))
    header, shape = snapshot_tensors(location.view), read_shape(location.view)
    length = sequence_length or min(_DEFAULT_LENGTH, shape.positions or _DEFAULT_LENGTH)
    commit = location.commit or local_commit(location)
    plan = Plan(header, shape, dtype, length, new_tokens, runtime_mib=measured.runtime_mib)
    terms = plan.terms(batch_size)
    total, on_device = total_of(terms), total_of(terms, on_device=True)
    limit = None if device_memory_gib is None else device_memory_gib * 1024
    longest, met = (None, None) if limit is None else longest_sequence(plan, batch_size, limit)
    devices = device_fits(total, on_device)
    error = measured.error_of(commit)
    return MemoryForecast(
        model=location.reference.canonical,
        commit=commit,
        dtype=plan.dtype,
        batch_size=batch_size,
        sequence_length=length,
        new_tokens=new_tokens,
        parameters=plan.files.stored.parameters,
        terms=terms,
        total_mib=total,
        device_total_mib=on_device,
        device_memory_gib=device_memory_gib,
        fits=None if limit is None else total <= limit,
        margin_mib=None if limit is None else round(limit - total, 1),
        largest_batch_that_fits=None if limit is None else largest_batch(plan, limit),
        longest_sequence_that_fits=longest,
        longest_sequence_limit=met,
        devices=devices,
        smallest_device_gib=next((each.memory_gib for each in devices if each.fits_gpu), None),
        smallest_host_gib=next((each.memory_gib for each in devices if each.fits_host), None),
        by_dtype=in_other_dtypes(plan, batch_size),
        own_error_percent=error.percent,
        own_error_basis=error.basis,
        own_error_count=error.measurements,
        speed=_speed(plan, batch_size, measured.limits),
        speed_error_percent=measured.speed_error_percent,
        assumptions=plan.assumptions(),
    )


def _speed(plan: Plan, batch_size: int, limits: DeviceLimits | None) -> SpeedForecast | None:
    if limits is None:
        return None
    return forecast_speed(
        plan.header,
        plan.shape,
        limits,
        dtype=plan.dtype,
        batch_size=batch_size,
        sequence_length=plan.length,
        new_tokens=plan.new_tokens,
    )


def _check(dtype: str | None, batch: int, length: int | None, new_tokens: int, memory_gib: float | None) -> None:
    if dtype is not None and dtype not in BYTES:
        raise InvalidArgument(f"`{str(dtype)[:40]}` is not a number format.", f"Use one of {', '.join(BYTES)}.")
    for name, value, low, high in (
        ("batch_size", batch, 1, MAX_BATCH),
        ("sequence_length", _DEFAULT_LENGTH if length is None else length, 1, MAX_LENGTH),
        ("new_tokens", new_tokens, 0, MAX_LENGTH),
    ):
        if type(value) is not int or not low <= value <= high:
            raise InvalidArgument(f"`{name}` is outside {low} to {high}.", f"Give a whole number from {low} to {high}.")
    if memory_gib is not None and not 0 < memory_gib <= _MAX_MEMORY_GIB:
        raise InvalidArgument("`device_memory_gib` is not a size of memory.", f"Give GiB, up to {_MAX_MEMORY_GIB}.")
