"""What a model's licence is and asks for: tag against text, duties, lineage, and whether a use is allowed."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.licences.lineage import (
    LineageLicence,
    StrictestTerm,
    as_name,
    licence_files,
    licence_tag,
    strictest_term,
)
from tools.licences.recognition import RecognisedLicence, recognise_licence
from tools.licences.terms import STRICTNESS, LicenceTerms, TermKind, licence_by_tag
from tools.licences.uses import Answer, UseAnswer, answer_uses
from tools.licences.wording import say_term

Agreement = Literal["agrees", "differs", "tag_only", "text_only", "none"]
_RESTRICTED = (
    "It restricts use (for example commercial use, redistribution or fields of use): have it read before any pilot."
)
_PERMISSIVE = "It allows commercial use; keep the notice with every copy."
_NARROW_NAME = re.compile(r"non-?commercial|\bnc\b|research|academic", re.IGNORECASE)
_SEVERAL = re.compile(r"\s*(?:,|/|\bor\b|\band\b)\s*", re.IGNORECASE)


class Obligation(BaseModel):
    """One duty or limit of a licence, with the words that say so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TermKind
    """Which kind of duty or limit it is."""
    says: str
    """What it means, in one sentence."""
    spdx: str
    """The licence that has it."""
    section: str
    """Where the licence says so."""
    quote: str
    """The licence's own words; empty where they are not at hand."""
    source: str
    """The model's licence file when it has these words, else the address of the publisher's text."""


class LicenceFinding(BaseModel):
    """The licence of a model: tag against text, duties, lineage, and answers for uses. Not legal advice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str | None
    """The `license` field of the card's front matter, as written; absent when there is none. Untrusted text."""
    text_file: str | None
    """Name of the licence file; absent when there is none."""
    spdx: str | None
    """SPDX identifier, or `LicenseRef-` and a name, of the text, or else of the tag; absent when not known."""
    agreement: Agreement
    """Whether tag and text say the same; the one that is not recognised counts as not there, and the note says so."""
    permissive: bool | None
    """True when commercial use and change are allowed with little more than attribution; absent when not known."""
    note: str
    """What the reader should do or know, one or two sentences; never legal advice."""
    text_spdx: str | None = None
    """What the text alone is; absent when there is none or it is not recognised."""
    text_modified: bool = False
    """Whether the text differs from that licence in words that can change what is allowed."""
    text_changes: tuple[str, ...] = ()
    """Lines with words that the licence does not have, then passages it lacks, quoted. Untrusted text."""
    obligations: tuple[Obligation, ...] = ()
    """What the licences of model and base models ask for, the strictest first."""
    lineage: tuple[LineageLicence, ...] = ()
    """The model, its base models and its datasets, each with its licence as far as known."""
    strictest: StrictestTerm | None = None
    """The strictest term over the lineage; absent when no licence with terms is known."""
    uses: tuple[UseAnswer, ...] = ()
    """Whether each use is allowed; those that the use case speaks of first."""
    on_allow_list: bool | None = None
    """Whether every known licence of model and base models is on the team's list; absent without a list."""


def licence_file(names: list[str]) -> str | None:
    """The likeliest licence text among the names of a model's files; None when there is none."""
    return next(iter(licence_files(names)), None)


def compare_licence(
    front_matter: dict[str, Any],
    text_file: str | None,
    text: str,
    *,
    name: str = "this model",
    lineage: tuple[LineageLicence, ...] = (),
    use_case: str | None = None,
    allow_list: tuple[str, ...] = (),
) -> LicenceFinding:
    """Compare the card's licence tag with the licence text, and answer for the stated use.

    Args:
        front_matter: The card's parsed front matter.
        text_file: Name of the licence file, when there is one.
        text: Its content.
        name: How the model is called.
        lineage: Licences of base models and datasets.
        use_case: What the model is meant for, in the user's words.
        allow_list: SPDX identifiers that the team has allowed.

    Returns:
        The finding.
    """
    tag = licence_tag(front_matter)
    recognised = recognise_licence(text) if text_file is not None else None
    from_text = licence_by_tag(recognised.spdx) if recognised is not None else None
    from_tag = _by_tag(tag, from_text)
    known = from_text or from_tag
    modified = recognised is not None and recognised.modified
    own = LineageLicence(
        role="model", name=as_name(name), spdx=known.spdx if known else None,
        known_from=None if known is None else "licence text" if from_text else "card tag",
    )  # fmt: skip
    everything = (own, *lineage)
    agreement = _agreement(tag, text_file, from_tag, from_text)
    return LicenceFinding(
        tag=tag[:100] if tag is not None else None,
        text_file=text_file,
        spdx=own.spdx,
        agreement=agreement,
        permissive=None if modified else _permissive(from_tag, from_text),
        note=_note(tag, text_file, from_tag, from_text, recognised),
        text_spdx=from_text.spdx if from_text is not None else None,
        text_modified=modified,
        text_changes=(*recognised.added, *recognised.removed)[:6] if recognised is not None else (),
        obligations=_obligations(everything, text_file, text),
        lineage=everything,
        strictest=strictest_term(everything),
        uses=answer_uses(everything, use_case, _doubt(tag, agreement, text_file, recognised, known)),
        on_allow_list=_on_list(everything, allow_list, modified=modified),
    )


def _by_tag(tag: str | None, from_text: LicenceTerms | None) -> LicenceTerms | None:
    """The tag's licence; of several the one whose text is there, else the strictest."""
    whole = licence_by_tag(tag)
    if whole is not None or tag is None:
        return whole
    several = [licence_by_tag(each) for each in _SEVERAL.split(tag)]
    known = [each for each in several if each is not None]
    if len(known) != len(several):
        return None
    return next((each for each in known if each == from_text), known[0] if all(k.permissive for k in known) else None)


def _agreement(
    tag: str | None, text_file: str | None, from_tag: LicenceTerms | None, from_text: LicenceTerms | None
) -> Agreement:
    if text_file is None:
        return "tag_only" if tag is not None else "none"
    if tag is None:
        return "text_only"
    if from_text is None or from_tag is None:
        return "tag_only" if from_tag is not None else "text_only"
    return "agrees" if from_text.spdx == from_tag.spdx else "differs"


def _permissive(from_tag: LicenceTerms | None, from_text: LicenceTerms | None) -> bool | None:
    found = [each for each in (from_tag, from_text) if each is not None]
    return all(each.permissive for each in found) if found else None


def _doubt(
    tag: str | None,
    agreement: Agreement,
    text_file: str | None,
    recognised: RecognisedLicence | None,
    known: LicenceTerms | None,
) -> tuple[Answer, str] | None:
    """Why the model's own licence cannot be relied on, and what follows; None when it can."""
    if agreement == "none":
        return "no", "No licence is stated; without one nobody has leave to use the model."
    if agreement == "differs":
        return "unclear", "Card and licence text name different licences."
    if recognised is not None and recognised.modified:
        return "unclear", "The licence text was changed from the original; its own words decide."
    if text_file is not None and recognised is None:
        return "unclear", "The licence text beside the model is not one known here."
    if known is None and _NARROW_NAME.search(tag or ""):
        return "unclear", "The name of its licence speaks of non-commercial use or research: its text decides."
    return None


def _obligations(lineage: tuple[LineageLicence, ...], text_file: str | None, text: str) -> tuple[Obligation, ...]:
    """Duties of the model and its base models; those of datasets bind whoever passes the data on."""
    plain = _plain(text)
    found: dict[tuple[str, str, str], Obligation] = {}
    licences = [licence_by_tag(part.spdx) for part in lineage if part.role != "dataset"]
    for licence in dict.fromkeys(each for each in licences if each is not None):
        for term in licence.terms:
            has_words = text_file is not None and bool(term.quote) and _plain(term.quote) in plain
            found[licence.spdx, term.kind, term.section] = Obligation(
                kind=term.kind, says=say_term(term), spdx=licence.spdx, section=term.section, quote=term.quote,
                source=text_file if has_words and text_file is not None else licence.source,
            )  # fmt: skip
    return tuple(sorted(found.values(), key=lambda each: -STRICTNESS[each.kind]))


def _plain(text: str) -> str:
    return " ".join(text[:200_000].replace("“", '"').replace("”", '"').replace("’", "'").split())


def _on_list(lineage: tuple[LineageLicence, ...], allow_list: tuple[str, ...], *, modified: bool) -> bool | None:
    if not allow_list:
        return None
    allowed = {each.strip().casefold() for each in allow_list}
    needed = [part.spdx for part in lineage if part.role != "dataset"]
    return not modified and all(spdx is not None and spdx.casefold() in allowed for spdx in needed)


def _note(
    tag: str | None,
    text_file: str | None,
    from_tag: LicenceTerms | None,
    from_text: LicenceTerms | None,
    recognised: RecognisedLicence | None,
) -> str:
    if tag is None and text_file is None:
        return (
            "Neither card nor files name a licence: without one nobody may use the model. Ask the publisher in writing."
        )
    if from_text is not None and recognised is not None and recognised.modified:
        return (
            f"The text resembles {from_text.spdx}, but words were added or left out: "
            "it is a licence of its own. Have it read."
        )
    if from_tag is not None and from_text is not None and from_tag.spdx != from_text.spdx:
        return f"The card says {from_tag.spdx}, the text beside it is {from_text.spdx}: ask the publisher which holds."
    known = from_text or from_tag
    if known is None:
        return "It is not a licence known here: have its text read before any pilot."
    first = _PERMISSIVE if known.permissive else _RESTRICTED
    if text_file is None:
        return f"{first} Only the card names it; the licence text is not among the files."
    if from_text is None:
        return f"{first} The text in `{text_file}` was not recognised: have it read."
    if recognised is not None and not recognised.compared:
        return f"{first} `{text_file}` only names the licence; its text is not among the files."
    return f"{first} The data and the base model may carry other terms."
