"""The Chroma index of guidance: a cache with one writer, rebuilt whole, checked, and switched by a pointer.

A build goes to a new folder and is checked by asking it for its own texts; then the file `current` is replaced
atomically. Readers open what `current` names, so a build that is killed leaves the old index in place. The vectors are
held in memory after reading: at this size an exact product is faster than the graph search, and nothing that happens
to the folder afterwards reaches a search.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import chromadb
import numpy as np
from chromadb.api.types import Documents, EmbeddingFunction, Embeddings
from chromadb.config import Settings
from chromadb.utils.embedding_functions import register_embedding_function
from pydantic import BaseModel, ConfigDict

from knowledge.embedding import Embedder, Floats
from knowledge.errors import IndexUnavailable, KnowledgeError
from knowledge.file_hash import sha256_of
from knowledge.passages import IndexedText
from knowledge.shipped_vectors import embed_texts

POINTER = "current"
COLLECTION = "guidance"
PAGE = 1_000
FORM = "4"
"""Version of what is stored; a change of form makes every index out of date."""
LEAST_FOUND = 0.5
"""Share of the sample that a new index must find by its graph; that it returns every vector is asked besides."""
DATABASE = "chroma.sqlite3"
VECTORS = "vectors.npy"
"""The vectors once more: reading them out of Chroma takes ten times as long."""
_GRAPH_NAMES = "index_metadata.pickle"
"""The file that a graph on disk always has."""
_OURS_TO_PASS = (KeyboardInterrupt, SystemExit, MemoryError)
"""What is never taken for a fault of the index; a fault in Chroma's native part is no `Exception` either."""
_RESET_STEP = "Delete the index folder and start again."


@register_embedding_function
class GuidanceEmbedding(EmbeddingFunction[Documents]):
    """Our embedder as Chroma's embedding function; Chroma's own default would download a model.

    Args:
        embedder: Makes the vectors.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def __call__(self, input: Documents) -> Embeddings:
        """Vectors of texts."""
        return list(self._embedder.embed(input))

    @staticmethod
    def name() -> str:
        """The name under which Chroma stores it."""
        return "tameshi-guidance"

    def get_config(self) -> dict[str, Any]:
        """What is needed to build it again."""
        return {"folder": str(self._embedder.folder), "model": self._embedder.model_hash}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> GuidanceEmbedding:
        """The function that a stored collection names."""
        return GuidanceEmbedding(Embedder(Path(config["folder"])))


class Pointer(BaseModel):
    """The file `current`: which folder is the index, and what it must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    """Name of the folder beside the pointer."""
    content: str
    """Hash of the texts, the embedding model and the form."""
    count: int
    """Number of texts."""
    vectors: str
    """SHA-256 of the vectors in the order of the texts."""
    files: str
    """SHA-256 of the files of the graph, which Chroma maps without checking them."""
    database: str
    """SHA-256 of the database when it was built; it changes when another program opens it."""


class OpenedIndex(BaseModel):
    """Vectors of the texts, in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    vectors: np.ndarray
    """Unit vectors, shape (texts, dimensions)."""
    built: bool
    """Whether it had to be built now."""
    problem: str = ""
    """Why it could not be kept, when the vectors are in memory only."""


def open_index(folder: Path, texts: Sequence[IndexedText], embedder: Embedder) -> OpenedIndex:
    """Vectors of the texts from the index, which is built when it is missing, damaged or out of date.

    A folder that cannot be written costs time, not the search: the vectors are then made and kept in memory.

    Args:
        folder: The index folder.
        texts: What the index must hold.
        embedder: What it must have been built with.
    """
    wanted = content_hash(texts, embedder)
    vectors = _read(folder, wanted, texts)
    if vectors is not None:
        return OpenedIndex(vectors=vectors, built=False)
    try:
        with _only_writer(folder):
            vectors = _read(folder, wanted, texts)  # another process may have built it while this one waited
            if vectors is not None:
                return OpenedIndex(vectors=vectors, built=False)
            return OpenedIndex(vectors=_build(folder, texts, embedder, wanted), built=True)
    except (OSError, IndexUnavailable) as error:
        return OpenedIndex(vectors=embed_texts([t.text for t in texts], embedder), built=True, problem=str(error))


def content_hash(texts: Sequence[IndexedText], embedder: Embedder) -> str:
    """What an index holds and what it was built with, as one hash."""
    digest = hashlib.sha256(f"{FORM} {embedder.model_hash}".encode())
    for text in texts:
        digest.update(f"\0{text.id}\0{text.text}".encode())
    return digest.hexdigest()


def _read(folder: Path, wanted: str, texts: Sequence[IndexedText]) -> Floats | None:
    """The vectors, or None when the index is not the one wanted or anything about it is wrong."""
    try:
        pointer = Pointer.model_validate_json((folder / POINTER).read_text(encoding="utf-8"))
        place = folder / Path(pointer.folder).name
        if pointer.content != wanted or pointer.count != len(texts) or _files_digest(place) != pointer.files:
            return None
        if sha256_of(place / DATABASE) == pointer.database and (place / VECTORS).is_file():
            vectors = np.load(place / VECTORS, allow_pickle=False)
            if _digest(vectors) == pointer.vectors:
                return vectors
        if not _is_sound_database(place / DATABASE):
            return None
        with _client(place) as client:
            collection = client.get_collection(COLLECTION, embedding_function=None)
            if (collection.metadata or {}).get("content") != wanted:
                return None
            vectors = _all_vectors(collection, texts)
        return vectors if _digest(vectors) == pointer.vectors else None
    except BaseException as error:
        if isinstance(error, _OURS_TO_PASS):
            raise
        return None  # whatever is wrong with a cache, it is built again


def _is_sound_database(file: Path) -> bool:
    """By SQLite's own check, before Chroma opens it: a damaged one ends the process."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return database.execute("PRAGMA quick_check").fetchone() == ("ok",)


def _all_vectors(collection: Any, texts: Sequence[IndexedText]) -> Floats:
    found: dict[str, Any] = {}
    while page := collection.get(include=["embeddings"], limit=PAGE, offset=len(found)):
        if not page["ids"]:
            break
        found.update(zip(page["ids"], page["embeddings"], strict=True))
    return np.asarray([found[t.id] for t in texts], dtype=np.float32)


def _digest(vectors: Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(vectors, dtype=np.float32).tobytes()).hexdigest()


def _files_digest(place: Path) -> str:
    """One hash of the graph's files; the database beside them changes when it is opened.

    A small index has no graph on disk yet: Chroma then writes files without names to them, and anew when it opens them.
    """
    digest = hashlib.sha256()
    for path in sorted(path for names in place.glob(f"*/{_GRAPH_NAMES}") for path in names.parent.iterdir()):
        digest.update(f"{path.relative_to(place).as_posix()}\0{sha256_of(path)}\0".encode())
    return digest.hexdigest()


def _build(folder: Path, texts: Sequence[IndexedText], embedder: Embedder, wanted: str) -> Floats:
    name = f"chroma-{uuid4().hex[:12]}"
    vectors = embed_texts([t.text for t in texts], embedder)
    try:
        _fill(folder / name, texts, vectors, embedder, wanted)
        np.save(folder / name / VECTORS, vectors)
    except BaseException as error:
        shutil.rmtree(folder / name, ignore_errors=True)
        if isinstance(error, _OURS_TO_PASS):
            raise
        reason = error.message if isinstance(error, KnowledgeError) else error
        raise IndexUnavailable(f"The guidance index cannot be kept: {reason}", _RESET_STEP) from error
    partial = folder / f"{POINTER}.{name}"
    pointer = Pointer(
        folder=name,
        content=wanted,
        count=len(texts),
        vectors=_digest(vectors),
        files=_files_digest(folder / name),
        database=sha256_of(folder / name / DATABASE),
    )
    partial.write_text(pointer.model_dump_json(), encoding="utf-8")
    partial.replace(folder / POINTER)
    _sweep(folder, name)
    return vectors


def _fill(place: Path, texts: Sequence[IndexedText], vectors: Floats, embedder: Embedder, wanted: str) -> None:
    with _client(place) as client:
        collection = client.create_collection(
            COLLECTION,
            embedding_function=GuidanceEmbedding(embedder),
            configuration={"hnsw": {"space": "ip", "ef_construction": 200, "ef_search": 200}},
            metadata={"content": wanted, "model": embedder.model_hash},
        )
        for start in range(0, len(texts), PAGE):
            page = texts[start : start + PAGE]
            collection.upsert(
                ids=[t.id for t in page],
                embeddings=list(vectors[start : start + PAGE]),
                documents=[t.text for t in page],
                metadatas=[{"entry": t.entry, "language": t.language, "piece": t.piece} for t in page],
            )
        _check(collection, texts)
        if not np.array_equal(_all_vectors(collection, texts), vectors):
            raise IndexUnavailable("A newly built index does not return its own vectors.", _RESET_STEP)


def _check(collection: Any, texts: Sequence[IndexedText]) -> None:
    """Ask the new index, by its own embedding function, for a sample of its own texts.

    The graph is approximate, and a sound one may miss a text of the sample; one of other vectors finds next to none.
    """
    sample = texts[:: max(1, len(texts) // 10)]
    answers = collection.query(query_texts=[t.text for t in sample], n_results=5)["documents"]
    found = sum(text.text in answer for text, answer in zip(sample, answers, strict=True))
    if found < LEAST_FOUND * len(sample):
        raise IndexUnavailable("A newly built index does not find its own texts.", _RESET_STEP)


def _sweep(folder: Path, keep: str) -> None:
    """Remove what earlier builds left, finished or killed."""
    for old in folder.glob("chroma-*"):
        if old.name != keep:
            shutil.rmtree(old, ignore_errors=True)
    for partial in folder.glob(f"{POINTER}.*"):
        partial.unlink(missing_ok=True)


@contextmanager
def _client(place: Path) -> Iterator[Any]:
    client: Any = chromadb.PersistentClient(path=str(place), settings=Settings(anonymized_telemetry=False))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """One builder at a time; the lock ends with its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
