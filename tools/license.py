"""What a model's licence is: the tag on its card against the text that lies beside it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class LicenceFinding(BaseModel):
    """The licence tag of the card compared with the licence text in the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str | None
    """The `license` field of the card's front matter, as written; absent when there is none."""
    text_file: str | None
    """Name of the licence file; absent when there is none."""
    spdx: str | None
    """SPDX identifier that the text, or else the tag, stands for; absent when it is not a known licence."""
    agreement: Literal["agrees", "differs", "tag_only", "text_only", "none"]
    """Whether tag and text say the same."""
    permissive: bool | None
    """True for licences that allow commercial use and change with little more than attribution; absent when not known."""
    note: str
    """What the reader should do or know, one or two sentences; never legal advice."""
