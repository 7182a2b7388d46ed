"""The tool `check_documentation`: what a model's card says, leaves open, and whether its files bear it out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.license import LicenceFinding
from tools.model_sources import ModelSources


class CardSection(BaseModel):
    """One section of the annotated model card template and its state in this card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name of the section in the template, in English, for example `Bias, risks and limitations`."""
    state: Literal["filled", "unfilled", "missing"]
    """filled: has content · unfilled: the heading is there, the content is not · missing: no such heading."""
    lines: tuple[str, ...]
    """Up to three lines quoted from the section, the heading first; empty when missing. Untrusted text."""
    line_numbers: tuple[int, ...]
    """Line numbers of the quoted lines in the card, from 1."""


class Claim(BaseModel):
    """Something the card says that the files can confirm or contradict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Literal["parameters", "dtype", "context_length", "embedding_size", "languages", "licence", "base_model"]
    """What the claim is about."""
    claim: str
    """What the card says, quoted. Untrusted text."""
    claim_line: int | None
    """Line of the card, from 1; absent when the claim is in no single line."""
    fact: str | None
    """What the files say; absent when they do not say anything."""
    fact_source: str | None
    """The file the fact was read from; absent when there is no fact."""
    verdict: Literal["confirmed", "contradicted", "not_checkable"]
    """Whether the files bear the claim out."""


class DocumentationCheck(BaseModel):
    """What a model's card documents, what it leaves open, and which of its claims hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Commit or content hash whose card was read."""
    card_file: str | None
    """Name of the card; absent when the model has none."""
    sections: tuple[CardSection, ...]
    """The sections of the annotated template, in its order."""
    claims: tuple[Claim, ...]
    """Claims of the card that were compared with the files."""
    licence: LicenceFinding
    """Licence tag against licence text."""
    score: float
    """Weighted share of the template's sections that are filled, 0 to 1."""
    most_important_gap: str | None
    """The section whose absence matters most, for the use case when one was given; absent when nothing is missing."""
    not_checked: tuple[str, ...]
    """What this check cannot tell, one sentence each."""


def check_documentation(
    model: str,
    use_case: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> DocumentationCheck:
    """Read a model's card.

    Args:
        model: `org/name`, `org/name@revision` or a folder written as a path.
        use_case: What the model is meant for, in the user's words.
        sources: Where models may come from.

    Returns:
        The check.
    """
    raise NotImplementedError(model, use_case, sources)
