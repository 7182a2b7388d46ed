"""The record of `estimate_cost` and its parts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.advice.serving import SpreadBasis

SensitiveInput = Literal["utilisation", "throughput", "batch", "sequence_length", "new_tokens", "price"]


class Interval(BaseModel):
    """A range that follows from the spread of the measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    """The figure at the fast end of the spread."""
    high: float
    """The figure at its slow end."""


class CostAtUtilisation(BaseModel):
    """The cost of the given load at one utilisation, in whole devices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    utilisation: float
    """Share of the day in which a device may be busy, in (0, 1]."""
    devices: int
    """Devices of the measured kind that are needed."""
    cost_per_day: float | None
    """In the estimate's currency; absent when no price is known."""
    cost_per_month: float | None
    """In the estimate's currency, at 30.4 days; absent when no price is known."""
    cost_per_thousand_requests: float | None
    """In the estimate's currency; absent when no price is known."""
    cost_per_request: float | None = None
    """In the estimate's currency; absent when no price is known."""
    cost_per_million_tokens: float | None = None
    """In the estimate's currency, tokens read and written; absent without a price or where inputs are not tokens."""
    devices_range: Interval | None = None
    """Devices at the fast and the slow end of the measurement."""
    cost_per_month_range: Interval | None = None
    """Cost a month at both ends; costs a day, a request and a token scale with it."""


class CostAtCapacity(BaseModel):
    """What a device costs when it carries as much as one utilisation lets it: the price of growth, whatever the load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    utilisation: float
    """Share of the day in which the device is busy, in (0, 1]."""
    requests_per_day: float
    """Requests that one device handles in a day."""
    requests_per_day_range: Interval
    """The same at the fast (high) and the slow (low) end of the measurement."""
    cost_per_thousand_requests: float | None
    """In the estimate's currency; absent when no price is known."""
    cost_per_thousand_requests_range: Interval | None
    """The same at both ends of the measurement."""
    cost_per_million_tokens: float | None
    """In the estimate's currency; absent without a price or where inputs are not tokens."""
    cost_per_million_tokens_range: Interval | None
    """The same at both ends of the measurement."""


class Sensitivity(BaseModel):
    """What one input does to the result while the others stay."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: SensitiveInput
    """The input; `utilisation` in (0, 1], `throughput` in requests a second, `price` an hour, the others as counts."""
    value: float
    """Value that the estimate uses."""
    cheap_value: float
    """Value within its range at which the result is lowest."""
    dear_value: float
    """Value at which it is highest."""
    cheap_percent: float
    """Change of the result at the cheap value, in percent; zero or negative."""
    dear_percent: float
    """Change at the dear value, in percent; zero or positive."""
    basis: Literal["measured", "stated", "assumed"]
    """Where the range comes from: runs of the profile, the utilisations above, or an assumption."""


class BreakEvenAt(BaseModel):
    """From which load own devices are cheaper, at one utilisation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    utilisation: float
    """Share of the day in which a device may be busy."""
    capacity_per_day: float
    """Requests that one device handles in a day."""
    from_requests_per_day: float | None
    """Load from which the devices are no dearer; absent when even a device at capacity is dearer."""
    always_from_requests_per_day: float | None
    """Load from which that stays so: until then the step to one more device can make them dearer again."""
    cheaper_here: Literal["own", "other", "same"] | None
    """What is cheaper at the given load; absent when no load is known."""


class BreakEven(BaseModel):
    """Own devices against a price that the user gave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price_per_thousand_requests: float
    """The alternative's price, in the estimate's currency."""
    price_per_million_tokens: float | None
    """The same for a million tokens; absent where inputs are not tokens."""
    given_as: Literal["million_tokens", "thousand_requests"]
    """Which of the two the user gave."""
    at: tuple[BreakEvenAt, ...]
    """Break-even by utilisation."""
    alternative_cost_per_month: float | None
    """What the given load costs there a month; absent when no load is known."""


class ResponseTime(BaseModel):
    """What a number of devices makes of the busiest hour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    devices: int
    """Devices that take requests from one line."""
    busy_percent: float
    """Share of the time in which a device is busy, in percent; from 100 on the line grows without end."""
    wait_percent: float | None
    """Share of the requests that have to wait, in percent; absent when the line grows without end."""
    mean_wait_ms: float | None
    """Mean wait of all requests in milliseconds."""
    response_p95_ms: float | None
    """Time until the answer, wait included, that 95 % of the requests stay under, in milliseconds."""
    cost_per_month: float | None
    """In the estimate's currency, at 30.4 days; absent when no price is known."""


class Queueing(BaseModel):
    """Response times in the busiest hour, one request at a time, by the formulas of `queueing`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "M/G/c, Allen-Cunneen with Cosmetatos' constant-service term"
    """Name of the queueing model."""
    peak_factor: float
    """Busiest hour over the average hour of the day."""
    arrivals_per_s: float
    """Requests a second in the busiest hour."""
    batch_size: int
    """Batch of the run that the service time comes from."""
    service_p50_ms: float
    """Median time of a call in milliseconds."""
    service_p95_ms: float | None
    """Time that 95 % of the calls stay under; absent when not measured, requests wait as if it were exponential then."""
    squared_variation: float
    """Variance of the service time over its squared mean."""
    at: tuple[ResponseTime, ...]
    """Response times by number of devices."""
    target_p95_ms: float | None
    """Longest response time that the user accepts for 95 % of the requests, in milliseconds."""
    devices_for_target: int | None
    """Devices that keep it; absent without a target, or when a single call takes longer and no number of devices helps."""
    batch_within_target: int | None
    """The measured batch with most requests a second whose own 95 % time keeps the target, or of all without one."""
    batch_requests_per_s: float | None
    """What a device finishes in a second in such batches."""
    batch_latency_p50_ms: float | None
    """Median time of such a batch in milliseconds."""


class CostEstimate(BaseModel):
    """What it costs to serve a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference."""
    commit: str
    """Commit or content hash that was measured."""
    requests_per_day: float | None
    """Load as the user gave it."""
    price_per_hour: float | None
    """Price of one device for an hour as the user gave it."""
    currency: str
    """ISO code."""
    throughput_per_s: float
    """Best measured throughput at the usual sequence length."""
    unit: str
    """What the throughput counts."""
    batch_size: int
    """Batch at which it was measured."""
    profile_evidence: str
    """Evidence id of the measurement."""
    busy_percent: float | None
    """Average share of one device that the load keeps busy, in percent."""
    capacity_per_day: float
    """Requests that one device handles in a day at the middle utilisation."""
    options: tuple[CostAtUtilisation, ...]
    """Cost by utilisation; empty when no load is known."""
    assumptions: tuple[str, ...]
    """What the estimate takes for granted."""
    requests_per_s: float | None = None
    """Requests a second at that throughput."""
    requests_per_s_range: Interval | None = None
    """The same at the slow (low) and the fast (high) end of the measurement."""
    spread_basis: SpreadBasis = "unknown"
    """Where that range comes from."""
    noise: Literal["quiet", "noisy"] | None = None
    """The profile's verdict on what else ran meanwhile."""
    sequence_length: int | None = None
    """Tokens of an input at that run."""
    new_tokens: int = 0
    """Tokens written for a request."""
    tokens_per_request: int | None = None
    """Tokens read and written for a request; absent where inputs are not tokens."""
    at_capacity: tuple[CostAtCapacity, ...] = ()
    """What requests and tokens cost on a device that is used up to each utilisation."""
    sensitivity_of: Literal["cost_per_month", "devices", "cost_per_thousand_requests"] | None = None
    """Which result the sensitivity is about; absent when neither load nor price is known."""
    sensitivity: tuple[Sensitivity, ...] = ()
    """Inputs by how much they move the result, the strongest first."""
    moves_most: SensitiveInput | None = None
    """The input that moves the result most, one whose range is assumed only if no other does; absent when none does."""
    break_even: BreakEven | None = None
    """Own devices against the alternative; absent when its price or that of a device is not known."""
    queueing: Queueing | None = None
    """Response times at the given load; absent when no load is known."""
