"""What the user wrote, parsed once into a hub id or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class ModelReference(BaseModel):
    """A model as the user named it: a hub id or a folder, with an optional revision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """What the user wrote, without surrounding space."""
    id: str | None = None
    """`org/name` or a bare name of the hub; absent for a folder."""
    path: Path | None = None
    """The folder; absent for a hub id. Only text written as `./x`, `../x`, `/x` or `~/x` is a folder."""
    revision: str | None = None
    """Branch, tag or commit; absent when none was given."""

    @property
    def name(self) -> str:
        """Short name for display."""
        return self.id if self.id is not None else self.text


def parse_reference(text: str) -> ModelReference:
    """Parse a model reference."""
    raise NotImplementedError(text)


def find_references(text: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Find the models named in a sentence."""
    raise NotImplementedError(text, known)
