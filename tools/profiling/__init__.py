"""Running a model in an isolated process and measuring what it takes."""

from __future__ import annotations

from tools.profiling.profile import profile_model
from tools.profiling.records import MemoryByKind, Profile, ProfileRun

__all__ = ["MemoryByKind", "Profile", "ProfileRun", "profile_model"]
