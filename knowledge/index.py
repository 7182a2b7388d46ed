"""The Chroma index of guidance: a cache with one writer, rebuilt whole, checked, and switched by a pointer.

A build goes to a new folder and is checked by asking it for its own texts; then the file `current` is replaced
atomically. Readers open what `current` names; a build that is killed leaves the old index in place.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from knowledge.embedding import Embedder, Floats
from knowledge.errors import IndexUnavailable
from knowledge.passages import IndexedText

POINTER = "current"
COLLECTION = "guidance"
PAGE = 1_000
FORM = "2"
"""Version of what is stored; a change of form makes every index out of date."""


def open_index(folder: Path, texts: Sequence[IndexedText], embedder: Embedder) -> tuple[list[str], Floats]:
    """Ids and vectors of the texts from the index; builds it when it is missing, damaged or out of date.

    Args:
        folder: The index folder.
        texts: What the index must hold.
        embedder: What it must have been built with.

    Raises:
        IndexUnavailable: It can be neither read nor built.
    """
    wanted = content_hash(texts, embedder)
    found = _read(folder, wanted)
    if found is None:
        with _only_writer(folder):
            found = _read(folder, wanted)
            if found is None:
                _build(folder, texts, embedder, wanted)
                found = _read(folder, wanted)
    if found is None:
        raise IndexUnavailable("The guidance index cannot be read.", "Delete the index folder and start again.")
    return found


def content_hash(texts: Sequence[IndexedText], embedder: Embedder) -> str:
    """What an index holds and what it was built with, as one hash."""
    digest = hashlib.sha256(f"{FORM} {embedder.model_hash}".encode())
    for text in texts:
        digest.update(f"\0{text.id}\0{text.text}".encode())
    return digest.hexdigest()


def _read(folder: Path, wanted: str) -> tuple[list[str], Floats] | None:
    try:
        pointer = json.loads((folder / POINTER).read_text(encoding="utf-8"))
        if pointer["content"] != wanted:
            return None
        with _client(folder / pointer["folder"]) as client:
            collection = client.get_collection(COLLECTION, embedding_function=None)
            ids: list[str] = []
            vectors: list[Any] = []
            while page := collection.get(include=["embeddings"], limit=PAGE, offset=len(ids)):
                if not page["ids"]:
                    break
                ids += page["ids"]
                vectors += list(page["embeddings"])  # type: ignore[arg-type]  # asked for by include
        return (ids, np.asarray(vectors, dtype=np.float32)) if len(ids) == pointer["count"] else None
    except Exception:  # noqa: BLE001 (whatever is wrong with a cache, it is built again)
        return None


def _build(folder: Path, texts: Sequence[IndexedText], embedder: Embedder, wanted: str) -> None:
    name = f"chroma-{uuid4().hex[:12]}"
    vectors = embedder.embed([t.text for t in texts])
    with _client(folder / name) as client:
        collection = client.create_collection(
            COLLECTION, embedding_function=None, metadata={"model": embedder.model_hash}
        )
        for start in range(0, len(texts), PAGE):
            page = texts[start : start + PAGE]
            collection.upsert(
                ids=[t.id for t in page],
                embeddings=list(vectors[start : start + PAGE]),  # type: ignore[arg-type]  # rows of an array
                documents=[t.text for t in page],
                metadatas=[{"entry": t.entry, "language": t.language} for t in page],
            )
        _check(collection, texts, vectors)
    partial = folder / f"{POINTER}.{name}"
    partial.write_text(json.dumps({"folder": name, "content": wanted, "count": len(texts)}), encoding="utf-8")
    partial.replace(folder / POINTER)
    for old in folder.glob("chroma-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)


def _check(collection: Any, texts: Sequence[IndexedText], vectors: Floats) -> None:
    """Ask the new index for a sample of its own texts."""
    sample = range(0, len(texts), max(1, len(texts) // 20))
    answers = collection.query(query_embeddings=[vectors[i] for i in sample], n_results=3)["documents"]
    if any(texts[i].text not in answer for i, answer in zip(sample, answers, strict=True)):
        raise IndexUnavailable(
            "A newly built index does not find its own texts.", "Delete the index folder and start again."
        )


@contextmanager
def _client(folder: Path) -> Iterator[Any]:
    import chromadb  # noqa: PLC0415 (heavy import, only when needed)
    from chromadb.config import Settings  # noqa: PLC0415 (as above)

    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "writer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
