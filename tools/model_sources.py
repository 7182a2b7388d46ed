"""The settings that say where models may come from."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class ModelSources(BaseModel):
    """Where models may come from; fixed at start by whoever runs the product, never by a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = None
    """Address of the hub; absent means the public one."""
    mirrors: tuple[Path, ...] = ()
    """Folders with `org/name/` below them, tried in order when the hub and its cache do not have the model."""
    cache_dir: Path | None = None
    """The hub cache; absent means the Hugging Face library's own place."""
    offline: bool = False
    """True: the hub is never asked."""
    token: str | None = Field(default=None, repr=False)
    """Access token of the hub; absent means the Hugging Face library's own means. Never shown."""
