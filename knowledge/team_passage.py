"""A piece of one of the team's own documents, as it is searched, quoted and read for the team's policy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TeamPassage(BaseModel):
    """A piece of a document of the team, word by word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^D[0-9a-f]{8}\.[0-9]+$")
    """Document id and number of the passage, such as `D1a2b3c4d.12`; cite the part before the dot."""
    document: str = Field(pattern=r"^D[0-9a-f]{8}$")
    """Document id: `D` and the beginning of the SHA-256 of its bytes."""
    title: str
    """Title of the document, or its file name."""
    place: str
    """Where in it: `p. 3`, or its headings as `Security › Licences`; empty when it has neither."""
    text: str
    """The text, as it stands in the document."""
    shared: bool
    """Whether the whole team sees it, or only who added it."""
