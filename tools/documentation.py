"""The tool `check_documentation`: what a model's card says, leaves open, and whether its files bear it out."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.card_claims import Claim, find_claims, languages_of
from tools.card_sections import LIMITATIONS, CardSection, completeness, find_sections, gaps_by_weight
from tools.fetching import local_commit
from tools.file_safety.file_view import FileView
from tools.front_matter import BadFrontMatter, parse_front_matter, split_card
from tools.license import LicenceFinding, compare_licence, licence_file
from tools.locating import ModelLocation, locate_model
from tools.model_facts import read_facts
from tools.model_sources import ModelSources

__all__ = ["CardSection", "Claim", "DocumentationCheck", "check_documentation"]

_MAX_CARD_BYTES = 2_000_000
_MAX_CARD_LINES = 20_000
_NEEDS_JAPANESE = re.compile(r"日本語|[\u3041-\u30ff]|japanese", re.IGNORECASE)
_AFFECTS_PEOPLE = re.compile(
    r"customer|patient|medical|health|hiring|recruit|credit|loan|legal|child|student|insurance|顧客|患者|医療|採用|与信|融資|法務|子ども|学生|保険|人事",
    re.IGNORECASE,
)


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
    """What is missing and matters most, for the use case when one was given; absent when nothing is missing."""
    not_checked: tuple[str, ...]
    """What this check cannot tell, one sentence each."""


def check_documentation(
    model: str,
    use_case: str | None = None,
    *,
    revision: str | None = None,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> DocumentationCheck:
    """Read a model's card: which sections are filled, which claims the files confirm or contradict, and the licence.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path such as `./models/x`.
        use_case: What the model is meant for, in the user's words; decides which gap matters most.
        revision: Branch, tag or commit; the newest of the main branch when absent.
        sources: Where models may come from.

    Returns:
        Sections with quoted lines, claims with facts, licence, a score from 0 to 1, and the most important gap.
    """
    location = locate_model(model, revision, sources=sources)
    names = [entry.name for entry in location.view.entries if entry.trouble is None]
    card_file = next((name for name in names if name.casefold() in {"readme.md", "readme.txt", "readme"}), None)
    text = _read_text(location.view, card_file)
    block, body, lines_before = split_card(text)
    front_matter, trouble = _front_matter(block)
    sections = find_sections(body, lines_before + 1)
    text_file = licence_file(names)
    licence = compare_licence(front_matter, text_file, _read_text(location.view, text_file))
    lines = list(enumerate(body.split("\n")[:_MAX_CARD_LINES], start=lines_before + 1))
    facts = read_facts(location.view)
    return DocumentationCheck(
        model=location.reference.canonical,
        commit=_commit(location),
        card_file=card_file,
        sections=sections,
        claims=find_claims(lines, front_matter, facts, licence, location.view),
        licence=licence,
        score=completeness(sections),
        most_important_gap=_gap(card_file, sections, licence, languages_of(front_matter), use_case or ""),
        not_checked=_not_checked(trouble),
    )


def _commit(location: ModelLocation) -> str:
    return location.commit if location.commit is not None else local_commit(location)


def _read_text(view: FileView, name: str | None) -> str:
    if name is None:
        return ""
    size = next(entry.size_bytes for entry in view.entries if entry.name == name)
    return view.read(name, 0, min(size, _MAX_CARD_BYTES)).decode("utf-8", "replace").replace("\r\n", "\n")


def _front_matter(block: str) -> tuple[dict[str, Any], str | None]:
    try:
        return parse_front_matter(block), None
    except BadFrontMatter as error:
        return (
            {},
            f"The card's front matter {error}, so its licence tag, languages and base model were not read (rule T07).",
        )


def _gap(
    card_file: str | None,
    sections: tuple[CardSection, ...],
    licence: LicenceFinding,
    languages: tuple[str, ...],
    use_case: str,
) -> str | None:
    if card_file is None:
        return "The whole card: the model has none"
    if licence.agreement == "none":
        return "Licence: neither card nor files name one"
    gaps = gaps_by_weight(sections)
    if LIMITATIONS in gaps and _AFFECTS_PEOPLE.search(use_case):
        return LIMITATIONS
    if _NEEDS_JAPANESE.search(use_case) and not {"ja", "jpn", "japanese", "multilingual"} & {
        each.casefold() for each in languages
    }:
        return "Languages: the card does not name Japanese, which the use case needs"
    return gaps[0] if gaps else None


def _not_checked(trouble: str | None) -> tuple[str, ...]:
    said = (
        "Whether what the card says about training, data and results is true: the files cannot show it.",
        "Terms of the training data and of the base model.",
    )
    return said if trouble is None else (trouble, *said)
