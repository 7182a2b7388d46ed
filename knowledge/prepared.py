"""What the search reads out of the guidance at a start: entries, texts and word rankings, kept beside the index.

Reading its Markdown files and ranking their words anew takes seconds. What was read is kept under a hash of everything it
was made of, the package's own code included, with a hash of each kept file: what is out of date or damaged is made again.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from knowledge.entry import FOLDER, Entry, read_entries
from knowledge.file_hash import sha256_of
from knowledge.glossary import terms
from knowledge.lexical import LexicalRanker, content_pieces, tokens_of
from knowledge.passages import IndexedText, indexed_texts, whole_text
from knowledge.related import companions_of
from knowledge.topics import LANGUAGES, Language
from knowledge.wordings import FOLDER as WORDINGS
from knowledge.wordings import read_wordings

MANIFEST = "manifest.json"
_PLACE = "prepared"
_TEXTS = TypeAdapter(list[IndexedText])
_ENTRIES = TypeAdapter(tuple[Entry, ...])
_WORDS = TypeAdapter(frozenset[str])


class Rankings(NamedTuple):
    """BM25 in one language."""

    texts: LexicalRanker
    """Over the language's indexed texts, in their order."""
    whole: LexicalRanker
    """Over the entries with all their wordings."""
    own: LexicalRanker
    """Over the entries without further wordings."""


class Prepared(NamedTuple):
    """All that is read out of the guidance."""

    entries: tuple[Entry, ...]
    texts: list[IndexedText]
    rankings: Mapping[Language, Rankings]
    vocabulary: frozenset[str]
    """Content words of the entries and of the glossary."""
    companions: npt.NDArray[np.float64]
    """How often an entry (column) helps beside another (row), shape (entries, entries)."""


class Manifest(BaseModel):
    """What was kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_of: str
    """Hash of all it was made of."""
    files: dict[str, str]
    """SHA-256 by path of each file."""


def prepare(guidance: Path = FOLDER, without: frozenset[str] = frozenset()) -> Prepared:
    """Read and rank the guidance.

    Args:
        guidance: Folder of the entries.
        without: Further wordings that are left out, for fitting.

    Raises:
        InvalidEntry: An entry is not of the form.
    """
    entries = read_entries(guidance)
    texts = indexed_texts(entries)
    # Further wordings speak of wards, permits and catalogues as well, which are not the guidance's matter.
    vocabulary = {piece for row in terms() for form in row for piece in content_pieces(form)}
    vocabulary |= {piece for e in entries for each in LANGUAGES for piece in content_pieces(whole_text(e, each))}
    return Prepared(
        entries=entries,
        texts=texts,
        rankings={language: _rank(entries, texts, language, without) for language in LANGUAGES},
        vocabulary=frozenset(vocabulary),
        companions=companions_of([entry.id for entry in entries]),
    )


def open_prepared(folder: Path, guidance: Path = FOLDER) -> Prepared:
    """What was kept in a folder; made anew, and kept if that is possible, when it is missing, damaged or out of date.

    Args:
        folder: The index folder.
        guidance: Folder of the entries.

    Raises:
        InvalidEntry: An entry is not of the form.
    """
    made_of = _hash_of_sources(guidance)
    place = folder / _PLACE
    kept = _read(place, made_of)
    if kept is None:
        kept = prepare(guidance)
        _keep(kept, place, made_of)
    return kept


def _rank(
    entries: tuple[Entry, ...], texts: list[IndexedText], language: Language, without: frozenset[str]
) -> Rankings:
    wordings = read_wordings()
    own = [tokens_of(whole_text(entry, language)) for entry in entries]
    further = [
        [token for text in wordings.get(e.id, {}).get(language, ()) if text not in without for token in tokens_of(text)]
        for e in entries
    ]
    return Rankings(
        texts=LexicalRanker([text.text for text in texts if text.language == language]),
        whole=LexicalRanker.of_tokens([[*tokens, *more] for tokens, more in zip(own, further, strict=True)]),
        own=LexicalRanker.of_tokens(own),
    )


def _hash_of_sources(guidance: Path) -> str:
    package = Path(__file__).parent
    paths = [*guidance.glob("*.md"), *WORDINGS.glob("*.toml"), package / "glossary.toml", *package.glob("*.py")]
    digest = hashlib.sha256(f"{version('bm25s')} {np.__version__}".encode())
    for path in sorted(paths):
        digest.update(f"\0{path.name}\0{sha256_of(path)}".encode())
    return digest.hexdigest()


def _read(place: Path, made_of: str) -> Prepared | None:
    try:
        manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
        if manifest.made_of != made_of or manifest.files != _hashes(place):
            return None
        return Prepared(
            entries=_ENTRIES.validate_json((place / "entries.json").read_bytes()),
            texts=_TEXTS.validate_json((place / "texts.json").read_bytes()),
            rankings={
                language: Rankings(*(LexicalRanker.load(place / f"{language}.{name}") for name in Rankings._fields))
                for language in LANGUAGES
            },
            vocabulary=_WORDS.validate_json((place / "vocabulary.json").read_bytes()),
            companions=np.load(place / "companions.npy", allow_pickle=False),
        )
    except (OSError, ValidationError):
        return None  # missing, or of an older form: it is made anew


def _keep(prepared: Prepared, place: Path, made_of: str) -> None:
    """Written to a new folder and put in place at once; a folder that cannot be written costs time, nothing else."""
    partial = place.with_name(f"{place.name}-{uuid4().hex[:12]}")
    try:
        partial.mkdir(parents=True)
        (partial / "entries.json").write_bytes(_ENTRIES.dump_json(prepared.entries))
        (partial / "texts.json").write_bytes(_TEXTS.dump_json(prepared.texts))
        (partial / "vocabulary.json").write_bytes(_WORDS.dump_json(prepared.vocabulary))
        np.save(partial / "companions.npy", prepared.companions)
        for language, rankings in prepared.rankings.items():
            for name, ranker in rankings._asdict().items():
                ranker.save(partial / f"{language}.{name}")
        manifest = Manifest(made_of=made_of, files=_hashes(partial))
        (partial / MANIFEST).write_text(manifest.model_dump_json(), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
    except OSError:
        pass  # not writable, or another process put its own in place
    for left in place.parent.glob(f"{place.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _hashes(place: Path) -> dict[str, str]:
    files = (path for path in place.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(place).as_posix(): sha256_of(path) for path in sorted(files)}
