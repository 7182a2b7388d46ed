"""Claims about where a model comes from: its base model and its licence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.cards.claim import Claim, claim_of
from tools.cards.licence_names import is_same_licence, licence_named
from tools.cards.text import Statement
from tools.license import LicenceFinding
from tools.model_facts import Fact, ModelFacts

_ID = r"([a-z0-9][\w.-]{0,95}/[a-z0-9][\w.-]{0,95})"
_BASED_ON = re.compile(
    rf"(?:base[ _]models?|based on|built (?:up)?on|(?:adapter|lora|peft)\b.{{0,24}}?\b(?:for|on|of)|on top of|backbone|"
    rf"fine-?tun(?:ed?|ing)\b|parent model|derived from|initiali[sz]ed|starting point|starts? from|pruned from|distilled from|"
    rf"(?:ベース|元|もと|基盤)(?:の)?モデル|ベースに|派生元).{{0,40}}?{_ID}"
)
_TAKEN = re.compile(rf"{_ID}.{{0,12}}?(?:を(?:ベース|元|基|もと|ファインチューニング)|から(?:派生|作成))")
_SAME_AS = r"\bsame (?:architecture|size|structure|config(?:uration)?) as\b|と同じ(?:構成|構造|サイズ|アーキテクチャ)"
_OF_BASE = r"\bbase(?: model)?\b|\bupstream\b|\boriginal\b|ベース|元(?:の)?モデル"
_ONLY_STARTED = re.compile(r"initiali[sz]ed|starting point|distill|pruned")


def _base_in(said: Statement) -> re.Match[str] | None:
    if "/" not in said.text:
        return None
    return _BASED_ON.search(said.small) or _TAKEN.search(said.small)


def gives_own_sizes(said: Statement) -> bool:
    """Whether the figures of a statement are the model's own: it names no other, or the one whose sizes it shares."""
    if said.names_another and not re.search(_SAME_AS, said.small):
        return _base_in(said) is not None and not _ONLY_STARTED.search(said.small)
    return True


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
        match = _base_in(said)
        if match is not None:
            holds = _same_base(match.group(1), facts, own_names)
            yield claim_of("base_model", *said.at(match.start(1)), facts.base_name, holds)


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


def licence_claims(
    statements: tuple[Statement, ...], facts: ModelFacts, licence: LicenceFinding, line: int | None
) -> Iterator[Claim]:
    """The licence tag, and what the card says in words, against the licence text.

    Args:
        statements: What the card says of the model itself.
        facts: What the files say.
        licence: The comparison of tag and text.
        line: Line of the tag in the card.

    Yields:
        The claims.
    """
    said_by_text = licence.text_spdx or "a text that is not recognised"
    fact = Fact(value=said_by_text, file=licence.text_file) if licence.text_file else None
    if licence.tag is not None:
        holds = {"agrees": True, "differs": False}.get(licence.agreement)
        yield claim_of("licence", line, f"license: {licence.tag}", fact, holds)
    if licence.text_spdx is None:
        return
    for said in statements:
        if said.names_another or (re.search(_OF_BASE, said.small) and not facts.is_adapter):
            continue
        named = licence_named(said.small)
        if named is not None:
            yield claim_of("licence", *said.at(named[1]), fact, is_same_licence(named[0], licence.text_spdx))
