"""Decides from a model's files alone, without loading anything, whether they may be loaded."""

from tools.file_safety.findings import FileInspection, Finding, Verdict
from tools.file_safety.inspection import inspect_files

__all__ = ["FileInspection", "Finding", "Verdict", "inspect_files"]
