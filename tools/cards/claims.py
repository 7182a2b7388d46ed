"""What a card claims in numbers and names, compared with what the files say."""

from __future__ import annotations

import re
from typing import Any

from tools.cards.blocks import Block
from tools.cards.claim import Claim
from tools.cards.dtype_claims import dtype_claims
from tools.cards.label_claims import label_claims
from tools.cards.origin_claims import base_claims, gives_own_sizes, licence_claims
from tools.cards.size_claims import size_claims
from tools.cards.text import statements_of
from tools.cards.text_claims import language_claims, tokenizer_claims
from tools.file_safety.inspected import Inspected
from tools.licences.lineage import named_bases
from tools.license import LicenceFinding
from tools.model_facts import ModelFacts
from tools.tokenizer_facts import TokenizerFacts

__all__ = ["Claim", "find_claims", "languages_of"]

_MOST_PER_TOPIC = 6
_MOST_NAMED = 10


def find_claims(
    blocks: list[Block],
    block: str,
    front_matter: dict[str, Any],
    licence: LicenceFinding,
    model: Inspected,
    facts: ModelFacts,
    names: tuple[str, ...] = (),
) -> tuple[Claim, ...]:
    """Find the card's claims and compare each with the files.

    Args:
        blocks: The card's text, cut at its headings.
        block: Its front matter as it is written, for the lines to quote.
        front_matter: The same, parsed.
        licence: The licence comparison.
        model: The files.
        facts: What they say.
        names: How the model is called.

    Returns:
        At most six claims by topic, in the order of topic and line.
    """
    tokenizer = TokenizerFacts(model)
    title = next((block.heading for block in blocks if block.level == 1), "")
    everything = statements_of(blocks, (*names, title))
    statements = tuple(each for each in everything if not each.aside and gives_own_sizes(each))
    quoted = _Quoted(block)
    found = [
        *size_claims(statements, facts),
        *dtype_claims(statements, facts),
        *tokenizer_claims(statements, facts, tokenizer),
        *language_claims(statements, quoted.named("languages?", languages_of(front_matter)), tokenizer),
        *label_claims(statements, facts),
        *base_claims(
            tuple(each for each in everything if not each.aside),
            quoted.named("base_model", named_bases(front_matter)),
            facts,
            names,
        ),
        *licence_claims(everything, facts, licence, quoted.line_of("license")),
    ]
    counted: dict[str, int] = {}
    kept: list[Claim] = []
    for claim in dict.fromkeys(found):
        counted[claim.topic] = counted.get(claim.topic, 0) + 1
        if counted[claim.topic] <= _MOST_PER_TOPIC:
            kept.append(claim)
    return tuple(kept)


def languages_of(front_matter: dict[str, Any]) -> tuple[str, ...]:
    """Language codes the card names."""
    value = front_matter.get("language", front_matter.get("languages"))
    values = value if isinstance(value, list) else [value] if value is not None else []
    return tuple(str(each)[:20] for each in values[:200])


class _Quoted:
    """Lines of the front matter, found again for quoting."""

    def __init__(self, block: str) -> None:
        self._lines = block.split("\n")

    def line_of(self, key: str) -> int | None:
        """Line of a key in the card, from 1."""
        return next((n for n, line in enumerate(self._lines, start=2) if re.match(rf"{key}\s*:", line)), None)

    def named(self, key: str, values: tuple[str, ...]) -> tuple[tuple[str, int | None, str], ...]:
        """Each value of a key with its line and how it is written there."""
        start = self.line_of(key)
        label = key.rstrip("?").removesuffix("s")
        found: list[tuple[str, int | None, str]] = []
        for value in values[:_MOST_NAMED]:
            line = self._line_with(value, start)
            found.append((value, line, f"{label}: {value}"))
        return tuple(found)

    def _line_with(self, value: str, start: int | None) -> int | None:
        if start is None:
            return None
        for number in range(start, len(self._lines) + 2):
            line = self._lines[number - 2]
            if number > start and re.match(r"\w", line):
                break
            if re.search(rf"(?<![A-Za-z0-9-]){re.escape(value)}(?![A-Za-z0-9-])", line):
                return number
        return start
