"""What each known licence asks for, read from the table beside this file."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

TermKind = Literal[
    "research_only", "non_commercial", "no_derivatives", "revenue_cap", "no_competing", "network_share", "share_alike",
    "no_training_others", "acceptable_use", "use_restrictions", "pass_on_restrictions", "user_cap", "naming_model", "naming_product",
    "attribution", "state_changes", "keep_notice", "give_licence", "no_endorsement", "patent",
]  # fmt: skip
STRICTNESS: dict[TermKind, int] = {
    "research_only": 90, "non_commercial": 80, "no_derivatives": 70, "revenue_cap": 65, "no_competing": 62, "network_share": 60,
    "share_alike": 55, "no_training_others": 50, "acceptable_use": 45, "use_restrictions": 45, "pass_on_restrictions": 42,
    "user_cap": 40, "naming_model": 30, "naming_product": 28, "attribution": 20, "state_changes": 18, "keep_notice": 15,
    "give_licence": 14, "no_endorsement": 12, "patent": 10,
}  # fmt: skip
"""How much a term takes away from a company that builds on a model; the largest is the strictest."""
_TEXTS = Path(__file__).with_name("texts")


class Term(BaseModel):
    """One thing that a licence asks for or forbids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TermKind
    """Which kind of duty or limit it is."""
    section: str
    """Where the licence says so, such as `4(a)`."""
    amount: str = ""
    """The number of users or dollars, or the words to display; empty where there is none."""
    quote: str = ""
    """The licence's own words; empty where they are not quoted."""


class LicenceTerms(BaseModel):
    """One licence of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spdx: str
    """SPDX identifier, or `LicenseRef-` and a name."""
    tags: tuple[str, ...]
    """How cards name it, in small letters."""
    family: Literal["permissive", "public domain", "copyleft", "restricted"]
    """How much it allows, in one word."""
    source: str
    """Address where the publisher keeps the text."""
    dated: str
    """Date of that version of the text."""
    phrases: tuple[str, ...]
    """Runs of words that its text contains; all words small, without punctuation."""
    terms: tuple[Term, ...]
    """What it asks for."""
    published_as: tuple[str, ...] = ()
    """How ids of models begin whose publisher uses it."""
    appendix: str = ""
    """Words that begin a part of the text that may be left out."""

    @property
    def permissive(self) -> bool:
        """Whether it allows commercial use and change with little more than attribution."""
        return self.family in {"permissive", "public domain"}

    def has(self, *kinds: TermKind) -> Term | None:
        """The first term of one of these kinds."""
        return next((term for term in self.terms if term.kind in kinds), None)

    @property
    def strictest(self) -> Term | None:
        """The term that takes away most; None in the public domain."""
        return max(self.terms, key=lambda term: STRICTNESS[term.kind], default=None)


@cache
def all_licences() -> tuple[LicenceTerms, ...]:
    """The whole table."""
    return tuple(LicenceTerms.model_validate(each) for each in _table()["licences"])


@cache
def table_date() -> dt.date:
    """When the table was last compared with the texts."""
    return _table()["date"]


def licence_by_tag(tag: str | None) -> LicenceTerms | None:
    """The licence that a card's tag or an SPDX identifier stands for; None when it is not in the table."""
    wanted = (tag or "").strip().casefold()
    return next((each for each in all_licences() if wanted and wanted in (*each.tags, each.spdx.casefold())), None)


def licence_by_id(model: str) -> LicenceTerms | None:
    """The licence that a publisher uses for models whose ids begin like this one; None when that is not known."""
    wanted = model.casefold()
    return next(
        (each for each in all_licences() if any(wanted.startswith(p.casefold()) for p in each.published_as)), None
    )


@cache
def licence_text(spdx: str) -> str | None:
    """The text of a licence; None where it does not come with the table."""
    file = _TEXTS / f"{spdx}.txt"
    return file.read_text(encoding="utf-8") if file.is_file() else None


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("terms.toml").read_text(encoding="utf-8"))
