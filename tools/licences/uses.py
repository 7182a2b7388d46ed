"""Answers whether the licences of a lineage allow a use: yes, no or unclear, with the reason. Never legal advice."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.licences.lineage import LineageLicence
from tools.licences.terms import LicenceTerms, TermKind, licence_by_tag
from tools.licences.wording import say_term

Use = Literal["commercial_product", "internal_use", "redistribution", "fine_tuning", "hosting"]
Answer = Literal["yes", "no", "unclear"]
USES: tuple[Use, ...] = ("commercial_product", "internal_use", "redistribution", "fine_tuning", "hosting")
"""Every use that is answered, in the order of the answers."""

_WORDS: dict[Use, re.Pattern[str]] = {
    "commercial_product": re.compile(
        r"\bcommercial(?:ly)?\b|\bproducts?\b|\bcustomers?\b|\bsell|\bfor sale|\bpaid\b|\bclients?\b|\bour app\b|商用|"
        r"製品|商品|顧客|販売|有料|お客|課金", re.I,
    ),
    "internal_use": re.compile(
        r"\binternal(?:ly)?\b|\bin-house\b|\bintranet\b|\bemployees?\b|\bstaff\b|\bback office\b|\bown (?:team|use|"
        r"documents)\b|社内|内部|従業員|社員|業務効率|自社", re.I,
    ),
    "redistribution": re.compile(
        r"\bredistribut|\bdistribut|\bship(?:s|ped|ping)?\b|\bbundle|\bon[- ]device\b|\bembedded\b|\bpublish|"
        r"\bpass(?:ing)? (?:it )?on\b|再配布|配布|同梱|組み込|端末|公開する|オンデバイス", re.I,
    ),
    "fine_tuning": re.compile(
        r"\bfine-?tun|\bretrain|\badapt(?:ing|ation)?\b|\blora\b|\bdistil|\btrain(?:ing)? (?:it|on our)|ファインチューニング|"
        r"微調整|追加学習|再学習|蒸留|転移学習", re.I,
    ),
    "hosting": re.compile(
        r"\bhost(?:ed|ing)?\b|\bsaas\b|\bas a service\b|\bapi\b|\bweb service\b|\bpublic (?:web)?site\b|"
        r"\bonline service\b|ホスティング|サービスとして|サービス提供|API|ウェブサービス|Webサービス|クラウド", re.I,
    ),
}  # fmt: skip
_FORBIDS: dict[Use, frozenset[TermKind]] = {
    "commercial_product": frozenset({"research_only", "non_commercial"}),
    "hosting": frozenset({"research_only", "non_commercial"}),
    "internal_use": frozenset({"research_only"}),
    "redistribution": frozenset(),
    "fine_tuning": frozenset(),
}
_DEPENDS: dict[Use, frozenset[TermKind]] = {
    "commercial_product": frozenset({"revenue_cap", "no_competing"}),
    "hosting": frozenset({"revenue_cap", "no_competing", "network_share"}),
    "internal_use": frozenset({"non_commercial", "revenue_cap"}),
    "redistribution": frozenset({"research_only", "non_commercial", "no_competing"}),
    "fine_tuning": frozenset({"research_only", "non_commercial", "no_derivatives"}),
}
_ORDER: dict[Answer, int] = {"no": 0, "unclear": 1, "yes": 2}


class UseAnswer(BaseModel):
    """Whether one use is allowed, as far as the texts show; not legal advice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: Use
    """The use."""
    answer: Answer
    """yes: allowed when duties are kept · no: a term forbids it · unclear: it depends, or a licence is not known."""
    reason: str
    """Why, in one or two sentences."""
    stated: bool
    """Whether the use case that was given speaks of this use."""


def stated_uses(use_case: str | None) -> frozenset[Use]:
    """The uses that a use case speaks of, in English or Japanese."""
    return frozenset(use for use, words in _WORDS.items() if words.search(use_case or ""))


def answer_uses(
    lineage: tuple[LineageLicence, ...], use_case: str | None, doubt: tuple[Answer, str] | None = None
) -> tuple[UseAnswer, ...]:
    """Answer every use over the whole lineage.

    Args:
        lineage: The licences of model, base models and datasets; the model first.
        use_case: What the model is meant for, in the user's words.
        doubt: What follows when the model's own licence cannot be relied on, and why.

    Returns:
        An answer for each use, those that were stated first.
    """
    stated = stated_uses(use_case)
    answers = [_answer(use, lineage, doubt, stated=use in stated) for use in USES]
    return tuple(sorted(answers, key=lambda each: not each.stated))


def _answer(
    use: Use, lineage: tuple[LineageLicence, ...], doubt: tuple[Answer, str] | None, *, stated: bool
) -> UseAnswer:
    told = [_part_answer(use, part) for part in lineage if part.role != "dataset" or part.spdx is not None]
    if doubt is not None:
        told.insert(0, doubt)
    answer, reason = min(told, key=lambda each: _ORDER[each[0]])
    return UseAnswer(use=use, answer=answer, reason=reason, stated=stated)


def _part_answer(use: Use, part: LineageLicence) -> tuple[Answer, str]:
    licence = licence_by_tag(part.spdx)
    if part.spdx is None or licence is None:
        if part.role == "model":
            return "unclear", "The model's own licence is not known here."
        return "unclear", f"The licence of `{part.name}`, which it was made from, is not known."
    if (term := licence.has(*_FORBIDS[use])) is not None:
        answer: Answer = (
            "no" if part.role != "dataset" else "unclear"
        )  # whether a model inherits its data's terms is disputed
        return answer, f"{licence.spdx} of `{part.name}`, section {term.section}: {say_term(term)}"
    if (term := licence.has(*_DEPENDS[use])) is not None:
        return "unclear", f"{licence.spdx} of `{part.name}`, section {term.section}: {say_term(term)}"
    return "yes", _allowed(licence)


def _allowed(licence: LicenceTerms) -> str:
    if licence.terms:
        return f"{licence.spdx} allows it, provided that the duties listed are kept."
    return f"{licence.spdx} allows it without conditions."
