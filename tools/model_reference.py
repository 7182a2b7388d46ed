"""What the user wrote, parsed once into a hub id or a folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import InvalidReference
from tools.known_owners import resembled_owner

BUNDLED_MODEL_ID = "sentence-transformers/all-MiniLM-L6-v2"
"""The model that comes with the installation."""

_MAX_REFERENCE_CHARACTERS = 1024
_MAX_PART_CHARACTERS = 96  # the hub's own limit on the whole id
_MAX_REVISION_CHARACTERS = 128
_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\Z")
_REVISION = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/+-]*[A-Za-z0-9_])?\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_FORM = "Write `organisation/name`, for example `sentence-transformers/all-MiniLM-L6-v2`, or a folder as `./folder`."


class ModelReference(BaseModel):
    """A model as the user named it: a hub id or a folder, with an optional revision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """What the user wrote, without surrounding space."""
    id: str | None = None
    """`org/name` or a bare name of the hub; absent for a folder."""
    path: Path | None = None
    """The folder; absent for a hub id. Only text written as `./x`, `../x`, `/x` or `~/x` is a folder."""
    revision: str | None = None
    """Branch, tag or commit; absent when none was given."""

    @property
    def name(self) -> str:
        """Short name for display."""
        return self.id if self.id is not None else self.text

    @property
    def canonical(self) -> str:
        """The text that names the same model at the same revision everywhere."""
        return f"{self.name}@{self.revision}" if self.revision is not None else self.name

    @property
    def pinned(self) -> bool:
        """Whether it names an exact commit."""
        return self.revision is not None and _COMMIT.match(self.revision) is not None


def parse_reference(text: str) -> ModelReference:
    """Parse what the user wrote for a model.

    Args:
        text: `org/name`, `org/name@revision`, a bare hub name, or a folder written as `./x`, `../x`, `/x` or `~/x`.

    Returns:
        The reference; whether the model exists is not asked here.

    Raises:
        InvalidReference: The text is neither, or an owner's name is one letter away from a well-known one.
    """
    stripped = text.strip(" \t\r\n\u3000")
    _check_characters(stripped)
    if stripped == "~" or stripped.startswith(("./", "../", "/", "~/")) or stripped in {".", ".."}:
        return ModelReference(text=stripped, path=Path(stripped))
    identifier, separator, revision = stripped.partition("@")
    if separator:
        check_revision(revision)
    identifier = _checked_id(identifier)
    pinned = bool(separator) and _COMMIT.match(revision) is not None
    _check_owner(identifier, pinned=pinned)
    if identifier.casefold() == BUNDLED_MODEL_ID.partition("/")[2].casefold():
        identifier = BUNDLED_MODEL_ID
    return ModelReference(text=stripped, id=identifier, revision=revision if separator else None)


def check_revision(revision: str) -> str:
    """Return a branch, tag or commit as it is, or raise `InvalidReference`."""
    well_formed = _REVISION.match(revision) is not None and len(revision) <= _MAX_REVISION_CHARACTERS
    if not well_formed or ".." in revision or "//" in revision:
        message = f"`{_shown(revision)}` is not a branch, tag or commit."
        raise InvalidReference(message, "Write the revision as on the hub, for example `main` or a full commit.")
    return revision


def with_revision(reference: ModelReference, revision: str | None) -> ModelReference:
    """The reference at another revision; unchanged when none is given.

    Args:
        reference: A parsed reference.
        revision: Branch, tag or commit from a separate argument.

    Returns:
        A reference whose `revision` is the given one.
    """
    if revision is None or revision == reference.revision:
        return reference
    if reference.path is not None:
        message = f"A folder has no revisions, so `{_shown(revision)}` cannot be chosen in `{_shown(reference.text)}`."
        raise InvalidReference(message, "Leave the revision out, or name the model by its id on the hub.")
    return reference.model_copy(update={"revision": check_revision(revision)})


def _check_characters(text: str) -> None:
    if not text:
        raise InvalidReference("No model was named.", _FORM)
    if len(text) > _MAX_REFERENCE_CHARACTERS:
        message = f"The model's name has {len(text)} characters; {_MAX_REFERENCE_CHARACTERS} is the limit."
        raise InvalidReference(message, _FORM)
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for each in text):
        message = f"`{_shown(text)}` contains invisible or control characters."
        raise InvalidReference(message, "Type the name again by hand instead of pasting it.")


def _checked_id(identifier: str) -> str:
    if not identifier.isascii():
        plain = _latin(identifier)
        meant = f" Did you mean `{plain}`? Type it again by hand." if plain.isascii() else ""
        message = f"`{_shown(identifier)}` contains letters that only look like Latin ones.{meant}"
        raise InvalidReference(message, _FORM, code="look_alike_letters")
    if "://" in identifier or "\\" in identifier:
        raise InvalidReference(f"`{_shown(identifier)}` is not a model id.", _FORM)
    parts = identifier.split("/")
    if len(parts) > 2 or len(identifier) > _MAX_PART_CHARACTERS or not all(_is_part(part) for part in parts):
        raise InvalidReference(f"`{_shown(identifier)}` is not a model id.", _FORM)
    return identifier


def _is_part(part: str) -> bool:
    return _PART.match(part) is not None and ".." not in part and "--" not in part and not part.endswith(".git")


def _check_owner(identifier: str, *, pinned: bool) -> None:
    owner, separator, name = identifier.partition("/")
    resembled = resembled_owner(owner) if separator and not pinned else None
    if resembled is not None:
        message = f"`{owner}` is not `{resembled}`, but looks very much like it."
        step = f"Did you mean `{resembled}/{name}`? If you do mean `{owner}`, name an exact commit: `{identifier}@…`."
        raise InvalidReference(message, step, code="near_miss_of_owner", owner=owner, meant=f"{resembled}/{name}")


_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝвкмнтАВЕКМНОРСТУХІЈЅαβεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧɑɡı‐‑‒–—−∕⁄",
    "aeopcyxijshdqwbkmhtABEKMHOPCTYXIJSabeiknoptuxABEZHIKMNOPTYXagi------//",
)


def _latin(text: str) -> str:
    """The Latin text that look-alike letters imitate."""
    return unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKES)


def _shown(text: str) -> str:
    shown = text if len(text) <= 80 else text[:80] + "…"
    return "".join(each if each.isprintable() and each != "`" else f"\\u{ord(each):04x}" for each in shown)


def find_references(text: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Find the models that a user's sentence names, in order of appearance.

    Args:
        text: The sentence, English or Japanese, with or without spaces around names.
        known: Ids that stored evidence and mirrors know; a bare name that ends one of them stands for it.

    Returns:
        Canonical references; a suspicious one (look-alike letters, near miss of an owner) is returned as written, so
        that the tool which gets it asks back.
    """
    from tools.reference_search import search_references  # noqa: PLC0415 (the search builds on this parser)

    return search_references(text, known)
