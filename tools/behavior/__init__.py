"""Small trials of how a model behaves."""

from __future__ import annotations

from tools.behavior.observation import observe_behavior
from tools.behavior.records import BehaviorObservation, Trial

__all__ = ["BehaviorObservation", "Trial", "observe_behavior"]
