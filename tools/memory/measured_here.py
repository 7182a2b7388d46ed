"""What earlier measurements on this machine say of a forecast; whoever keeps them hands them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.device_limits import DeviceLimits


class PastForecast(NamedTuple):
    """A forecast that stood beside a measurement on this machine's CPU."""

    commit: str
    """Commit or content hash that was measured."""
    error_percent: float
    """Forecast against measurement in percent; positive means that too much was forecast."""


class OwnError(NamedTuple):
    """How far such forecasts were off on this machine."""

    percent: float | None = None
    """Signed for the same model, a median size over several models; absent when nothing was measured."""
    basis: Literal["same_model", "other_models"] | None = None
    """What it comes from."""
    measurements: int | None = None
    """How many."""


class MeasuredHere(BaseModel):
    """Measurements of this machine, newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime_mib: float | None = None
    """Memory of Python and the libraries alone, with the installed versions, in MiB; absent when it was not measured."""
    forecasts: tuple[PastForecast, ...] = ()
    """Forecasts that stood beside a measurement."""
    limits: DeviceLimits | None = None
    """The newest probe of this CPU, with the installed versions; absent when there was none."""
    speed_errors_percent: tuple[float, ...] = ()
    """Speed forecasts against the measured times in percent; positive means that too much was forecast."""

    def error_of(self, commit: str) -> OwnError:
        """The error of forecasts on this machine: this model's newest, else the median size over all.

        Args:
            commit: Commit or content hash of the model.
        """
        same = [each.error_percent for each in self.forecasts if each.commit == commit]
        if same:
            return OwnError(round(same[0], 1), "same_model", len(same))
        if not self.forecasts:
            return OwnError()
        median = _median([abs(each.error_percent) for each in self.forecasts])
        return OwnError(round(median, 1), "other_models", len(self.forecasts))

    @property
    def speed_error_percent(self) -> float | None:
        """Median size of the error of speed forecasts on this machine, in percent; absent when nothing was measured."""
        sizes = [abs(each) for each in self.speed_errors_percent]
        return round(_median(sizes), 1) if sizes else None


def _median(sizes: Sequence[float]) -> float:
    import statistics  # noqa: PLC0415 (takes as long to import as a tenth of a forecast)

    return statistics.median(sizes)
