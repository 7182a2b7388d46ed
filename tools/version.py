"""The tool `check_version`: which version this is, what is newer, and whether it fits what is installed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.card_claims import base_models
from tools.card_sections import quote_line
from tools.errors import ToolError
from tools.fetching import local_commit
from tools.file_safety.inspected import Inspected
from tools.front_matter import BadFrontMatter, parse_front_matter, split_card
from tools.hub import HubFile, list_commits, list_repository
from tools.hub_files import HubView
from tools.installed_transformers import installed_version, known_model_types
from tools.locating import ModelLocation, locate_model
from tools.model_sources import ModelSources

ChangeKind = Literal["weights", "tokenizer", "chat_template", "config", "card", "licence", "other"]
"""What a changed file means to the user of a model."""

_FIXED_SINCE = (5, 3)  # the floor this project requires of transformers
_KINDS: tuple[tuple[ChangeKind, re.Pattern[str]], ...] = (
    ("weights", re.compile(r"\.(?:safetensors|bin|pt|pth|ckpt|gguf|onnx|h5|msgpack)\Z|\.index\.json\Z")),
    ("chat_template", re.compile(r"chat_template|\.jinja\Z")),
    ("tokenizer", re.compile(r"token|vocab|merges|spiece|sentencepiece|special_tokens|\.tiktoken\Z", re.IGNORECASE)),
    ("licence", re.compile(r"(?:^|/)(?:licen[cs]e|notice|copying|use_policy)[^/]*\Z", re.IGNORECASE)),
    ("card", re.compile(r"(?:^|/)(?:readme|model_card)[^/]*\Z|\.md\Z", re.IGNORECASE)),
    ("config", re.compile(r"\.json\Z")),
)
_RETEST: dict[ChangeKind, str] = {
    "weights": "Run your acceptance test again, and build stored embeddings anew: outputs differ.",
    "tokenizer": "Run your acceptance test again, and check lengths and stored token counts.",
    "chat_template": "Try your prompts again: the text the model sees differs.",
    "config": "Run your acceptance test and the profile again: loading and defaults can differ.",
    "licence": "Have the licence read again before the new version is used.",
    "card": "Read what changed in uses and limitations.",
    "other": "",
}


class Change(BaseModel):
    """One file that differs between the checked and the newest version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ChangeKind
    """What the file means."""
    file: str
    """Path inside the model's folder."""
    description: str
    """What happened to it, one sentence."""
    retest: str
    """What to test again because of it, one sentence; empty when nothing."""


class LibraryFit(BaseModel):
    """Whether the installed library knows the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    written_with: str | None
    """Version of transformers that wrote the config; absent when the config does not say."""
    installed: str | None
    """Version of transformers installed here; absent when there is none."""
    architecture_known: bool | None
    """Whether the installed library has this `model_type`; absent when it cannot be told."""
    note: str
    """What follows from it, one or two sentences."""


class VersionCheck(BaseModel):
    """Which version of a model this is and what is known about newer ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Canonical reference of the model."""
    commit: str
    """Resolved commit or content hash."""
    newest_commit: str | None
    """Newest commit on the hub's main branch; absent when the hub could not be asked."""
    pinned: bool
    """Whether the user's reference names an exact commit (or a folder, whose content hash is exact)."""
    behind: int | None
    """How many commits the checked one is behind the newest; absent when not known."""
    changes: tuple[Change, ...]
    """What differs between the checked and the newest version, weights first."""
    library: LibraryFit
    """Fit with the installed transformers."""
    lineage: tuple[str, ...]
    """Models this one says it was made from, nearest first."""
    source: Literal["hub", "cache", "mirror", "folder"]
    """Where the files came from."""
    advisories: tuple[str, ...]
    """Known weaknesses of the installed library that this model's config can reach, one sentence each."""
    unknown: tuple[str, ...]
    """What could not be known and why, one sentence each."""


def check_version(
    model: str,
    revision: str | None = None,
    *,
    sources: ModelSources = ModelSources(),  # noqa: B008 (frozen record)
) -> VersionCheck:
    """Tell which version of a model this is, what changed since by meaning, and whether the installed library fits it.

    Without a hub it says what cannot be known; the content hash then stands for the commit.

    Args:
        model: `org/name`, `org/name@revision`, or a folder written as a path such as `./models/x`.
        revision: Branch, tag or commit to check against the newest; the newest itself when absent.
        sources: Where models may come from.

    Returns:
        Resolved and newest commit, changes with what to test again, library fit, lineage, and what is not known.
    """
    location = locate_model(model, revision, sources=sources)
    inspected = Inspected(location.view)
    config = inspected.object("config.json")
    newest, behind, changes, unknown = _compare_with_newest(location, sources)
    reference = location.reference
    pinned = reference.pinned or reference.path is not None or (reference.revision or "").startswith("folder-")
    return VersionCheck(
        model=reference.canonical,
        commit=location.commit or local_commit(location),
        newest_commit=newest,
        pinned=pinned,
        behind=behind,
        changes=changes,
        library=library_fit(config),
        lineage=_lineage(inspected, config),
        source=location.source,
        advisories=_advisories(config),
        unknown=unknown,
    )


_Comparison = tuple[str | None, int | None, tuple[Change, ...], tuple[str, ...]]


def _compare_with_newest(location: ModelLocation, sources: ModelSources) -> _Comparison:
    listing, identifier = location.listing, location.reference.id
    if listing is None:
        return None, None, (), tuple(_why_unknown(location))
    assert identifier is not None
    newest = list_repository(identifier, None, sources) if location.reference.revision is not None else listing
    unknown: list[str] = []
    behind: int | None = 0
    if newest.commit != listing.commit:
        behind = _commits_between(identifier, listing.commit, sources)
        if behind is None:
            unknown.append("How many commits it is behind: the checked commit is not in the main branch's history.")
    changes = changes_between(listing.files, newest.files)
    if newest.commit != listing.commit:
        before, after = Inspected(HubView(listing, sources)), Inspected(HubView(newest, sources))
        changes = tuple(_with_entries(change, before, after) for change in changes)
    return newest.commit, behind, changes, tuple(unknown)


def _with_entries(change: Change, before: Inspected, after: Inspected) -> Change:
    """A changed JSON object is described by the entries that differ."""
    if (
        change.kind not in {"config", "tokenizer"}
        or not change.file.endswith("_config.json")
        and change.file != "config.json"
    ):
        return change
    old, new = before.object(change.file), after.object(change.file)
    if not old or not new:
        return change
    differing = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    named = ", ".join(f"`{quote_line(key)[:60]}`" for key in differing[:6])
    more = f" and {len(differing) - 6} more" if len(differing) > 6 else ""
    description = f"Entries that differ: {named}{more}." if differing else "Only its layout changed."
    return change.model_copy(update={"description": description})


def _commits_between(identifier: str, commit: str, sources: ModelSources) -> int | None:
    try:
        history = list_commits(identifier, None, sources)
    except ToolError:
        return None
    return next((position for position, each in enumerate(history) if each.commit == commit), None)


def _why_unknown(location: ModelLocation) -> Iterator[str]:
    if location.source == "folder":
        yield "Whether there is a newer version: a folder has no history here; its content hash stands for the commit."
        yield "Where the folder's files come from: nothing in it proves its origin."
        return
    yield f"Whether there is a newer version: {location.note}"
    if location.commit is None:
        yield "Which commit of the hub the mirror's files are: the mirror does not say; its content hash stands for the commit."


def changes_between(before: tuple[HubFile, ...], after: tuple[HubFile, ...]) -> tuple[Change, ...]:
    """What differs between two listings, by meaning, weights first.

    Args:
        before: Files of the checked version.
        after: Files of the newest version.

    Returns:
        One change for each file that was added, removed or has other content.
    """
    old, new = {file.name: file for file in before}, {file.name: file for file in after}
    changes: list[Change] = []
    for name in sorted(old.keys() | new.keys()):
        first, second = old.get(name), new.get(name)
        if first is not None and second is not None and _same(first, second):
            continue
        kind = kind_of(name)
        changes.append(Change(kind=kind, file=name, description=_described(first, second), retest=_RETEST[kind]))
    return tuple(sorted(changes, key=lambda change: (list(_RETEST).index(change.kind), change.file)))


def _same(first: HubFile, second: HubFile) -> bool:
    if first.sha256 is not None or second.sha256 is not None:
        return first.sha256 == second.sha256
    return (first.git_id, first.size_bytes) == (second.git_id, second.size_bytes)


def _described(first: HubFile | None, second: HubFile | None) -> str:
    if first is None:
        return "It was added."
    if second is None:
        return "It was removed."
    if first.size_bytes == second.size_bytes:
        return f"Its content changed at the same size of {first.size_bytes:,} bytes."
    return f"Its content changed, from {first.size_bytes:,} to {second.size_bytes:,} bytes."


def kind_of(name: str) -> ChangeKind:
    """What a file means to the user of a model."""
    kinds: list[ChangeKind] = [kind for kind, pattern in _KINDS if pattern.search(name)]
    return kinds[0] if kinds else "other"


def library_fit(config: dict[str, Any]) -> LibraryFit:
    """Whether the installed transformers knows a config's architecture.

    Args:
        config: The parsed `config.json`, empty when there is none.

    Returns:
        Versions and what follows from them.
    """
    kind, written_with, installed = config.get("model_type"), config.get("transformers_version"), installed_version()
    written_with = written_with[:40] if isinstance(written_with, str) else None
    types = known_model_types()
    known = kind in types if isinstance(kind, str) and types else None
    return LibraryFit(
        written_with=written_with,
        installed=installed,
        architecture_known=known,
        note=_fit_note(kind, written_with, installed, known),
    )


def _fit_note(kind: object, written_with: str | None, installed: str | None, known: bool | None) -> str:
    if installed is None:
        return "transformers is not installed here, so nothing can be said about the fit."
    if known is None:
        return "The config names no model type, so nothing can be said about the fit."
    if not known:
        return f"The installed transformers {installed} has no `{str(kind)[:40]}`; a newer one may, or the model needs code of its own."
    first, second = _major(written_with), _major(installed)
    if first is None or second is None:
        return f"The installed transformers {installed} has this architecture; which version wrote the config is not stated."
    if first < second:
        return f"Written with {written_with}, read with {installed}: a major version lies between; compare outputs with the card's example once."
    if first > second:
        return f"Written with {written_with}, newer than the installed {installed}: entries this version does not know are ignored."
    return f"Written with {written_with}, read with {installed}: the same major version."


def _major(version: str | None) -> int | None:
    head = (version or "").partition(".")[0]
    return int(head) if head.isdigit() and len(head) < 4 else None


def _lineage(model: Inspected, config: dict[str, Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    entry = model.plain.get("README.md")
    if entry is not None:
        text = model.view.read("README.md", 0, min(entry.size_bytes, 1_000_000)).decode("utf-8", "replace")
        with contextlib.suppress(BadFrontMatter):
            found |= dict.fromkeys(base_models(parse_front_matter(split_card(text)[0])))
    for value in (model.object("adapter_config.json").get("base_model_name_or_path"), config.get("_name_or_path")):
        if isinstance(value, str) and value.count("/") == 1 and not value.startswith((".", "/", "~")):
            found.setdefault(quote_line(value)[:120])
    return tuple(found)


def _advisories(config: dict[str, Any]) -> tuple[str, ...]:
    """Weaknesses fixed in later releases that the installed version may still have and this config can reach."""
    version = installed_version()
    major_minor = tuple(int(each) for each in (version or "").split(".")[:2] if each.isdigit())
    if version is None or len(major_minor) < 2 or major_minor >= _FIXED_SINCE:
        return ()
    reached = "auto_map" in config or "trust_remote_code" in str(config)[:100_000]
    floor = ".".join(map(str, _FIXED_SINCE))
    first = f"transformers {version} is below {floor}, the version asked for here because earlier ones have published weaknesses."
    return (first, "This config asks for repository code, which is one way to reach them.") if reached else (first,)
