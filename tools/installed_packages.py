"""Versions of installed packages, by what their installation says: none is imported."""

from __future__ import annotations

import importlib.metadata


def installed_version(package: str) -> str | None:
    """Version of an installed package; None when it is not installed.

    Args:
        package: Its name as pip knows it.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
