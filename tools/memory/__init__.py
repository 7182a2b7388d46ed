"""What memory a model needs, forecast from its files alone."""

from __future__ import annotations

from tools.memory.estimate import estimate_memory
from tools.memory.measured_here import MeasuredHere
from tools.memory.records import MemoryForecast, MemoryTerm
from tools.memory.terms import total_of

__all__ = ["MeasuredHere", "MemoryForecast", "MemoryTerm", "estimate_memory", "total_of"]
