"""Claims about where a model comes from: its base model and its licence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.text import Statement
from tools.license import LicenceFinding
from tools.model_facts import Fact, ModelFacts

_ID = r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
_BASED_ON = re.compile(
    rf"(?:base[ _]models?|based on|built on|(?:adapter|lora|peft)\b.{{0,24}}?\b(?:for|on|of)|on top of|backbone|"
    rf"fine-?tun(?:ed|ing)(?: version)?(?: from| of| on)?|derived from|"
    rf"ベースモデル|元のモデル|基盤モデル|ベースに|派生元).{{0,40}}?{_ID}|{_ID}.{{0,12}}?(?:を(?:ベース|元|基|ファインチューニング)|から(?:派生|作成))",
    re.IGNORECASE,
)


def names_base(said: Statement) -> bool:
    """Whether a statement says what the model was made from, whose sizes are its own as a rule."""
    return "/" in said.text and _BASED_ON.search(said.text) is not None


def base_claims(
    statements: tuple[Statement, ...],
    named: tuple[tuple[str, int | None, str], ...],
    facts: ModelFacts,
    own_names: tuple[str, ...],
) -> Iterator[Claim]:
    """Claims about the base model.

    Args:
        statements: What the card says of the model itself.
        named: Base models of the front matter, each with its line and that line's text.
        facts: What the files say.
        own_names: Names of this model: a config may name the model itself.

    Yields:
        The claims.
    """
    for base, line, quote in named:
        yield claim_of("base_model", line, quote, facts.base_name, _same_base(base, facts, own_names))
    for said in statements:
        match = _BASED_ON.search(said.text)
        if match is not None and "/" in said.text:
            base = next(each for each in match.groups() if each)
            yield claim_of(
                "base_model",
                *said.at(match.start(match.lastindex or 0)),
                facts.base_name,
                _same_base(base, facts, own_names),
            )


def _same_base(claimed: str, facts: ModelFacts, own_names: tuple[str, ...]) -> bool | None:
    """Whether config and card name the same model; None when they differ as the steps of one derivation do."""
    if facts.base_name is None:
        return None
    recorded, said = (_last_part(str(each)) for each in (facts.base_name.value, claimed))
    if recorded == said:
        return True
    own = {_last_part(name) for name in own_names}
    if not facts.is_adapter and (recorded in own or recorded.startswith(said) or said.startswith(recorded)):
        return None
    return False


def _last_part(name: str) -> str:
    return name.strip("/. ").rpartition("/")[2].casefold()


def licence_claims(licence: LicenceFinding, line: int | None) -> Iterator[Claim]:
    """The licence tag against the licence text.

    Args:
        licence: The comparison.
        line: Line of the tag in the card.

    Yields:
        The claim, when there is a tag.
    """
    if licence.tag is None:
        return
    holds = {"agrees": True, "differs": False}.get(licence.agreement)
    said = licence.text_spdx or "a text that is not recognised"
    fact = Fact(value=said, file=licence.text_file) if licence.text_file else None
    yield claim_of("licence", line, f"license: {licence.tag}", fact, holds)
