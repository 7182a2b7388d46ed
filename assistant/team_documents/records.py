"""A document of the team as it is listed, and one that is to be kept."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

Format = Literal["pdf", "docx", "html", "md", "txt"]


class TeamDocument(BaseModel):
    """One of the team's documents, as it is listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`D` and the beginning of its hash; cited in answers."""
    title: str
    """Its title, or the name of its file."""
    file_name: str
    """Name of the file that was added."""
    format: Format
    """By its content."""
    sha256: str
    """Of the file's bytes."""
    size_bytes: int
    """Size of the file."""
    passages: int
    """Number of its passages."""
    shared: bool
    """Whether the whole team sees it, or only who added it."""
    added_by: str
    """Who added it."""
    added_at: dt.datetime
    """When, UTC."""


class NewDocument(BaseModel):
    """A document that was read and is to be kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    title: str
    file_name: str
    format: Format
    sha256: str
    size_bytes: int
    places: tuple[str, ...]
    """Of each passage."""
    texts: tuple[str, ...]
    """Of each passage."""
    vectors: np.ndarray
    """Of each passage, shape (passages, 384), a byte for each dimension."""

    @property
    def id(self) -> str:
        """What answers cite."""
        return document_id(self.sha256)


def document_id(sha256: str) -> str:
    """What answers cite of a document with this hash."""
    return f"D{sha256[:8]}"


def searched_text(title: str, place: str, text: str) -> str:
    """What is searched of a passage: its words with the headings above them."""
    headings = " ".join(part for part in (title, "" if place.startswith("p. ") else place) if part)
    return f"{headings}\n{text}"
