"""Guidance entries: one Markdown file each, English and Japanese under one id, in a fixed form that is checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import InvalidEntry
from knowledge.topics import AUDIENCES, LANGUAGES, STAGES, TOOL_NAMES, TOPICS, Language

SECTIONS = ("what", "why", "check", "steps", "skipped", "say")
"""Language-neutral names of the sections, in order."""
HEADINGS: dict[Language, tuple[str, ...]] = {
    "en": ("What", "Why it matters", "What to check", "Steps", "If it is skipped", "A sentence to say"),
    "ja": ("何をするか", "なぜ大切か", "確かめること", "手順", "怠ると起きること", "会議での一言"),
}
"""The headings of the sections, in the same order."""
FOLDER = Path(__file__).parent / "guidance"
MAX_BYTES = 60_000
MAX_NODES = 400
"""YAML values in the front matter, at most."""
MAX_DEPTH = 6
"""Levels of values within values in the front matter, at most; an entry needs four."""
_FORM = "See the form of an entry in `knowledge/entry.py`, and an entry that passes beside it."
_PARTS = re.compile(r"\A---\n(?P<head>.*?)\n---\n+# English\n(?P<en>.*)\n# 日本語\n(?P<ja>.*)\Z", re.DOTALL)
_QUOTE_MARKS = "\"'“”「」『』"


def _known(allowed: tuple[str, ...]) -> AfterValidator:
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [v for v in values if v not in allowed]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
        if len(set(values)) < len(values):
            raise ValueError("a value is named twice")
        return values

    return AfterValidator(check)


def _numbered(text: str) -> str:
    numbers = [int(n) for n in re.findall(r"^(\d+)\. \S", text, flags=re.MULTILINE)]
    if numbers != list(range(1, len(numbers) + 1)) or not 3 <= len(numbers) <= 5:
        raise ValueError("steps must be 3 to 5 lines numbered from 1")
    return text


def _spoken(text: str) -> str:
    if "\n" in text or text[0] in _QUOTE_MARKS:
        raise ValueError("the sentence to say must be one line without quote marks around it")
    return text


class Bilingual(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = Field(min_length=1)
    """English."""
    ja: str = Field(min_length=1)
    """Japanese."""


class Wordings(BaseModel):
    """Wordings in both languages with which people look for an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: tuple[str, ...] = Field(min_length=4, max_length=8)
    """English."""
    ja: tuple[str, ...] = Field(min_length=4, max_length=8)
    """Japanese."""


class Source(BaseModel):
    """Where a statement comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    """Title or name."""
    where: str = ""
    """arXiv number, standard or venue."""
    scope: str = ""
    """What the statement was found on."""
    date: str = Field(default="", pattern=r"^(?:[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?)?$")
    """When it was published, as far as known: year, month or day."""

    def citation(self) -> str:
        """The source on one line."""
        return ", ".join(part for part in (self.title, self.where) if part) + (f": {self.scope}" if self.scope else "")

    def reference(self) -> str:
        """The source as short as it can still be found: the authors, or else the title, and where it stands."""
        authors = re.match(r"[^,]+ et al\.", self.title)
        name = authors[0] if authors else re.split(r" \(|: ", self.title)[0]
        return name if not self.where or self.where == name else f"{name}, {self.where}"


class Sections(BaseModel):
    """The text of an entry in one language, word by word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str = Field(min_length=1)
    """The answer; its first paragraph stands alone."""
    why: str = Field(min_length=1)
    """Why it matters, with findings and their scope."""
    check: str = Field(min_length=1)
    """What to check, with the tools that answer it."""
    steps: Annotated[str, Field(min_length=1), AfterValidator(_numbered)]
    """Numbered lines."""
    skipped: str = Field(min_length=1, max_length=600)
    """What is seen later when nobody does it."""
    say: Annotated[str, Field(min_length=1), AfterValidator(_spoken)]
    """One sentence for a meeting."""


class Entry(BaseModel):
    """One guidance entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^G[0-9]{2,3}$")
    """`G` and a number; cited in answers."""
    title: Bilingual
    """What to do, in a few words."""
    topics: Annotated[tuple[str, ...], _known(TOPICS), Field(min_length=1)]
    """What it is filed under."""
    stage: Annotated[tuple[str, ...], _known(STAGES), Field(min_length=1)]
    """Stages of adoption in which it is needed."""
    audience: Annotated[tuple[str, ...], _known(AUDIENCES), Field(min_length=1)]
    """Who it is for."""
    tools: Annotated[tuple[str, ...], _known(TOOL_NAMES)]
    """Tools that answer its checks."""
    asks: Wordings
    """Wordings with which people look for it."""
    parts: Annotated[tuple[str, ...], Field(max_length=3)] = ()
    """Ids of the entries that each treat one side of this overview; an answer shows them below it."""
    sources: tuple[Source, ...]
    """Empty for practice."""
    en: Sections
    """English text."""
    ja: Sections
    """Japanese text."""

    def text(self, language: Language) -> Sections:
        """The sections in one language."""
        return self.en if language == "en" else self.ja

    def title_in(self, language: Language) -> str:
        """The title in one language."""
        return self.title.en if language == "en" else self.title.ja

    def asks_in(self, language: Language) -> tuple[str, ...]:
        """The wordings in one language."""
        return self.asks.en if language == "en" else self.asks.ja

    def citation(self) -> str:
        """Its sources on one line, or `practice`."""
        return "; ".join(source.citation() for source in self.sources) or "practice"


def read_entries(folder: Path = FOLDER) -> tuple[Entry, ...]:
    """All entries of a folder, by id.

    Raises:
        InvalidEntry: A file is not of the form, two have one id, or there is none.
    """
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.md")):
        entry = read_entry(path)
        if entry.id in entries:
            raise InvalidEntry(f"`{path.name}` uses the id `{entry.id}` again.", "Give it the next free id.")
        entries[entry.id] = entry
    if not entries:
        raise InvalidEntry(f"There is no guidance in `{folder}`.", "Install the package again.")
    for entry in entries.values():
        if lost := [part for part in entry.parts if part not in entries]:
            raise InvalidEntry(f"`{entry.id}` names `{lost[0]}`, which does not exist.", _FORM)
    return tuple(sorted(entries.values(), key=lambda e: int(e.id[1:])))


def read_entry(path: Path) -> Entry:
    """One entry.

    Raises:
        InvalidEntry: The file is not of the form; what is wrong is named.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InvalidEntry(f"`{path.name}` is larger than {MAX_BYTES:,} bytes.", "Split the entry.")
    try:
        match = _PARTS.match(path.read_text(encoding="utf-8"))
        if match is None:
            raise ValueError("the front matter or one language is missing")
        texts = {language: _sections(match[language], language) for language in LANGUAGES}
        return Entry.model_validate({**_front_matter(match["head"]), **texts})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise InvalidEntry(f"`{path.name}`: {wrong}.", _FORM) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidEntry(f"`{path.name}`: {error}.", _FORM) from error


# libyaml reads ten times as fast; what it may read is checked before, by the events of the loader with the plainer messages.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _front_matter(text: str) -> dict[str, Any]:
    """Plain values only: tags, anchors and aliases are refused, and so is a heap of values."""
    nodes = depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        nodes += isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if any(getattr(event, name, None) is not None for name in ("anchor", "tag")):
            raise ValueError("tags, anchors and aliases are not allowed in the front matter")
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise ValueError(f"the front matter holds more than {MAX_NODES} values or {MAX_DEPTH} levels")
    head = yaml.load(text, Loader=_LOADER)
    if not isinstance(head, dict) or not all(isinstance(key, str) for key in head):
        raise ValueError("the front matter must be named values")
    return head


def _sections(text: str, language: Language) -> dict[str, str]:
    pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    found = [(heading.strip(), body.strip()) for heading, body in zip(pieces[1::2], pieces[2::2], strict=True)]
    if pieces[0].strip() or tuple(heading for heading, _ in found) != HEADINGS[language]:
        raise ValueError(f"the headings of {language} must be {', '.join(HEADINGS[language])}, in this order")
    return dict(zip(SECTIONS, (body for _, body in found), strict=True))
