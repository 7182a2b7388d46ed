"""The model, and the loads and prices of which any may be drawn for it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

MODEL = "org/model"
loads = st.floats(0.001, 1e9)
prices = st.floats(0, 1e4)
shared = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
