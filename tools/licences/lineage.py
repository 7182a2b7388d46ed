"""The licences of everything a model is made of, and the strictest term among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.errors import ToolError
from tools.file_safety.file_view import FileView
from tools.front_matter import BadFrontMatter, front_matter_of, parse_front_matter, split_card
from tools.licences.recognition import recognise_licence
from tools.licences.terms import STRICTNESS, LicenceTerms, Term, TermKind, licence_by_id, licence_by_tag
from tools.licences.wording import say_term
from tools.locating import locate_model
from tools.model_sources import ModelSources

Role = Literal["model", "base_model", "dataset"]
KnownFrom = Literal["licence text", "card tag", "its publisher"]
MAX_TEXT_BYTES = 2_000_000
"""Longer cards and licence texts are read up to here."""
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_DATASET = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}")
_TEXT_NAME = re.compile(r"(?:LICEN[CS]E|COPYING|UNLICENSE)(?:[._-][\w.-]*)?\Z", re.IGNORECASE)
_CARD_NAMES = {"readme.md", "readme.txt", "readme"}
_MOST_BASES = 4
_MOST_DATASETS = 30


class LineageLicence(BaseModel):
    """The licence of the model itself or of one thing that it was made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    """Whether this is the model, a base model (of an adapter as well) or a dataset."""
    name: str
    """Its name. Untrusted text."""
    spdx: str | None
    """SPDX identifier or `LicenseRef-` and a name; absent when not known."""
    known_from: KnownFrom | None
    """How the licence is known; absent when it is not."""


class StrictestTerm(BaseModel):
    """The term that takes away most of all terms in the lineage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TermKind
    """Which kind of term it is."""
    says: str
    """What it means, in one sentence."""
    name: str
    """Whose licence has it. Untrusted text."""
    spdx: str
    """That licence."""
    section: str
    """Where it stands in the licence."""


def as_name(text: str) -> str:
    """An untrusted name fit to stand between backticks."""
    return "".join(each if each.isprintable() else " " for each in text[:120]).replace("`", "ˋ").strip()


def card_file(names: list[str]) -> str | None:
    """The card among the names of a model's files; None when there is none."""
    return next((name for name in names if name.casefold() in _CARD_NAMES), None)


def licence_files(names: list[str]) -> list[str]:
    """Names of files that look like a licence text, the likeliest first."""
    return sorted((name for name in names if _TEXT_NAME.match(name)), key=lambda name: (len(name), name))


def base_licences(bases: tuple[str, ...], sources: ModelSources, *, ask_hub: bool) -> Iterator[LineageLicence]:
    """Licences of the base models, and of theirs.

    Args:
        bases: Ids that the card or the adapter names. Untrusted.
        sources: Where models may come from.
        ask_hub: Whether to ask the hub; its cache and the mirrors are looked at in any case.

    Yields:
        One record for each, at most four; those of which nothing is known included.
    """
    places = sources if ask_hub else sources.model_copy(update={"offline": True})
    waiting, seen = list(bases), set[str]()
    while waiting and len(seen) < _MOST_BASES:
        name = waiting.pop(0)
        if name.casefold() in seen:
            continue
        seen.add(name.casefold())
        found, further = _look_up(name, places)
        yield found
        waiting += further


def _look_up(name: str, sources: ModelSources) -> tuple[LineageLicence, tuple[str, ...]]:
    published = licence_by_id(name)
    guess = LineageLicence(
        role="base_model", name=as_name(name), spdx=published.spdx if published else None,
        known_from="its publisher" if published else None,
    )  # fmt: skip
    if _ID.fullmatch(name) is None:  # a path in a card is no model of ours to read
        return guess, ()
    try:
        view = locate_model(name, sources=sources).view
        spdx, known_from, front_matter = licence_of_files(view)
    except ToolError:
        return guess, ()
    if spdx is None:
        return guess, ()
    return guess.model_copy(update={"spdx": spdx, "known_from": known_from}), named_bases(front_matter)


def licence_of_files(view: FileView) -> tuple[str | None, KnownFrom | None, dict[str, Any]]:
    """The licence that a model's files state, how, and the card's front matter."""
    names = [entry.name for entry in view.entries if entry.trouble is None]
    front_matter = front_matter_of(read_text(view, card_file(names)))
    for name in licence_files(names):
        recognised = recognise_licence(read_text(view, name))
        if recognised is not None:
            return recognised.spdx, "licence text", front_matter
    tagged = licence_by_tag(licence_tag(front_matter))
    return (tagged.spdx, "card tag", front_matter) if tagged is not None else (None, None, front_matter)


def read_text(view: FileView, name: str | None) -> str:
    """A text file with plain line ends; empty when there is none."""
    if name is None:
        return ""
    size = next(entry.size_bytes for entry in view.entries if entry.name == name)
    return view.read(name, 0, min(size, MAX_TEXT_BYTES)).decode("utf-8", "replace").replace("\r\n", "\n")


def licence_tag(front_matter: dict[str, Any]) -> str | None:
    """The card's licence tag, as written; None when it has none."""
    value = front_matter.get("license")
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else ", ".join(str(each) for each in value[:5]) or None
    if value == "other" and isinstance(front_matter.get("license_name"), str):
        value = front_matter["license_name"]
    return str(value) if value not in (None, "", "unknown") else None


def named_bases(front_matter: dict[str, Any]) -> tuple[str, ...]:
    """Base models that a card's front matter names. Untrusted texts."""
    value = front_matter.get("base_model")
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return tuple(str(each)[:200] for each in values[:_MOST_BASES])


def dataset_licences(front_matter: dict[str, Any], sources: ModelSources) -> Iterator[LineageLicence]:
    """Licences of the datasets that a card names, where a mirror has their cards as `datasets/org/name/README.md`.

    Args:
        front_matter: The card's parsed front matter.
        sources: Names the mirror folders.

    Yields:
        One record for each dataset, at most thirty.
    """
    value = front_matter.get("datasets")
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    for each in values[:_MOST_DATASETS]:
        name = str(each.get("name", "") if isinstance(each, dict) else each)[:200]
        spdx = _mirrored_dataset(name, sources) if _DATASET.fullmatch(name) else None
        yield LineageLicence(role="dataset", name=as_name(name), spdx=spdx, known_from="card tag" if spdx else None)


def _mirrored_dataset(name: str, sources: ModelSources) -> str | None:
    for mirror in sources.mirrors:
        root = mirror.expanduser().resolve() / "datasets"
        card = (root / name / "README.md").resolve()
        if card.is_relative_to(root) and card.is_file():
            found = licence_by_tag(_tag_of(card))
            return found.spdx if found is not None else None
    return None


def _tag_of(card: Path) -> str | None:
    with card.open("rb") as stream:
        text = stream.read(MAX_TEXT_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
    try:
        return licence_tag(parse_front_matter(split_card(text)[0]))
    except BadFrontMatter:
        return None


def strictest_term(lineage: tuple[LineageLicence, ...]) -> StrictestTerm | None:
    """The strictest term over model, base models and datasets whose licence is known; None when there is no term."""
    terms: list[tuple[Term, LicenceTerms, LineageLicence]] = [
        (licence.strictest, licence, part)
        for part in lineage
        if (licence := licence_by_tag(part.spdx)) is not None and licence.strictest is not None
    ]
    if not terms:
        return None
    term, licence, part = max(terms, key=lambda each: STRICTNESS[each[0].kind])
    return StrictestTerm(kind=term.kind, says=say_term(term), name=part.name, spdx=licence.spdx, section=term.section)
