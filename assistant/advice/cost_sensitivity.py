"""Which input moves a cost most: each is moved through its range while the others stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.advice.cost_records import SensitiveInput, Sensitivity
from assistant.advice.serving import DAYS_PER_MONTH, UTILISATIONS, ServedRun, devices_for_load

_PRICE_CHANGE = 0.2
_Candidate = tuple[float, float]
"""A value of an input and the result at it."""


@dataclass(frozen=True)
class Case:
    """The inputs of a cost as the estimate uses them."""

    runs: Sequence[ServedRun]
    """All measured runs."""
    base: ServedRun
    """The run that the estimate rests on."""
    requests_per_day: float | None
    price_per_hour: float | None
    utilisation: float

    @property
    def result_name(self) -> Literal["cost_per_month", "devices", "cost_per_thousand_requests"] | None:
        """Which result can be worked out."""
        if self.requests_per_day is None:
            return None if self.price_per_hour is None else "cost_per_thousand_requests"
        return "devices" if self.price_per_hour is None else "cost_per_month"

    def result(
        self, requests_per_s: float | None = None, utilisation: float | None = None, price: float | None = None
    ) -> float:
        """The result with some inputs changed."""
        rate = self.base.requests_per_s if requests_per_s is None else requests_per_s
        share = self.utilisation if utilisation is None else utilisation
        hourly = self.price_per_hour if price is None else price
        if self.requests_per_day is None:
            return 1000 * (hourly or 0) / (3600 * rate * share)
        devices = devices_for_load(self.requests_per_day, rate, share)
        return devices if hourly is None else devices * hourly * 24 * DAYS_PER_MONTH


def sensitivities(case: Case) -> tuple[Sensitivity, ...]:
    """The inputs with a range, the one that moves the result most first; empty when there is no result."""
    if case.result_name is None:
        return ()
    found = [each for make in _INPUTS for each in make(case)]
    return tuple(sorted(found, key=lambda s: s.cheap_percent - s.dear_percent))


def moves_most(found: Sequence[Sensitivity]) -> SensitiveInput | None:
    """The input that moves the result most; one whose range is only assumed where no other moves it."""
    moving = [s for s in found if s.cheap_percent < 0 or s.dear_percent > 0]
    return next((s.input for s in sorted(moving, key=lambda s: s.basis == "assumed")), None)


def _moved(
    name: SensitiveInput,
    value: float,
    candidates: Sequence[_Candidate],
    case: Case,
    basis: Literal["measured", "stated", "assumed"],
) -> Sensitivity:
    base = case.result()
    everything = [(value, base), *candidates]
    cheap, dear = (pick(everything, key=lambda c: c[1]) for pick in (min, max))
    change = [100 * (result / base - 1) if base else 0.0 for _, result in (cheap, dear)]
    return Sensitivity(
        input=name,
        value=value,
        cheap_value=cheap[0],
        dear_value=dear[0],
        cheap_percent=change[0],
        dear_percent=change[1],
        basis=basis,
    )


def _utilisation(case: Case) -> Iterator[Sensitivity]:
    ends = [(u, case.result(utilisation=u)) for u in (UTILISATIONS[-1], UTILISATIONS[0])]
    yield _moved("utilisation", case.utilisation, ends, case, "stated")


def _throughput(case: Case) -> Iterator[Sensitivity]:
    if case.base.spread != "unknown":
        ends = [(rate, case.result(rate)) for rate in case.base.requests_per_s_range]
        yield _moved("throughput", case.base.requests_per_s, ends, case, "measured")


def _batch(case: Case) -> Iterator[Sensitivity]:
    same = [run for run in case.runs if run.sequence_length == case.base.sequence_length]
    if len({run.batch_size for run in same}) > 1:
        ends = [(float(run.batch_size), case.result(run.requests_per_s)) for run in same]
        yield _moved("batch", case.base.batch_size, ends, case, "measured")


def _sequence_length(case: Case) -> Iterator[Sensitivity]:
    length = case.base.sequence_length
    best: dict[int, float] = {}
    for run in case.runs:
        best[run.sequence_length] = max(best.get(run.sequence_length, 0.0), run.requests_per_s)
    if len(best) > 1:
        ends = [(float(each), case.result(rate)) for each, rate in best.items()]
        yield _moved("sequence_length", length, ends, case, "measured")
    elif case.base.tokens_per_request is not None and not case.base.new_tokens:
        ends = [(length * times, case.result(case.base.requests_per_s / times)) for times in (0.5, 2.0)]
        yield _moved("sequence_length", length, ends, case, "assumed")


def _new_tokens(case: Case) -> Iterator[Sensitivity]:
    ends = [
        (tokens, case.result(rate))
        for tokens in (max(1.0, case.base.new_tokens / 2), 2.0 * case.base.new_tokens)
        if (rate := case.base.requests_per_s_writing(tokens)) is not None
    ]
    if ends:
        yield _moved("new_tokens", case.base.new_tokens, ends, case, "measured")


def _price(case: Case) -> Iterator[Sensitivity]:
    if case.price_per_hour is not None:
        prices = [case.price_per_hour * (1 + change) for change in (-_PRICE_CHANGE, _PRICE_CHANGE)]
        yield _moved("price", case.price_per_hour, [(p, case.result(price=p)) for p in prices], case, "assumed")


_INPUTS: tuple[Callable[[Case], Iterator[Sensitivity]], ...] = (
    _utilisation,
    _throughput,
    _batch,
    _sequence_length,
    _new_tokens,
    _price,
)
