"""One claim of a model card and what the files say about it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.cards.sections import quote_line
from tools.model_facts import Fact

Topic = Literal[
    "parameters", "dtype", "context_length", "embedding_size", "tokenizer", "languages", "labels", "base_model", "licence",
]  # fmt: skip
ClaimVerdict = Literal["confirmed", "contradicted", "not_checkable"]


class Claim(BaseModel):
    """Something the card says that the files can confirm or contradict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Topic
    """What the claim is about."""
    claim: str
    """The line of the card, quoted. Untrusted text."""
    claim_line: int | None
    """Line of the card, from 1; absent when the claim is in no single line."""
    fact: str | None
    """What the files say; absent when they do not say anything."""
    fact_source: str | None
    """The file the fact was read from; absent when there is no fact."""
    verdict: ClaimVerdict
    """Whether the files bear the claim out."""


def claim_of(topic: Topic, line: int | None, quote: str, fact: Fact | None, holds: bool | None) -> Claim:
    """A claim beside its fact.

    Args:
        topic: What it is about.
        line: Line of the card.
        quote: That line.
        fact: What the files say.
        holds: Whether the fact bears it out; None when that cannot be told.

    Returns:
        The claim; without a fact it is not checkable.
    """
    verdict: ClaimVerdict = "not_checkable"
    if fact is not None and holds is not None:
        verdict = "confirmed" if holds else "contradicted"
    text = None if fact is None else f"{fact.value:,}" if isinstance(fact.value, int) else quote_line(fact.value)
    source = None if fact is None else fact.file
    return Claim(topic=topic, claim=quote_line(quote), claim_line=line, fact=text, fact_source=source, verdict=verdict)
