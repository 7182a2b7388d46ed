"""The tool `check_documentation`: what a model's card says and leaves open, and whether its files bear it out."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.cards.blocks import cut_blocks
from tools.cards.claims import Claim, find_claims, languages_of
from tools.cards.gap import most_important_gap
from tools.cards.needs import CardNeed, needs_of, use_score
from tools.cards.sections import CardSection, completeness, find_sections
from tools.file_safety.file_view import FileView
from tools.file_safety.inspected import Inspected
from tools.front_matter import BadFrontMatter, parse_front_matter, split_card
from tools.licences.lineage import (
    base_licences,
    card_file,
    dataset_licences,
    licence_files,
    named_bases,
    read_text,
)
from tools.licences.recognition import recognise_licence
from tools.license import LicenceFinding, compare_licence
from tools.located_files import local_commit
from tools.locating import ModelLocation, locate_model
from tools.model_facts import FileFact, ModelFacts, file_facts, read_facts
from tools.model_sources import ModelSources

__all__ = ["CardNeed", "CardSection", "Claim", "DocumentationCheck", "check_documentation"]

_MAX_CARD_CHARACTERS = 500_000
_MAX_CARD_LINES = 10_000


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
    """Licence tag against licence text, duties, lineage, and whether the use is allowed."""
    score: float
    """Weighted share of the template's sections that are filled, 0 to 1."""
    most_important_gap: str | None
    """What is missing and matters most, for the use case when one was given; absent when nothing is missing."""
    gap_reason: str | None = None
    """Why that gap matters most; absent when nothing is missing."""
    use_case: str | None = None
    """The intended use, as it was given; absent when none was."""
    use_score: float | None = None
    """Share of what the intended use asks for that the card says, 0 to 1; absent without a use case."""
    needs: tuple[CardNeed, ...] = ()
    """What the intended use needs to read in the card, found or not; none without a use case."""
    facts: tuple[FileFact, ...] = ()
    """What the files say about the model, for a draft of the missing documentation."""
    not_checked: tuple[str, ...]
    """What this check cannot tell, one sentence each."""


def check_documentation(
    model: str,
    use_case: str | None = None,
    *,
    revision: str | None = None,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
    licence_allow_list: tuple[str, ...] = (),
) -> DocumentationCheck:
    """Read a model's card: which sections are filled, which claims the files confirm or contradict, and the licence.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path such as `./models/x`.
        use_case: What the model is meant for, in the user's words; decides what counts and which uses are answered.
        revision: Branch, tag or commit; the newest of the main branch when absent.
        sources: Where models may come from.
        licence_allow_list: SPDX identifiers that the team has allowed.

    Returns:
        Sections with quoted lines, claims with facts, licence, a score from 0 to 1, and the most important gap.
    """
    location = locate_model(model, revision, sources=sources)
    files = Inspected(location.view)
    name = card_file(list(files.plain))
    text = read_text(location.view, name)
    block, body, lines_before = split_card(text)
    front_matter, trouble = _front_matter(block)
    length = len(body)
    body = "\n".join(body[:_MAX_CARD_CHARACTERS].split("\n")[:_MAX_CARD_LINES])
    cut = length - len(body)
    blocks = cut_blocks(body, lines_before + 1)
    sections = find_sections(blocks)
    facts = read_facts(files)
    licence = _licence(location, front_matter, facts, sources, use_case, licence_allow_list)
    languages = languages_of(front_matter)
    needs = needs_of(use_case, text[: len(text) - cut], len(text) - len(body) - cut, languages)
    gap, reason = most_important_gap(name, sections, licence, needs, use_case)
    return DocumentationCheck(
        model=location.reference.canonical,
        commit=_commit(location),
        card_file=name,
        sections=sections,
        claims=find_claims(blocks, block, front_matter, licence, files, facts, (location.reference.name, model)),
        licence=licence,
        score=completeness(sections),
        most_important_gap=gap,
        gap_reason=reason,
        use_case=use_case,
        use_score=use_score(sections, needs, use_case) if use_case else None,
        needs=needs,
        facts=file_facts(facts, languages),
        not_checked=_not_checked(trouble, licence),
    )


def _commit(location: ModelLocation) -> str:
    return location.commit if location.commit is not None else local_commit(location)


def _front_matter(block: str) -> tuple[dict[str, Any], str | None]:
    try:
        return parse_front_matter(block), None
    except BadFrontMatter as error:
        return (
            {},
            f"The card's front matter {error}, so its licence tag, languages and base model were not read (rule T07).",
        )


def _licence(
    location: ModelLocation,
    front_matter: dict[str, Any],
    facts: ModelFacts,
    sources: ModelSources,
    use_case: str | None,
    allow_list: tuple[str, ...],
) -> LicenceFinding:
    """The licence of the model and of what its card and config say that it was made from."""
    file, text = _licence_text(location.view)
    bases = named_bases(front_matter)
    if facts.is_adapter and facts.base_name is not None:
        bases = (str(facts.base_name.value), *bases)
    lineage = (
        *base_licences(bases, sources, ask_hub=location.source == "hub"),
        *dataset_licences(front_matter, sources),
    )
    name = location.reference.name
    return compare_licence(
        front_matter, file, text, name=name, lineage=lineage, use_case=use_case, allow_list=allow_list
    )


def _licence_text(view: FileView) -> tuple[str | None, str]:
    """The licence file whose text is recognised, else the likeliest by its name."""
    read: list[tuple[str, str]] = []
    for name in licence_files(
        [entry.name for entry in view.entries if entry.trouble is None and "/" not in entry.name]
    ):
        read.append((name, read_text(view, name)))
        if recognise_licence(read[-1][1]) is not None:
            return read[-1]
    return read[0] if read else (None, "")


def _not_checked(trouble: str | None, licence: LicenceFinding) -> tuple[str, ...]:
    unknown = [part for part in licence.lineage if part.role != "model" and part.spdx is None]
    said = ["Whether what the card says about training, data and results is true: the files cannot show it."]
    if unknown:
        names = ", ".join(f"`{part.name}`" for part in unknown[:3])
        said.append(
            f"Terms of what it was made from ({len(unknown)}), such as {names}: their licences are not at hand."
        )
    elif len(licence.lineage) == 1:
        said.append("Terms of the training data and of the base model: the card names neither in its front matter.")
    said.append("Whether the licence answers are right for you: they are read from texts and are not legal advice.")
    return tuple(said) if trouble is None else (trouble, *said)
