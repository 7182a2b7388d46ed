"""Reads cards of our own: each marker `[[topic|true|planted]]` makes one true and one false claim.

A true value that begins with `?` is one that files cannot confirm, so that nothing is expected of it; a marker with one
value is true in either card. The kind of model
that a card describes is the part of its name before `--`.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.tools.cards import card_models
from tests.tools.cards_by_others import real_sizes
from tools.documentation import Claim, check_documentation
from tools.licences.terms import licence_text
from tools.model_sources import ModelSources

_TESTS = Path(__file__).parent.parent
_FOLDERS = {
    "tuned": _TESTS / "cards" / "tuned",
    "unseen": _TESTS / "cards" / "unseen",
    "others": _TESTS / "cards_by_others" / "cards",
    "held_out": _TESTS / "cards_by_others" / "cards",
}
_FIRST_OF_EVERY_TWO = {"others": 0, "held_out": 1}
_KINDS = card_models.KINDS | real_sizes.KINDS
_MARKER = re.compile(r"\[\[(\w+)\|([^\]|]+)(?:\|([^\]|]+))?\]\]")
_LICENCES = {
    "embedder": "Apache-2.0", "decoder": "Apache-2.0", "classifier": "MIT", "tagger": "CC-BY-SA-4.0", "multilingual": "MIT",
    "adapter": "LicenseRef-Llama-3.1", "japanese_decoder": "Apache-2.0", **real_sizes.LICENCES,
}  # fmt: skip
"""The licence text that lies beside each kind of model; none beside the others."""
Place = tuple[str, int]
"""Topic of a claim and its line."""


class Planted(NamedTuple):
    """One card, as it is true or with false values in it."""

    card: Path
    false: bool
    expected: Counter[Place]
    """How many claims are to be confirmed (in a true card) or contradicted (in a false one), by place."""
    claims: tuple[Claim, ...]
    """What was found."""

    def found(self, verdict: str) -> Counter[Place]:
        """Claims with this verdict, by place."""
        return Counter((each.topic, each.claim_line or 0) for each in self.claims if each.verdict == verdict)


def cards_of(name: str) -> list[Path]:
    """The cards of one set: `tuned`, `unseen`, `others` or `held_out`; the last two are every second one of one folder."""
    cards = sorted(_FOLDERS[name].glob("*.md"))
    return cards[_FIRST_OF_EVERY_TWO[name] :: 2] if name in _FIRST_OF_EVERY_TWO else cards


def check_planted(card: Path, folder: Path) -> tuple[Planted, Planted]:
    """Write the card beside a model of its kind and have it checked, first true, then with the false values.

    Args:
        card: A card with markers.
        folder: A folder; the model stands in it under the card's own name while it is checked.

    Returns:
        What was expected and what was found, of both cards.
    """
    kind, _, name = card.stem.partition("--")
    model = folder / name
    model.mkdir(parents=True)
    _KINDS[kind](model)
    if (text := licence_text(_LICENCES.get(kind, ""))) is not None:
        (model / "LICENSE").write_text(text, encoding="utf-8")
    source = card.read_text(encoding="utf-8")
    both = (_check(card, source, model, false=False), _check(card, source, model, false=True))
    shutil.rmtree(model)  # models of real sizes keep room on the disk
    return both


def _check(card: Path, source: str, model: Path, *, false: bool) -> Planted:
    written = _MARKER.sub(lambda m: m[3] if false and m[3] else m[2].removeprefix("?"), source)
    (model / "README.md").write_text(written, encoding="utf-8")
    check = check_documentation(str(model), sources=ModelSources(offline=True))
    return Planted(card, false, _expected(source, false=false), check.claims)


def _expected(source: str, *, false: bool) -> Counter[Place]:
    return Counter(
        (found[1], number)
        for number, line in enumerate(source.split("\n"), start=1)
        for found in _MARKER.finditer(line)
        if (found[3] if false else not found[2].startswith("?"))
    )
