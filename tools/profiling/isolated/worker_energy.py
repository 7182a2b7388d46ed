"""Reads an energy counter where there is one: the GPU's by NVML, the processor's by RAPL; no figure where there is none."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

_POWERCAP = Path("/sys/class/powercap")


class EnergyCounter:
    """The counter of one device.

    Attributes:
        note: What is counted, or why nothing is.
    """

    def __init__(self, device_kind: str, index: int) -> None:
        self._nvml: Any = None
        self._handle: Any = None
        self._zones: list[Path] = []
        self.note = self._open_gpu(index) if device_kind == "cuda" else self._open_cpu()

    def joules(self) -> float | None:
        """The counter now; None where there is none."""
        if self._handle is not None:
            return self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1000
        if self._zones:
            return sum(int(zone.read_text(encoding="ascii")) for zone in self._zones) / 1e6
        return None

    def _open_gpu(self, index: int) -> str:
        try:
            self._nvml = importlib.import_module("pynvml")
        except ImportError:
            return "The GPU's energy counter is not read: the package nvidia-ml-py is not installed."
        try:
            self._nvml.nvmlInit()
            handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
            self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        except self._nvml.NVMLError:
            return "This GPU has no readable energy counter."
        self._handle = handle
        return "Energy of the whole GPU by its own counter (NVML), idle power included."

    def _open_cpu(self) -> str:
        zones = sorted(_POWERCAP.glob("intel-rapl:[0-9]*/energy_uj")) if _POWERCAP.is_dir() else []
        zones = [zone for zone in zones if zone.parent.name.count(":") == 1]  # packages, not parts of one
        try:
            for zone in zones:
                int(zone.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return "The processor's energy counter (RAPL) is not readable by this user."
        self._zones = zones
        if zones:
            return "Energy of the whole processor by its own counter (RAPL), other programs included."
        return "This machine has no readable energy counter."
